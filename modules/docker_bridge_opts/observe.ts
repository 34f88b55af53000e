import type { FileState, Host } from "../core/host";
import { parseAddresses } from "../formats/iproute";
import { type DockerUnit, observeDockerUnit } from "./docker_unit";
import type { DockerOptions } from "./options";
import { wantedFlags } from "./wanted";

/** The host as docker_bridge_opts finds it. */
export interface ObservedDocker extends DockerUnit {
  /** The file that DOCKER_OPTS is read from. */
  readonly file: FileState | null;
  /** The IPv4 addresses of the bridge, with prefix length; empty where it is not there. */
  readonly bridgeAddresses: readonly string[];
}

/** Looks at where dockerd reads its options, at what it runs with, and at the bridge where its address was not told. */
export function observe(options: DockerOptions, host: Host): ObservedDocker {
  const unit = observeDockerUnit(host);
  const [bridge = null] = wantedFlags(options).get("bridge") ?? [];
  return {
    ...unit,
    file: host.file(unit.environmentFile),
    bridgeAddresses: bridge === null || options.bridge_address !== null ? [] : addressesOf(bridge, host),
  };
}

function addressesOf(bridge: string, host: Host): string[] {
  const { stdout } = host.run(["ip", "-o", "-4", "addr", "show"]);
  return parseAddresses(stdout)
    .filter(({ device }) => device === bridge)
    .map(({ cidr }) => cidr);
}
