import { UserError } from "../core/errors";
import { type HostAddresses, hostAddresses } from "../net/host_addresses";
import { derivedMac } from "../net/validators";
import type { BridgeOptions } from "./options";

/** The bridge's MAC address: the option's, or one that is derived from the machine-id. Null without either. */
export function bridgeMac({ name, mac }: BridgeOptions, machineId: string): string | null {
  return mac ?? (machineId === "" ? null : derivedMac(`${machineId} ${name}`));
}

/** This host's addresses, as the options set them or computed from its index. Throws a UserError if neither is possible. */
export function addressesOf(options: BridgeOptions): HostAddresses {
  const { address, docker_subnet: dockerSubnet, host_index: index } = options;
  if (address !== null && dockerSubnet !== null) return { address, dockerSubnet };
  if (index === null) {
    throw new UserError(
      "host_index: must be set unless both I(address) and I(docker_subnet) are (found none). Set this host's index in the cluster, " +
        "or both I(address) and I(docker_subnet).",
    );
  }
  const computed = hostAddresses(options.network, index, options.docker_prefix);
  return { address: address ?? computed.address, dockerSubnet: dockerSubnet ?? computed.dockerSubnet };
}
