import { DEFAULT_NETWORK, ipv4Pool, isOnBridge, MTU_OPTION } from "../core/docker_networks";
import { UserError } from "../core/errors";
import type { Host } from "../core/host/host";
import { parseOptions } from "../core/options";
import type { Result } from "../core/run_module";
import { optionsToStartWith } from "../docker_bridge_opts/configuration";
import { observe } from "../docker_bridge_opts/observe";
import type { ObservedDocker } from "../docker_bridge_opts/observed";
import { options } from "../docker_bridge_opts/options";
import { DEFAULT_MTU } from "../formats/docker_options";
import type { ModuleArguments } from "./arguments";

/**
 * Lines that say where Docker's subnet and MTU differ from the bridge's. An Ansible run sets them in its next task. None if they agree,
 * or if Docker does not use the bridge.
 */
export async function dockerMismatch(result: Result, given: ModuleArguments, host: Host): Promise<string[]> {
  if (result.failed) return [];
  try {
    // With this state, the module asks Docker for its networks.
    const observed = await observe(parseOptions("docker-opts", options, new Map([["state", "restarted"]])), host);
    return describeDockerMismatch(result, given.options.get("state") === "absent", observed);
  } catch (error) {
    // The bridge is as desired, whatever Docker's files are like.
    if (error instanceof UserError) return [];
    throw error;
  }
}

/** The same from what was observed. `removed`: whether the run removes the bridge. */
export function describeDockerMismatch(result: Result, removed: boolean, docker: ObservedDocker): string[] {
  const name = String(result["name"]);
  const kept = networkOn(name, docker);
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

/** Docker's network on a bridge, as it is or will be when Docker starts. */
function networkOn(
  bridge: string,
  docker: ObservedDocker,
): { readonly network: string; readonly subnet: string; readonly mtu: string } | null {
  const own = docker.daemon?.networks?.find((network) => isOnBridge(network, bridge));
  if (own !== undefined) {
    const { range, subnet } = ipv4Pool(own) ?? { range: "", subnet: "" };
    return { network: own.name, subnet: range || subnet, mtu: own.options[MTU_OPTION] || DEFAULT_MTU };
  }
  const configured = optionsToStartWith(docker);
  if (configured.get("bridge")?.at(-1) !== bridge) return null;
  const value = (flag: string): string => configured.get(flag)?.at(-1) ?? "";
  return { network: DEFAULT_NETWORK, subnet: value("fixed-cidr"), mtu: value("mtu") || DEFAULT_MTU };
}
