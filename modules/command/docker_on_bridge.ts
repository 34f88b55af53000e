import { DEFAULT_NETWORK, type DockerNetwork, ipv4Pool, isCreatedOnBridge, MTU_OPTION } from "../core/docker_networks";
import { UserError } from "../core/errors";
import type { Host } from "../core/host/host";
import { parseOptions } from "../core/options";
import { optionsToStartWith } from "../docker_bridge_opts/configuration";
import { observe } from "../docker_bridge_opts/observe";
import type { ObservedDocker } from "../docker_bridge_opts/observed";
import { options } from "../docker_bridge_opts/options";
import { DEFAULT_MTU } from "../formats/docker_options";

/** Docker's network on a bridge. */
export interface DockerOnBridge {
  readonly network: string;
  /** Of this host's containers; "" if it is the whole bridge's. */
  readonly subnet: string;
  readonly mtu: string;
}

/** What is read from Docker on this host, with its networks; null if it is not installed, or its files can't be read. */
export async function fromDocker<Read>(host: Host, read: (docker: ObservedDocker) => Read): Promise<Read | null> {
  try {
    // With this state, the module asks Docker for its networks.
    return read(await observe(parseOptions("docker-opts", options, new Map([["state", "restarted"]])), host));
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}

/** A Docker network that was created on a bridge. */
interface CreatedNetwork {
  readonly network: DockerNetwork;
  /** Of this host's containers; "" if it has no IPv4 addresses. */
  readonly subnet: string;
}

/** The Docker network that was created on a bridge; null if there is none. */
export function createdNetwork(bridge: string, docker: ObservedDocker): CreatedNetwork | null {
  const network = docker.daemon?.networks?.find((each) => isCreatedOnBridge(each, bridge));
  if (network === undefined) return null;
  const { range, subnet } = ipv4Pool(network) ?? { range: "", subnet: "" };
  return { network, subnet: range || subnet };
}

/** The Docker network on a bridge, as it is or will be once Docker starts; null if there is none. */
export function dockerOnBridge(bridge: string, docker: ObservedDocker): DockerOnBridge | null {
  const created = createdNetwork(bridge, docker);
  if (created !== null) {
    const { network, subnet } = created;
    return { network: network.name, subnet, mtu: network.options[MTU_OPTION] || DEFAULT_MTU };
  }
  const configured = optionsToStartWith(docker);
  if (configured.get("bridge")?.at(-1) !== bridge) return null;
  const value = (flag: string): string => configured.get(flag)?.at(-1) ?? "";
  return { network: DEFAULT_NETWORK, subnet: value("fixed-cidr"), mtu: value("mtu") || DEFAULT_MTU };
}
