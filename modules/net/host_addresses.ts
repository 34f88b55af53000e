import { ip2long, long2ip, Netmask } from "netmask";
import { UserError } from "../core/errors";

export interface HostAddresses {
  /** The bridge's address with the network's prefix length, such as 10.2.0.1/16. */
  readonly address: string;
  /** The subnet that the host's containers get their addresses from, such as 10.2.1.0/24. */
  readonly dockerSubnet: string;
}

/**
 * Takes the container network (such as 10.2.0.0/16), a host's index from 1, and the prefix length of a host's container
 * subnet. Returns the host's addresses. No two hosts' bridge addresses or subnets ever overlap, and a host's depend on
 * nothing but its index.
 *
 * The network is cut into blocks of the subnets' size. Host N has block N for its containers, and its bridge address is
 * the Nth of block 0: Apollo's numbers, 10.2.0.N and 10.2.N.0/24. When block 0 is full, bridge addresses go on from the
 * network's top downwards, and the blocks that they fill are no host's. The top block holds the broadcast address and
 * is never given to containers.
 *
 * Throws a UserError that says which network would do, where the index does not fit.
 */
export function hostAddresses(network: string, index: number, dockerPrefix: number): HostAddresses {
  const { base, bitmask } = new Netmask(network);
  if (index > capacity(bitmask, dockerPrefix)) {
    throw new UserError(
      `host_index: ${index} does not fit: ${network} has room for ${capacity(bitmask, dockerPrefix)} hosts with a ` +
        `/${dockerPrefix} each; ${wider(base, bitmask, index, dockerPrefix)}`,
    );
  }
  const block = blockSize(dockerPrefix);
  const first = ip2long(base);
  const last = first + 2 ** (32 - bitmask) - 1;
  const bridge = index < block ? first + index : last - (index - block + 1);
  return {
    address: `${long2ip(bridge)}/${bitmask}`,
    dockerSubnet: `${long2ip(first + index * block)}/${dockerPrefix}`,
  };
}

/** Takes the prefix lengths of the network and of a host's subnet; returns the number of hosts that it has room for. */
export function capacity(bitmask: number, dockerPrefix: number): number {
  if (dockerPrefix <= bitmask) return 0;
  const blocks = 2 ** (dockerPrefix - bitmask);
  let [fits, fitsNot] = [0, blocks];
  while (fitsNot - fits > 1) {
    const middle = Math.floor((fits + fitsNot) / 2);
    if (middle < blocks - topBlocks(middle, blockSize(dockerPrefix))) fits = middle;
    else fitsNot = middle;
  }
  return fits;
}

/** How many blocks at the network's top are not for containers once `hosts` hosts have their bridge addresses. */
function topBlocks(hosts: number, block: number): number {
  const overflow = Math.max(0, hosts - (block - 1));
  return Math.ceil((overflow + 1) / block);
}

function blockSize(dockerPrefix: number): number {
  return 2 ** (32 - dockerPrefix);
}

function wider(base: string, bitmask: number, index: number, dockerPrefix: number): string {
  for (let prefix = bitmask - 1; prefix >= 8; prefix--) {
    if (capacity(prefix, dockerPrefix) >= index) return `the network ${new Netmask(`${base}/${prefix}`)} would hold it`;
  }
  return "give smaller subnets (docker_prefix) as well as a larger network";
}
