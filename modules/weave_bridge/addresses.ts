import { Refusal } from "../core/refusal";
import { type HostAddresses, hostAddresses } from "../network/host_addresses";
import type { BridgeOptions } from "./options";

/** This host's addresses, given or counted from its index. Throws a Refusal where they are neither. */
export function addressesOf(options: BridgeOptions): HostAddresses {
  const { address, docker_subnet: dockerSubnet, host_index: index } = options;
  if (address !== null && dockerSubnet !== null) return { address, dockerSubnet };
  if (index === null)
    throw new Refusal("host_index: not given; give this host's number in the cluster, or address and docker_subnet");
  const counted = hostAddresses(options.network, index, options.docker_prefix);
  return { address: address ?? counted.address, dockerSubnet: dockerSubnet ?? counted.dockerSubnet };
}
