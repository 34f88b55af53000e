import type { IpLink } from "../formats/iproute";
import { isHostName } from "../net/validators";
import type { BridgeOptions } from "./options";

/** The names among the options, for this host to look up: those of hosts, not of its devices, and only with a VXLAN. */
export function namesToLookUp(
  { state, datapath, peers, underlay }: BridgeOptions,
  links: readonly IpLink[],
): readonly string[] {
  if (state !== "present" || datapath !== "vxlan") return [];
  const isDevice = links.some(({ device }) => device === underlay);
  return [...peers, ...(underlay === null || isDevice ? [] : [underlay])].filter(isHostName);
}
