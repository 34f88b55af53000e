import { rememberSecret } from "../../core/secrets";
import { inNumericOrder } from "../../net/ipv4";

/** Loaded only with encryption: that takes 4 ms of a run. */
const crypto = (): typeof import("node:crypto") => require("node:crypto");

/** What the hosts of one cluster have in common, so that another cluster with the same password has other keys. */
export interface Cluster {
  /** The container network, such as 10.2.0.0/16. */
  readonly network: string;
  readonly vxlanId: number;
}

/** RFC 7914: 16 MiB of memory and about 30 ms of a processor. The same on all hosts, so never to be changed. */
const COST = { N: 2 ** 14, r: 8, p: 1 };
const LENGTH = 32;

/** To be changed if keys are ever derived from the password in another way. */
const VERSION = "apollo-weave wireguard 1";

// A run plans twice, and scrypt is slow by design.
let last: { readonly salt: string; readonly password: string; readonly root: Buffer } | null = null;

/** The cluster's root key. Each host computes it from the password, so that no host has to ask another. */
export function rootKey(password: string, { network, vxlanId }: Cluster): Buffer {
  const salt = `${VERSION} ${network} ${vxlanId}`;
  if (last === null || last.password !== password || last.salt !== salt) {
    last = { salt, password, root: crypto().scryptSync(Buffer.from(password, "utf8"), salt, LENGTH, COST) };
  }
  return last.root;
}

/** The private key of the host with this identity, in base64: its underlay address as its peers know it. */
export function privateKeyOf(root: Buffer, identity: string): string {
  return remembered(clamped(derived(root, `host ${identity}`)));
}

/** The preshared key of two hosts, in base64: the same from either side. */
export function presharedKeyOf(root: Buffer, one: string, other: string): string {
  return remembered(derived(root, `pair ${inNumericOrder([one, other]).join(" ")}`));
}

/** The public key to a private one, both in base64 (X25519, RFC 7748). */
export function publicKeyOf(privateKey: string): string {
  const der = Buffer.concat([PKCS8_X25519, Buffer.from(privateKey, "base64")]);
  const { createPrivateKey, createPublicKey } = crypto();
  const key = createPublicKey(createPrivateKey({ key: der, format: "der", type: "pkcs8" }));
  return key.export({ format: "der", type: "spki" }).subarray(-LENGTH).toString("base64");
}

/** What stands before the 32 bytes of a private key in PKCS #8 (RFC 8410). */
const PKCS8_X25519 = Buffer.from("302e020100300506032b656e04220420", "hex");

/**
 * The IPv6 address of the host with this identity on its WireGuard device. It is link-local: the kernel sends such a
 * packet only by that device, and accepts none from another one. No group of it begins with 0, so it has only one spelling.
 */
export function tunnelAddressOf({ network, vxlanId }: Cluster, identity: string): string {
  const hash = crypto().createHash("sha256").update(`${VERSION} ${network} ${vxlanId} ${identity}`).digest();
  const groups = [0, 2, 4, 6].map((offset) => (hash.readUInt16BE(offset) | 0x1000).toString(16));
  return `fe80::${groups.join(":")}`;
}

/** HKDF with SHA-256 (RFC 5869). The root key is random already, so no salt is needed. */
function derived(root: Buffer, info: string): Buffer {
  return Buffer.from(crypto().hkdfSync("sha256", root, Buffer.alloc(0), info, LENGTH));
}

/** The key as X25519 uses it and wg shows it (RFC 7748, section 5). */
export function clamped(key: Buffer): Buffer {
  const copy = Buffer.from(key);
  copy[0] = (copy[0] ?? 0) & 0xf8;
  copy[LENGTH - 1] = ((copy[LENGTH - 1] ?? 0) & 0x7f) | 0x40;
  return copy;
}

/** Remembers the key, so that no message shows it, such as one of wg about a file that it can't read. */
function remembered(key: Buffer): string {
  const text = key.toString("base64");
  rememberSecret(text);
  return text;
}
