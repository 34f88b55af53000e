import { dockerRequest, requestOrNull } from "./docker";
import type { Host, HttpRequest } from "./host/host";
import { isBoolean, isListOf, isMapOf, isOptional, isShape, isString } from "./json";

/** A network as Docker lists it (Engine API, NetworkList). */
export interface DockerNetwork {
  readonly id: string;
  readonly name: string;
  /** Such as "bridge". */
  readonly driver: string;
  /** Whether its containers reach nothing outside it. */
  readonly internal: boolean;
  /** Such as com.docker.network.bridge.name. */
  readonly options: Readonly<Record<string, string>>;
  readonly pools: readonly AddressPool[];
}

/** Addresses of a network, IPv4 or IPv6. What Docker does not report is "". */
interface AddressPool {
  readonly subnet: string;
  /** The part of the subnet that containers get addresses from. */
  readonly range: string;
  readonly gateway: string;
}

const POOL = isShape({ Subnet: isOptional(isString), IPRange: isOptional(isString), Gateway: isOptional(isString) });

const NETWORKS = isListOf(
  isShape({
    Id: isString,
    Name: isString,
    Driver: isString,
    Internal: isOptional(isBoolean),
    Options: isOptional(isMapOf(isString)),
    IPAM: isOptional(isShape({ Config: isOptional(isListOf(POOL)) })),
  }),
);

/** All networks, and the daemon's version, such as 20.10.24. Each is null if the daemon does not report it. */
export async function listNetworks(
  host: Host,
): Promise<{ readonly networks: readonly DockerNetwork[] | null; readonly version: string | null }> {
  const { body, server } = await requestOrNull("/networks", NETWORKS, host);
  const networks = body?.map(({ Id, Name, Driver, Internal, Options, IPAM }) => ({
    id: Id,
    name: Name,
    driver: Driver,
    internal: Internal ?? false,
    options: Options ?? {},
    pools: (IPAM?.Config ?? []).map(({ Subnet, IPRange, Gateway }) => ({
      subnet: Subnet ?? "",
      range: IPRange ?? "",
      gateway: Gateway ?? "",
    })),
  }));
  return { networks: networks ?? null, version: /^Docker\/([^\s]+)/.exec(server)?.[1] ?? null };
}

const MEMBERS = isListOf(
  isShape({
    Names: isOptional(isListOf(isString)),
    NetworkSettings: isOptional(
      isShape({ Networks: isOptional(isMapOf(isOptional(isShape({ NetworkID: isOptional(isString) })))) }),
    ),
  }),
);

/**
 * The names of the containers of each network, by its id, whether they run or not: a stopped one does not start without the very
 * network that it was on. Null if the daemon does not answer.
 */
export async function listMembers(
  networks: readonly Pick<DockerNetwork, "id" | "name">[],
  host: Host,
): Promise<ReadonlyMap<string, readonly string[]> | null> {
  const { body } = await requestOrNull("/containers/json?all=true", MEMBERS, host);
  if (body === null) return null;
  const containers = body.map(({ Names, NetworkSettings }) => ({
    name: Names?.[0]?.replace(/^\//, "") ?? "",
    // One that was never started has only the network's name.
    on: Object.entries(NetworkSettings?.Networks ?? {}).flatMap(([name, each]) => [name, each?.NetworkID ?? ""]),
  }));
  return new Map(
    networks.map(({ id, name }) => {
      const members = containers.filter(({ on }) => on.includes(id) || on.includes(name));
      return [id, members.map((container) => container.name).sort()];
    }),
  );
}

/** The bridge of a network of the driver bridge; null if it has none, or Docker chose its name. */
export function bridgeOfNetwork({ driver, options }: DockerNetwork): string | null {
  return driver === "bridge" ? (options[BRIDGE_OPTION] ?? null) : null;
}

/** Whether a network is on a bridge, and not the default one, which dockerd's options define. */
export function isCreatedOnBridge(network: DockerNetwork, bridge: string): boolean {
  return network.name !== DEFAULT_NETWORK && bridgeOfNetwork(network) === bridge;
}

/** The network's IPv4 addresses; undefined if it has none. It may have IPv6 addresses before them. */
export function ipv4Pool({ pools }: DockerNetwork): AddressPool | undefined {
  return pools.find(({ subnet }) => !subnet.includes(":"));
}

export const BRIDGE_OPTION = "com.docker.network.bridge.name";
export const MTU_OPTION = "com.docker.network.driver.mtu";

/** The name of Docker's default network, which dockerd's options define. */
export const DEFAULT_NETWORK = "bridge";

/** Answered 409 if there is a network of this name, 403 if another one has the same bridge or overlapping addresses. */
export function createNetwork(body: object): HttpRequest {
  const headers = { "content-type": "application/json" };
  return { ...dockerRequest("POST", "/networks/create"), headers, body: JSON.stringify(body) };
}

/** Answered 404 if it does not exist, 403 if a running container is on it. */
export function removeNetwork(id: string): HttpRequest {
  return dockerRequest("DELETE", `/networks/${id}`);
}
