import { isIPv4 } from "node:net";
import { UserError } from "../core/errors";
import type { Host } from "../core/host/host";

const LABEL = "[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?";
const NAME = new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})*$`);

/**
 * Whether the text is a host name, such as host2 or host2.example.com (RFC 1123), and not part of an address (192.168.50). A name
 * may have underscores inside, as /etc/hosts and many a DNS server have them.
 */
export function isHostName(text: string): boolean {
  return NAME.test(text) && !/^[\d.]+$/.test(text);
}

/** Returns an IPv4 address or a host name as it is. Throws a UserError for anything else. */
export function addressOrHostName(text: string): string {
  if (!isIPv4(text) && !isHostName(text)) {
    throw new UserError(`must be an IPv4 address or a host name (found "${text}"). Write it as 192.168.50.12.`);
  }
  return text;
}

/** The kernel's IFNAMSIZ without the NUL. */
export const LONGEST_INTERFACE_NAME = 15;

/**
 * Returns the name of a network interface as it is. Throws a UserError for a name that the kernel, ifupdown or a shell would
 * read as something else.
 */
export function interfaceName(text: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(text) || text.length > LONGEST_INTERFACE_NAME) {
    throw new UserError(
      `must be the name of an interface (found "${text}"). Use up to ${LONGEST_INTERFACE_NAME} letters, digits, "-", "_" and ".".`,
    );
  }
  if (RESERVED_NAMES.includes(text)) {
    throw new UserError(
      `must be a name that the kernel accepts for an interface (found "${text}", which means all of them in /proc/sys/net). Set another name.`,
    );
  }
  return text;
}

/** sysctl_dev_name_is_allowed() in include/linux/inetdevice.h. */
const RESERVED_NAMES = ["all", "default"];

/** Returns an interface's MAC address, such as 0e:5f:33:00:00:01, in lower case. Throws a UserError for anything else. */
export function macAddress(text: string): string {
  const mac = text.toLowerCase();
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac)) {
    throw new UserError(`must be a MAC address (found "${text}"). Write it as 0e:5f:33:00:00:01.`);
  }
  if (Number.parseInt(mac.slice(0, 2), 16) % 2 === 1) {
    throw new UserError(`must not be a multicast address (found "${text}"). Make its first octet even, such as 0e.`);
  }
  if (mac === "00:00:00:00:00:00") {
    throw new UserError(`must be the address of an interface (found "${text}"). Set one such as 0e:5f:33:00:00:01.`);
  }
  return mac;
}

/** Returns a password as it is. Throws a UserError, without the password, for one that is not one line of text. */
export function password(text: string): string {
  if (text !== "" && !/\p{Cc}/u.test(text)) return text;
  throw new UserError(
    "must be one line of text (found an empty text, or control characters; not shown). Set another password.",
  );
}

/**
 * A MAC address that is always the same for a text and differs between texts: locally administered (bit 1 of the first
 * octet is set) and unicast (bit 0 is clear).
 */
export function derivedMac(text: string): string {
  const hash = fnv1a64(Buffer.from(text));
  // 48 of the 64 bits, folded as FNV's authors do it.
  const mac = ((hash >> 48n) ^ hash) & 0xffff_ffff_ffffn;
  const digits = ((mac & ~0x0300_0000_0000n) | 0x0200_0000_0000n).toString(16).padStart(12, "0");
  return digits.replace(/..(?!$)/g, "$&:");
}

/**
 * The machine-id in /etc/machine-id; "" if there is none: no file, an empty one, one of a host that has not finished its first boot, or
 * zeros (machine-id(5), systemd 252).
 */
export function readMachineId(host: Host): string {
  const text = host.readText("/etc/machine-id") ?? "";
  return text === "uninitialized" || /^0+$/.test(text) ? "" : text;
}

/** The 64-bit hash FNV-1a of Fowler, Noll and Vo. It needs no cryptography: nobody gains by a collision. */
function fnv1a64(bytes: Uint8Array): bigint {
  let hash = 0xcbf2_9ce4_8422_2325n;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100_0000_01b3n);
  return hash;
}
