import { DEFAULT_NETWORK } from "../core/docker_networks";
import { UserError, withSubject } from "../core/errors";
import { type DockerFlags, isFalse, isTrue } from "../formats/docker_options";
import { addressOf, contains, ipv4Network, networkOf, reservedAs } from "../net/ipv4";
import { type Configuration, optionsOf } from "./configuration";
import { wouldNotStart } from "./conflicts";
import type { ObservedDocker } from "./observed";
import type { DockerOptions } from "./options";

/**
 * Returns warnings. Throws a UserError if the default network can't be on the bridge that all hosts share, with the options that dockerd
 * would have: `desired` are those that are asked for.
 */
export function checkBridge(
  options: DockerOptions,
  desired: DockerFlags,
  configuration: Configuration,
  { bridgeAddresses }: ObservedDocker,
): string[] {
  const { bridge, bridge_address, network } = options;
  const all = optionsOf(configuration);
  const last = (name: string): string => all.get(name)?.at(-1) ?? "";
  if (network !== DEFAULT_NETWORK) {
    if (last("bridge") !== bridge) return [];
    throw new UserError(
      `network: ${network} can't be on the bridge ${bridge} of Docker's default network (found that Docker's unit sets ` +
        `--bridge=${bridge}). Remove that there.`,
    );
  }
  const [address = null] = bridge_address === null ? bridgeAddresses : [bridge_address];
  requireSubnetOfBridge(desired, address);
  const [name] = desired.get("bridge") ?? [];
  if (name === undefined) return [];
  requireIcc(name, last("icc"));
  if (address !== null) requireGatewayOf(address, last("default-gateway"));
  return [
    ...(address === null
      ? [
          `bridge: ${name} must have an IPv4 address before Docker restarts (found none). Configure it first (weave_bridge).`,
        ]
      : []),
    ...(isTrue(last("ipv6")) && last("fixed-cidr-v6") !== ""
      ? [
          `fixed-cidr-v6: must differ from host to host on ${name}, or containers get the same addresses (found ${last("fixed-cidr-v6")}). ` +
            "Set another on each host, or remove ipv6.",
        ]
      : []),
  ];
}

/**
 * The bridge's own rule accepts what passes it, which cancels icc=false with Docker 20.10. With 28, Docker's rule comes first and also drops
 * what comes from other hosts (libnetwork/drivers/bridge/setup_ip_tables_linux.go).
 */
function requireIcc(bridge: string, icc: string): void {
  if (!isFalse(icc)) return;
  throw new UserError(
    `icc: must not be off on the bridge ${bridge}, whose containers reach those of other hosts (found --icc=${icc}). Remove it, or set ` +
      "I(network), which leaves the default network its own bridge.",
  );
}

/** Throws a UserError for a subnet outside the bridge's network: dockerd only warns of it, and hosts then assign the same addresses. */
export function requireSubnetOfBridge(flags: DockerFlags, bridgeAddress: string | null): void {
  const [subnet] = flags.get("fixed-cidr") ?? [];
  if (subnet === undefined) return;
  withSubject("fixed-cidr", () => ipv4Network(subnet));
  if (bridgeAddress !== null) requireSubnetOf(bridgeAddress, subnet);
}

/** Throws a UserError for a subnet outside the network of a bridge with this address. */
export function requireSubnetOf(bridgeAddress: string, subnet: string): void {
  if (contains(networkOf(bridgeAddress), subnet)) return;
  throw new UserError(
    `fixed_cidr: must be in the bridge's network ${networkOf(bridgeAddress)}, or dockerd ignores it and assigns addresses that ` +
      `other hosts use (found ${subnet}; the bridge has ${bridgeAddress}). Set a subnet of that network.`,
  );
}

/** dockerd reserves it in the bridge's network, where the bridge has its own address (moby, daemon/daemon_unix.go, initBridgeDriver). */
function requireGatewayOf(bridgeAddress: string, gateway: string): void {
  const network = networkOf(bridgeAddress);
  const isFree = (): boolean =>
    contains(network, gateway) && gateway !== addressOf(bridgeAddress) && reservedAs(gateway, network) === null;
  if (gateway === "" || isFree()) return;
  throw wouldNotStart(
    `default-gateway: must be another address in the bridge's network ${network}`,
    `${gateway}; the bridge has ${bridgeAddress}`,
    "Correct or remove it.",
  );
}
