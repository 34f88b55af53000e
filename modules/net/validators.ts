import { isIPv4 } from "node:net";
import { UserError } from "../core/errors";
import { sha256 } from "../formats/sha256";

const LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?";
const NAME = new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})*$`);

/** Whether the text is a host's name (RFC 1123), such as host2 or host2.example.com. Half an address (192.168.50) is none. */
export function isHostName(text: string): boolean {
  return NAME.test(text) && !/^[\d.]+$/.test(text);
}

/** Takes an IPv4 address or a host's name and returns it; throws a UserError for anything else. */
export function addressOrHostName(text: string): string {
  if (!isIPv4(text) && !isHostName(text)) {
    throw new UserError(`"${text}" is neither an IPv4 address nor a host name; write it as 192.168.50.12`);
  }
  return text;
}

/** Whether a name is the host's own, as the kernel has that: the same, or the same without the domain that only one has. */
export function isOwnName(name: string, hostName: string): boolean {
  const [one, other] = [name.toLowerCase(), hostName.toLowerCase()];
  return isHostName(name) && (one === other || firstLabel(one) === other || one === firstLabel(other));
}

/** Where the kernel has the host's name. */
export const HOST_NAME = "/proc/sys/kernel/hostname";

function firstLabel(name: string): string {
  return name.replace(/\..*/, "");
}

/** The longest name that the kernel takes: IFNAMSIZ less the NUL. */
export const LONGEST_INTERFACE_NAME = 15;

/**
 * Takes a network interface's name and returns it. Throws a UserError for one that the kernel, ifupdown's grammar or a
 * shell would read as something else.
 */
export function interfaceName(text: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(text) || text.length > LONGEST_INTERFACE_NAME) {
    throw new UserError(
      `"${text}" is not an interface's name; use up to ${LONGEST_INTERFACE_NAME} letters, digits, "-", "_" and "."`,
    );
  }
  return text;
}

/** Takes a hardware address of one interface, such as 0e:5f:33:00:00:01, and returns it in lower case; throws a UserError else. */
export function macAddress(text: string): string {
  const mac = text.toLowerCase();
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac)) {
    throw new UserError(`"${text}" is not a hardware address; write it as 0e:5f:33:00:00:01`);
  }
  if (Number.parseInt(mac.slice(0, 2), 16) % 2 === 1) {
    throw new UserError(`"${text}" is a group's hardware address; make its first octet even, such as 0e`);
  }
  if (mac === "00:00:00:00:00:00")
    throw new UserError(`"${text}" is no interface's hardware address; write one such as 0e:5f:33:00:00:01`);
  return mac;
}

/**
 * Takes anything that tells a host and interface from others; returns a hardware address that is always the same for it,
 * locally administered (bit 1 of the first octet set) and of one interface (bit 0 clear), as IEEE 802 has it.
 */
export function derivedMac(identity: string): string {
  const octets = sha256(Buffer.from(identity)).subarray(0, 6);
  octets[0] = ((octets[0] ?? 0) & 0xfc) | 0x02;
  return octets.toString("hex").replace(/..(?!$)/g, "$&:");
}
