import { UserError } from "../core/errors";
import { type HostAddresses, hostAddresses } from "../net/host_addresses";
import type { BridgeOptions } from "./options";

/** This host's addresses, given or counted from its index. Throws a UserError where they are neither. */
export function addressesOf(options: BridgeOptions): HostAddresses {
  const { address, docker_subnet: dockerSubnet, host_index: index } = options;
  if (address !== null && dockerSubnet !== null) return { address, dockerSubnet };
  if (index === null)
    throw new UserError("host_index: not given; give this host's number in the cluster, or address and docker_subnet");
  const counted = hostAddresses(options.network, index, options.docker_prefix);
  return { address: address ?? counted.address, dockerSubnet: dockerSubnet ?? counted.dockerSubnet };
}
