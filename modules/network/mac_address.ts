import { Refusal } from "../core/refusal";
import { sha256 } from "../formats/sha256";

/** Takes a hardware address of one interface, such as 0e:5f:33:00:00:01, and returns it in lower case; throws a Refusal else. */
export function macAddress(text: string): string {
  const mac = text.toLowerCase();
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac)) {
    throw new Refusal(`"${text}" is not a hardware address; write it as 0e:5f:33:00:00:01`);
  }
  if (Number.parseInt(mac.slice(0, 2), 16) % 2 === 1) {
    throw new Refusal(`"${text}" is a group's hardware address; make its first octet even, such as 0e`);
  }
  if (mac === "00:00:00:00:00:00")
    throw new Refusal(`"${text}" is no interface's hardware address; write one such as 0e:5f:33:00:00:01`);
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
