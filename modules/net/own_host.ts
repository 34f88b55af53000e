import { isHostName } from "./validators";

/** How this host may be written in a list of all hosts of a cluster. */
export interface OwnHost {
  /** The kernel's host name; "" if it has none. */
  readonly hostName: string;
  /** Its IPv4 addresses. */
  readonly addresses: readonly string[];
}

/** The file with the kernel's host name. */
export const HOST_NAME = "/proc/sys/kernel/hostname";

/** Whether a name is the kernel's host name, also if just one of the two has a domain. */
export function isOwnName(name: string, hostName: string): boolean {
  const [one, other] = [name.toLowerCase(), hostName.toLowerCase()];
  return isHostName(name) && (one === other || firstLabel(one) === other || one === firstLabel(other));
}

/**
 * The peers, addresses and names that are not resolved, without this host, so that all hosts can be given the same list.
 * Several names that differ from the host name only by their domains are all kept, as they are several hosts.
 */
export function withoutOwnHost(peers: readonly string[], own: OwnHost): readonly string[] {
  const others = peers.filter((peer) => !own.addresses.includes(peer));
  const alike = new Set(others.filter((peer) => isOwnName(peer, own.hostName)).map((name) => name.toLowerCase()));
  const ownName = alike.size === 1 ? [...alike][0] : own.hostName.toLowerCase();
  return others.filter((peer) => peer.toLowerCase() !== ownName);
}

function firstLabel(name: string): string {
  return name.replace(/\..*/, "");
}
