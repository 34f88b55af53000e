import {
  BRIDGE_OPTION,
  bridgeOfNetwork,
  createNetwork,
  DEFAULT_NETWORK,
  type DockerNetwork,
  isCreatedOnBridge,
  MTU_OPTION,
} from "../core/docker_networks";
import { UserError } from "../core/errors";
import type { HttpRequest } from "../core/host/host";
import { isFalse } from "../formats/docker_options";
import { addressOf, networkOf, overlap, prefixLength } from "../net/ipv4";
import { requireSubnetOf } from "./bridge_checks";
import { bridgeOf, DEFAULT_BRIDGE } from "./desired";
import type { ObservedNetwork } from "./observed";
import type { DockerOptions } from "./options";

/** What defines a Docker network on a bridge. */
interface Definition {
  readonly bridge: string;
  /** The network of all hosts. */
  readonly subnet: string;
  /** The part of it that this host's containers get their addresses from. */
  readonly range: string;
  readonly gateway: string;
  /** Empty for Docker's default. */
  readonly mtu: string;
  /** Whether its containers reach one another and other networks. */
  readonly open: boolean;
}

export interface DesiredNetwork extends Definition {
  readonly name: string;
}

/**
 * The Docker network that the options describe; null for Docker's default network, or with state=absent. Throws a UserError if
 * it can't be computed.
 */
export function desiredNetwork(options: DockerOptions, bridgeAddresses: readonly string[]): DesiredNetwork | null {
  const { state, network: name, bridge, fixed_cidr: range, mtu } = options;
  if (name === DEFAULT_NETWORK || state === "absent") return null;
  if (bridge === null || range === null) {
    const missing = bridge === null ? "bridge" : "fixed_cidr";
    throw new UserError(`network: "${name}" needs I(bridge) and I(fixed_cidr) (found no I(${missing})). Set both.`);
  }
  const address = options.bridge_address ?? bridgeAddresses[0];
  if (address === undefined) {
    throw new UserError(
      `bridge_address: must be set as long as the bridge ${bridge} has no IPv4 address (found none). Set it.`,
    );
  }
  requireSubnetOf(address, range);
  const subnet = networkOf(address);
  return { name, bridge, subnet, range, gateway: addressOf(address), mtu: mtu === null ? "" : String(mtu), open: true };
}

/**
 * The request that creates the network. The range's first address is reserved, as it looks like a network's own: without that the
 * first container gets it.
 */
export function createRequest({ name, bridge, subnet, range, gateway, mtu }: DesiredNetwork): HttpRequest {
  const first = addressOf(range);
  const isFree = first !== gateway && first !== addressOf(subnet) && prefixLength(range) < 32;
  return createNetwork({
    Name: name,
    // Before Docker 25, several networks could otherwise have one name.
    CheckDuplicate: true,
    Driver: "bridge",
    IPAM: {
      Driver: "default",
      Config: [
        {
          Subnet: subnet,
          IPRange: range,
          Gateway: gateway,
          ...(isFree && { AuxiliaryAddresses: { "apollo-weave": first } }),
        },
      ],
    },
    Options: {
      [BRIDGE_OPTION]: bridge,
      [ICC]: "true",
      ...(mtu !== "" && { [MTU_OPTION]: mtu }),
    },
  });
}

const ICC = "com.docker.network.bridge.enable_icc";

/** The file that records which network this module created, for when Docker is stopped. */
export const NETWORK_RECORD = "/var/lib/apollo-weave/docker-network";

/** The content of that file. */
export function recordOf(network: DesiredNetwork): string {
  return `# Docker network created by docker_bridge_opts.\nname ${network.name}\n${describe(network)}`;
}

/** Whether that file names a network on this bridge. */
export function isRecordedOn(bridge: string, record: string): boolean {
  return record.split("\n").includes(`bridge ${bridge}`);
}

/**
 * Whether the network is what is desired. The reserved address is not compared, as a difference in it does not justify replacing a
 * network.
 */
export function isAsDesired(network: DockerNetwork, desired: DesiredNetwork): boolean {
  const found = definitionOf(network);
  const mtu = desired.mtu === "" ? found.mtu : desired.mtu;
  return network.name === desired.name && describe(found) === describe({ ...desired, mtu });
}

/** One of Docker's networks in lines, for a diff. */
export function describeNetwork(network: DockerNetwork): string {
  return describe(definitionOf(network));
}

/** A network's definition in lines, for a diff. */
export function describe({ bridge, subnet, range, gateway, mtu, open }: Definition): string {
  return [
    `bridge ${bridge}`,
    `subnet ${subnet}`,
    `addresses of containers ${range || subnet}`,
    `gateway ${gateway || "Docker's choice"}`,
    ...(mtu === "" ? [] : [`mtu ${mtu}`]),
    ...(open ? [] : ["containers isolated (internal, or without icc)"]),
    "",
  ].join("\n");
}

function definitionOf({ options, pools, internal }: DockerNetwork): Definition {
  const v4 = pools.filter(({ subnet }) => !subnet.includes(":"));
  const all = (part: "subnet" | "range" | "gateway"): string => v4.map((pool) => pool[part]).join(" ");
  return {
    bridge: options[BRIDGE_OPTION] ?? "",
    subnet: all("subnet"),
    range: all("range"),
    gateway: all("gateway"),
    mtu: options[MTU_OPTION] ?? "",
    open: !internal && !isFalse(options[ICC] ?? ""),
  };
}

/** The networks on the bridge that are not as desired. */
export function staleNetworks(
  networks: readonly ObservedNetwork[],
  bridge: string,
  desired: DesiredNetwork | null,
): readonly ObservedNetwork[] {
  return networks.filter(
    (network) => isCreatedOnBridge(network, bridge) && (desired === null || !isAsDesired(network, desired)),
  );
}

/** Throws a UserError if Docker has another network of this name, or one whose addresses overlap: it would reject this one. */
export function rejectNetworkConflicts(desired: DesiredNetwork, others: readonly DockerNetwork[]): void {
  const sameName = others.find(({ name }) => name === desired.name);
  if (sameName !== undefined) {
    const bridge = bridgeOfNetwork(sameName);
    const what = bridge === null ? `of the driver ${sameName.driver}` : `on the bridge ${bridge}`;
    throw new UserError(
      `network: Docker has another network "${desired.name}" (found one ${what}). Set another name, or remove that one ` +
        `(docker network rm ${desired.name}).`,
    );
  }
  for (const { name, pools } of others) {
    const overlapping = pools.find(
      ({ subnet }) => subnet !== "" && !subnet.includes(":") && overlap(subnet, desired.subnet),
    );
    if (overlapping === undefined) continue;
    throw new UserError(
      `network: the addresses of ${desired.subnet} must be free (found Docker network ${name} with ${overlapping.subnet}). Remove that one.`,
    );
  }
}

/** The bridge whose Docker networks the options are about; null if they name none. */
export function bridgeToManage(options: DockerOptions): string | null {
  return options.state === "absent" ? (bridgeOf(options) ?? DEFAULT_BRIDGE) : bridgeOf(options);
}
