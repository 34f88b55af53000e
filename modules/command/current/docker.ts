import { dockerPid } from "../../core/docker";
import { ipv4Pool, isCreatedOnBridge, listNetworks, MTU_OPTION } from "../../core/docker_networks";
import type { options } from "../../docker_bridge_opts/options";
import type { CurrentOptions } from "./current";

/**
 * The Docker network on the bridge that is given, with its range and MTU. Without them it would be removed, as the option
 * `network` has a default, or created again. All other options of docker_bridge_opts leave what is there when they are not given.
 */
export const currentDocker: CurrentOptions<typeof options> = async ({ state, bridge }, _, host) => {
  // A request could start a stopped Docker.
  if (state !== "present" || bridge === null || dockerPid(host) === null) return {};
  const { networks } = await listNetworks(host);
  const own = networks?.find((network) => isCreatedOnBridge(network, bridge));
  if (own === undefined) return {};
  const range = ipv4Pool(own)?.range ?? "";
  const mtu = Number(own.options[MTU_OPTION]);
  return { network: own.name, ...(range !== "" && { fixed_cidr: range }), ...(mtu > 0 && { mtu }) };
};
