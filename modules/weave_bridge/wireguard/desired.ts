import { UserError } from "../../core/errors";
import type { WireguardConfig } from "../../formats/wireguard";
import { WIREGUARD_SUFFIX } from "../names";
import type { ObservedBridge } from "../observed";
import { type BridgeOptions, hasWireguard } from "../options";
import { isOwnFile, wireguardGoUnit, wireguardPath } from "../own_files";
import { type Cluster, clamped, presharedKeyOf, privateKeyOf, publicKeyOf, rootKey, tunnelAddressOf } from "./keys";

/** The WireGuard device under the VXLAN. */
export interface DesiredWireguard {
  readonly name: string;
  /** This host's address on the device, without prefix length. */
  readonly address: string;
  /** In bytes. */
  readonly mtu: number;
  /** The file with the keys. */
  readonly path: string;
  readonly config: WireguardConfig;
  /** What creates the device on this host. */
  readonly implementation: "kernel" | "wireguard-go";
  /** The systemd unit that wireguard-go runs in; null without systemd. */
  readonly unit: string | null;
}

/** The identities of this host and its peers: the underlay addresses from which their keys are derived. */
export interface Identities {
  readonly own: string;
  readonly peers: readonly string[];
}

/** A password of 16 random letters and digits has 95 bits. */
const SHORTEST_PASSWORD = 16;

/** Throws a UserError if the options for encryption contradict one another. */
export function rejectEncryptionErrors(options: BridgeOptions): void {
  const { datapath, password, wireguard_key: key, wireguard_peer_keys: peerKeys } = options;
  if (hasWireguard(options) && datapath !== "vxlan") {
    throw new UserError(
      `${password === null ? "wireguard_key" : "password"}: needs I(datapath): vxlan (found router, which encrypts by itself). ` +
        "Remove it here, and set weave_service's password.",
    );
  }
  if (password !== null && [...password].length < SHORTEST_PASSWORD) {
    throw new UserError(
      `password: must have at least ${SHORTEST_PASSWORD} characters with I(datapath): vxlan, as anyone who records the traffic can ` +
        `guess passwords offline (found ${[...password].length}, which are not shown). Set a random one, such as \`openssl rand -base64 24\` prints.`,
    );
  }
  if (options.wireguard_identity !== null && !hasWireguard(options)) {
    throw new UserError(
      "wireguard_identity: needs I(password) or I(wireguard_key) (found neither). Set one of them, or remove I(wireguard_identity).",
    );
  }
  if (key === null && Object.keys(peerKeys).length > 0) {
    throw new UserError(
      "wireguard_peer_keys: needs I(wireguard_key), this host's own key (found none). Set it, or remove the peers' keys to have " +
        "all derived from I(password).",
    );
  }
  if (hasWireguard(options) && options.wireguard_port === options.vxlan_port) {
    throw new UserError(
      `wireguard_port: must differ from I(vxlan_port) (found ${options.wireguard_port} for both). Set another one on all hosts.`,
    );
  }
}

/** The device, or null if the VXLAN is not to be encrypted. Throws a UserError if this host lacks what it needs. */
export function resolveWireguard(
  options: BridgeOptions,
  network: string,
  identities: Identities,
  mtu: number,
  observed: ObservedBridge,
): DesiredWireguard | null {
  const needs = observed.wireguardNeeds;
  if (!hasWireguard(options) || needs === null) return null;
  const name = options.name + WIREGUARD_SUFFIX;
  const implementation = requireNeeds(options, name, observed);
  const cluster = { network, vxlanId: options.vxlan_id };
  return {
    name,
    address: tunnelAddressOf(cluster, identities.own),
    mtu,
    path: wireguardPath(options.name),
    config: configOf(options, cluster, identities),
    implementation,
    unit: observed.managers.systemd ? wireguardGoUnit(options.name) : null,
  };
}

