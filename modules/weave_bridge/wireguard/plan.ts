import { type Change, difference, fileChanges, runAction } from "../../core/change";
import { renderWireguardConfig, type WireguardPeer, withoutSecretKeys } from "../../formats/wireguard";
import {
  addWireguardAddress,
  createWireguard,
  deleteAddress,
  deleteLink,
  disableAddressGeneration,
  setMtu,
  setUp,
  syncWireguard,
} from "../commands";
import { WIREGUARD_SUFFIX } from "../names";
import type { ObservedBridge, ObservedWireguard } from "../observed";
import { COMMENT, isOwnFile, wireguardPath } from "../own_files";
import type { DesiredWireguard } from "./desired";
import { publicKeyOf } from "./keys";

/** The changes of the file with the keys, which come before those of the device. Their diff shows no secret key. */
export function planWireguardFile(desired: DesiredWireguard, observed: ObservedBridge): Change[] {
  const { path, config } = desired;
  const content = renderWireguardConfig(COMMENT, config);
  const file = observed.files.get(path) ?? null;
  const desiredFile = { path, content, mode: 0o600, redact: withoutSecretKeys };
  if (!file?.owner) return fileChanges(file, desiredFile);
  // A file that is replaced keeps its owner, who can read it.
  return fileChanges(null, desiredFile).map((change) => ({
    ...change,
    before: `owner ${file.owner}\n${withoutSecretKeys(file.content)}`,
    after: `owner 0\n${change.after}`,
    actions: [{ do: "remove", path }, ...change.actions],
  }));
}

/** The changes of the running device. Sessions with peers whose keys stay go on. */
export function planWireguardDevice(bridge: string, desired: DesiredWireguard, observed: ObservedBridge): Change[] {
  const { wireguard: device } = observed;
  const { name, address, mtu } = desired;
  const subject = `bridge ${bridge}: encryption`;
  const after = describe(desired, null);
  if (device === null) {
    return [{ subject, before: "none\n", after, actions: createWireguard(desired) }];
  }
  const cidr = `${address}/64`;
  const stale = device.addresses.filter((each) => each !== cidr);
  const before = describeObserved(desired, device);
  return [
    ...difference(`${name}: mtu`, device.mtu, mtu, [setMtu(name, mtu)]),
    ...difference(
      `${name}: address`,
      device.addresses.join("\n") || "none",
      cidr,
      stale.map((each) => deleteAddress(name, each)),
    ).map((change) => ({
      ...change,
      actions: [...(device.addresses.includes(cidr) ? [] : addWireguardAddress(desired)), ...change.actions],
    })),
    ...difference(`${name}: state`, device.up ? "up" : "down", "up", [
      // An interrupted run may have stopped before it.
      disableAddressGeneration(name),
      setUp(name),
    ]),
    ...(before === after
      ? []
      : [
          {
            subject,
            before,
            after,
            actions: [runAction(syncWireguard(desired))],
            ...(hasOtherKeys(desired, device)
              ? { disruption: "traffic with each other host, until it has the same password, keys and port" }
              : {}),
          },
        ]),
  ];
}

/**
 * Removes a device whose wireguard-go runs outside its own unit, so that it is started again in that: it would stop with the other unit or
 * session. The VXLAN is removed with the device.
 */
export function planWireguardGoMove(bridge: string, { wireguard, managers }: ObservedBridge): Change[] {
  if (!wireguard?.byProgram || !managers.systemd || managers.wireguardGoState === "active") return [];
  const removed = difference(`bridge ${bridge}: wireguard-go`, "in another unit or a session", "in its own unit", [
    deleteLink(bridge + WIREGUARD_SUFFIX),
  ]);
  const disruption = "traffic between hosts, while wireguard-go is started in its own unit";
  return removed.map((change) => ({ ...change, disruption }));
}

/**
 * The removal of the device and the file, once no VXLAN needs them. A file of that name that something else wrote stays, with its device. Without a
 * file, the device belongs to this module if the bridge's VXLAN is bound to it.
 */
export function planWireguardAbsent(
  bridge: string,
  { files, wireguard, vxlan }: ObservedBridge,
): { readonly device: Change[]; readonly file: Change[] } {
  const path = wireguardPath(bridge);
  const file = files.get(path) ?? null;
  const name = bridge + WIREGUARD_SUFFIX;
  if (file === null ? vxlan?.parameters?.device !== name : !isOwnFile(file.content)) return { device: [], file: [] };
  const removed = difference(`bridge ${bridge}: encryption`, `wireguard ${name}`, "none", [deleteLink(name)]);
  return {
    device: wireguard
      ? removed.map((change) => ({ ...change, disruption: "the encryption of the traffic between hosts" }))
      : [],
    file: fileChanges(file, { path, content: null, redact: withoutSecretKeys }),
  };
}

/** Whether this host, or a peer of both, has other keys or another port than before. */
function hasOtherKeys({ config }: DesiredWireguard, { config: found }: ObservedWireguard): boolean {
  if (found === null || found.privateKey === "") return false;
  return (
    found.privateKey !== config.privateKey ||
    found.port !== config.port ||
    config.peers.some((peer) => {
      const other = found.peers.find(({ allowedIps }) => allowedIps.join() === peer.allowedIps.join());
      return other && (other.publicKey !== peer.publicKey || other.presharedKey !== peer.presharedKey);
    })
  );
}

function describe({ name, config, address }: DesiredWireguard, other: ReadonlySet<string> | null): string {
  const head = `wireguard ${name} port ${config.port} public key ${publicKeyOf(config.privateKey)} address ${address}`;
  return [head, ...config.peers.map((peer) => describePeer(peer, other)), ""].join("\n");
}

function describeObserved(desired: DesiredWireguard, { config }: ObservedWireguard): string {
  if (config === null) return "not WireGuard\n";
  const desiredByKey = new Map(desired.config.peers.map((peer) => [peer.publicKey, peer]));
  const otherPreshared = new Set<string>();
  const peers = config.peers.map((peer) => {
    const same = desiredByKey.get(peer.publicKey);
    if (same !== undefined && same.presharedKey !== peer.presharedKey) otherPreshared.add(peer.publicKey);
    // Once a peer has sent packets, its endpoint is the one that they came from: behind NAT this differs from the configured one.
    return same && peer.handshake !== 0 ? { ...peer, endpoint: same.endpoint } : peer;
  });
  // wireguard-go lists them in another order each time.
  const addresses = desired.config.peers.map(({ allowedIps }) => allowedIps.join());
  const order = ({ allowedIps }: WireguardPeer): number => addresses.indexOf(allowedIps.join());
  const sorted = [...peers].sort(
    (one, other) => order(one) - order(other) || (one.publicKey < other.publicKey ? -1 : 1),
  );
  const { name, address } = desired;
  const head = `wireguard ${name} port ${config.port} public key ${config.publicKey || "none"} address ${address}`;
  return [head, ...sorted.map((peer) => describePeer(peer, otherPreshared)), ""].join("\n");
}

function describePeer({ publicKey, endpoint, allowedIps }: WireguardPeer, other: ReadonlySet<string> | null): string {
  const preshared = other?.has(publicKey) ? ", another preshared key" : "";
  return `peer ${endpoint ?? "without an address"} at ${allowedIps.join(" ") || "none"} public key ${publicKey}${preshared}`;
}
