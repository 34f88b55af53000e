import { DEFAULT_NETWORK } from "../core/docker_networks";
import type { Host } from "../core/host/host";
import type { Result } from "../core/run_module";
import type { ObservedDocker } from "../docker_bridge_opts/observed";
import type { ModuleArguments } from "./arguments";
import { dockerOnBridge, fromDocker } from "./docker_on_bridge";

/**
 * Lines that say where Docker's subnet and MTU differ from the bridge's. An Ansible run sets them in its next task. None if they agree,
 * or if Docker does not use the bridge.
 */
export async function dockerMismatch(result: Result, given: ModuleArguments, host: Host): Promise<string[]> {
  if (result.failed) return [];
  // The bridge is as desired, whatever Docker's files are like.
  const removed = given.options.get("state") === "absent";
  return (await fromDocker(host, (docker) => describeDockerMismatch(result, removed, docker))) ?? [];
}

/** The same from what was observed. `removed`: whether the run removes the bridge. */
export function describeDockerMismatch(result: Result, removed: boolean, docker: ObservedDocker): string[] {
  const name = String(result["name"]);
  const kept = dockerOnBridge(name, docker);
  if (kept === null) return [];
  const { network, subnet, mtu } = kept;
  const isDefault = network === DEFAULT_NETWORK;
  const named = isDefault ? "" : `--network ${network} `;
  if (removed) {
    return isDefault
      ? [
          `Docker keeps --bridge=${name}${subnet === "" ? "" : ` --fixed-cidr=${subnet}`}, and does not start without the bridge; ` +
            "then run: apollo-weave docker-opts --state absent",
        ]
      : [
          `Docker keeps its network ${network} on the bridge; run first: apollo-weave docker-opts ${named}--state absent`,
        ];
  }
  const [subnetNow, mtuNow] = [String(result["docker_subnet"]), String(result["mtu"])];
  const differing = [
    ...(subnet === subnetNow ? [] : [`the subnet ${subnet || "of the whole bridge"}, not ${subnetNow}`]),
    ...(mtu === mtuNow ? [] : [`the MTU ${mtu}, not ${mtuNow}`]),
  ];
  if (differing.length === 0) return [];
  const flags = `${named}--bridge ${name} --fixed-cidr ${subnetNow} --mtu ${mtuNow}`;
  return [`Docker keeps ${differing.join(", and ")}; then run: apollo-weave docker-opts ${flags}`];
}