function requireNeeds(
  options: BridgeOptions,
  device: string,
  { wireguardNeeds: needs, wireguard, files }: ObservedBridge,
): DesiredWireguard["implementation"] {
  const option = options.password === null ? "wireguard_key" : "password";
  if (!needs?.tools) {
    throw new UserError(
      `${option}: needs wireguard-tools on this host (found no program wg). Install it (apt install wireguard-tools).`,
    );
  }
  if (needs.implementation === null) {
    throw new UserError(
      `${option}: needs a kernel with WireGuard, or the program wireguard-go, on this host (found neither). Install a kernel ` +
        "that has the module wireguard (Linux 5.6 or newer), or wireguard-go (apt install wireguard-go).",
    );
  }
  if (needs.implementation === "wireguard-go" && !needs.tun) {
    throw new UserError(
      `${option}: wireguard-go needs /dev/net/tun on this host (found none). Load the kernel's module (modprobe tun), give a ` +
        "container this device, or install a kernel that has the module wireguard (Linux 5.6 or newer).",
    );
  }
  if (!needs.ipv6) {
    throw new UserError(
      `${option}: needs a kernel with IPv6, which the VXLAN uses inside WireGuard (found no /proc/net/if_inet6). Boot without ` +
        "ipv6.disable=1.",
    );
  }
  if (needs.portHolder !== null) {
    throw new UserError(
      `wireguard_port: UDP port ${options.wireguard_port} must be free on this host (found in use by ${needs.portHolder}). ` +
        "Set another I(wireguard_port) on all hosts, or stop it.",
    );
  }
  if (wireguard !== null && wireguard.config === null) {
    throw new UserError(
      `name: ${device} must be a WireGuard device, or not exist yet (found another kind of device, or one that does not answer ` +
        `\`wg show ${device}\`). Delete it (ip link del ${device}), or set another name.`,
    );
  }
  const path = wireguardPath(options.name);
  const file = files.get(path);
  if (file && !isOwnFile(file.content)) {
    throw new UserError(
      `name: ${path} must be this module's own file (found one that it has not written). Move it away, or set another name.`,
    );
  }
  return needs.implementation;
}

function configOf(options: BridgeOptions, cluster: Cluster, { own, peers }: Identities): WireguardConfig {
  const { password, wireguard_key: key, wireguard_peer_keys: peerKeys, wireguard_port: port } = options;
  const root = password === null ? null : rootKey(password, cluster);
  const config = {
    privateKey: key === null ? privateKeyOf(root ?? Buffer.alloc(0), own) : normalised(key),
    port,
    peers: peers.map((peer) => ({
      publicKey: key === null && root ? publicKeyOf(privateKeyOf(root, peer)) : requirePeerKey(peer, peerKeys),
      presharedKey: root && presharedKeyOf(root, own, peer),
      endpoint: `${peer}:${port}`,
      allowedIps: [`${tunnelAddressOf(cluster, peer)}/128`],
    })),
  };
  const ownPublicKey = publicKeyOf(config.privateKey);
  if (key !== null) {
    rejectWrongKeys(ownPublicKey, own, peerKeys);
    rejectSharedKeys(peers, peerKeys);
  }
  return config;
}

/** The key as wg shows it. */
function normalised(key: string): string {
  return clamped(Buffer.from(key, "base64")).toString("base64");
}

function requirePeerKey(peer: string, peerKeys: Readonly<Record<string, string>>): string {
  const key = peerKeys[peer];
  if (key !== undefined) return key;
  throw new UserError(
    `wireguard_peer_keys: must have the public key of each peer by its address on the underlay (found none for ${peer}). Add ` +
      "what `wg pubkey` prints for its private key.",
  );
}

function rejectWrongKeys(ownPublicKey: string, own: string, peerKeys: Readonly<Record<string, string>>): void {
  for (const [host, key] of Object.entries(peerKeys)) {
    if ((host === own) === (key === ownPublicKey)) continue;
    throw new UserError(
      host === own
        ? `wireguard_peer_keys: this host's key must belong to its I(wireguard_key) (found ${key} for ${own}, but I(wireguard_key) has ` +
            `the public key ${ownPublicKey}). Correct one of them.`
        : `wireguard_peer_keys: must have each host's own key (found this host's for ${host}). Give each host its own key.`,
    );
  }
}

function rejectSharedKeys(peers: readonly string[], peerKeys: Readonly<Record<string, string>>): void {
  for (const [index, peer] of peers.entries()) {
    const other = peers.slice(0, index).find((each) => peerKeys[each] === peerKeys[peer]);
    if (other === undefined) continue;
    throw new UserError(
      `wireguard_peer_keys: must have each host's own key (found ${peerKeys[peer]} for ${other} and ${peer}). Give each host ` +
        "its own key.",
    );
  }
}
