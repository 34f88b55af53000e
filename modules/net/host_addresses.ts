// IPv4 alone: the package itself would bring IPv6 into each bundle.
import { ip2long, long2ip, Netmask4Impl as Netmask } from "netmask/dist/netmask4";
import { UserError } from "../core/errors";

export interface HostAddresses {
  /** The bridge's address with the network's prefix length, such as 10.2.0.1/16. */
  readonly address: string;
  /** The subnet of the host's containers, such as 10.2.1.0/24. */
  readonly dockerSubnet: string;
}

/**
 * A host's addresses in the container network (such as 10.2.0.0/16), by its index from 1 and the prefix length of each
 * host's container subnet. They depend on nothing else, and two hosts' addresses or subnets never overlap.
 *
 * The network is divided into blocks of the subnets' size. Host N has block N for its containers, and the Nth address of
 * block 0 for its bridge: Apollo's numbers, 10.2.0.N and 10.2.N.0/24. When block 0 is full, bridge addresses continue from
 * the network's top downwards, and the blocks that contain them are not given to containers. Neither is the top block,
 * which contains the broadcast address.
 *
 * Throws a UserError if the index does not fit, with a network that it fits in.
 */
export function hostAddresses(network: string, index: number, dockerPrefix: number): HostAddresses {
  const { base, bitmask } = new Netmask(network);
  if (index > capacity(bitmask, dockerPrefix)) {
    throw new UserError(
      `host_index: must be at most ${capacity(bitmask, dockerPrefix)} in ${network} with a /${dockerPrefix} each (found ${index}). ` +
        widerNetwork(base, bitmask, index, dockerPrefix),
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

/** The index of the host that gets this address, with its network's prefix length, by hostAddresses(); null if none does. */
export function indexOfAddress(cidr: string, dockerPrefix: number): number | null {
  const { base, bitmask } = new Netmask(cidr);
  const [bridge, first] = [ip2long(cidr.replace(/\/.*/, "")), ip2long(base)];
  const last = first + 2 ** (32 - bitmask) - 1;
  const candidates = [bridge - first, last - bridge + blockSize(dockerPrefix) - 1];
  const index = candidates.find(
    (candidate) =>
      candidate > 0 &&
      candidate <= capacity(bitmask, dockerPrefix) &&
      hostAddresses(`${base}/${bitmask}`, candidate, dockerPrefix).address === cidr,
  );
  return index ?? null;
}

/** How many hosts a network has room for, by the prefix lengths of the network and of each host's subnet. */
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

/** How many blocks at the network's top containers can't have if `hosts` hosts have bridge addresses. */
function topBlocks(hosts: number, block: number): number {
  const overflow = Math.max(0, hosts - (block - 1));
  return Math.ceil((overflow + 1) / block);
}

function blockSize(dockerPrefix: number): number {
  return 2 ** (32 - dockerPrefix);
}

function widerNetwork(base: string, bitmask: number, index: number, dockerPrefix: number): string {
  for (let prefix = bitmask - 1; prefix >= 8; prefix--) {
    if (capacity(prefix, dockerPrefix) >= index)
      return `Set a larger network, such as ${new Netmask(`${base}/${prefix}`)}.`;
  }
  return "Set smaller subnets (I(docker_prefix)) and a larger network.";
}
