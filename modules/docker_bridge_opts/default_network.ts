import { BRIDGE_OPTION, type DockerNetwork, MTU_OPTION } from "../core/docker_networks";
import { type DockerFlags, meansTheSame } from "../formats/docker_options";
import type { RunningDaemon } from "./observed";

/** The options that define Docker's default network. The daemon's API reports them. */
export const NETWORK_OPTIONS = ["bridge", "fixed-cidr", "mtu"];

/** Docker's default network as the options that define it; one without values is not set. */
export function defaultNetworkFlags({ options, pools }: DockerNetwork): DockerFlags {
  const values = (value: string | undefined): readonly string[] => (value === undefined || value === "" ? [] : [value]);
  return new Map([
    ["bridge", values(options[BRIDGE_OPTION])],
    ["fixed-cidr", values(pools.map(({ range }) => range).find((range) => range !== "" && !range.includes(":")))],
    ["mtu", values(options[MTU_OPTION])],
  ]);
}

/** Whether these options define another default network than the daemon has. */
export function defaultNetworkDiffers(flags: DockerFlags, { defaultNetwork }: RunningDaemon): boolean {
  return NETWORK_OPTIONS.some(
    (name) => defaultNetwork && !meansTheSame(name, defaultNetwork.get(name), flags.get(name)),
  );
}
