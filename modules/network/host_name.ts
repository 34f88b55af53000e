import { isIPv4 } from "node:net";
import { Refusal } from "../core/refusal";

const LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?";
const NAME = new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})*$`);

/** Whether the text is a host's name (RFC 1123), such as host2 or host2.example.com. Half an address (192.168.50) is none. */
export function isHostName(text: string): boolean {
  return NAME.test(text) && !/^[\d.]+$/.test(text);
}

/** Takes an IPv4 address or a host's name and returns it; throws a Refusal for anything else. */
export function addressOrHostName(text: string): string {
  if (!isIPv4(text) && !isHostName(text)) {
    throw new Refusal(`"${text}" is neither an IPv4 address nor a host name; write it as 192.168.50.12`);
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
