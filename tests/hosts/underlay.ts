import { existsSync, readdirSync, readlinkSync, statSync } from "node:fs";
import { isMountPoint } from "./mounts";
import { hostId, underlayName } from "./paths";
import { allProcesses } from "./processes";
import { run } from "./run";

const NAMESPACES = "/run/netns";

/** The address of the machine's end of every underlay, which only the underlay's own namespace has. */
export const UNDERLAY_ADDRESS = "192.168.50.1";

/** The address of host number N on its underlay. */
export function hostAddress(number: number): string {
  return `192.168.50.${10 + number}`;
}

/**
 * Makes the underlay of a cluster: a bridge in its own network namespace, so that clusters with the same addresses
 * live side by side and nothing can reach the machine's network, or be reached from it.
 */
export async function makeUnderlay(cluster: string): Promise<void> {
  const name = underlayName(cluster);
  await run(["ip", "netns", "add", name]);
  await inNamespace(name, [
    "sysctl",
    // A kernel without br_netfilter lacks the last one.
    "-eqw",
    // A new namespace may take this over from the machine, and the hosts' gateway must lead nowhere.
    "net.ipv4.ip_forward=0",
    "net.ipv6.conf.all.disable_ipv6=1",
    // The underlay is a wire: no host's frames pass through the machine's iptables.
    "net.bridge.bridge-nf-call-iptables=0",
  ]);
  await run(["ip", "-n", name, "link", "set", "lo", "up"]);
  await run(["ip", "-n", name, "link", "add", "br0", "type", "bridge", "mcast_snooping", "0"]);
  await run(["ip", "-n", name, "addr", "add", `${UNDERLAY_ADDRESS}/24`, "dev", "br0"]);
  await run(["ip", "-n", name, "link", "set", "br0", "up"]);
}

/** The Ethernet address of host number N on its underlay. */
export function hostMac(number: number): string {
  return `52:54:00:32:00:${number.toString(16).padStart(2, "0")}`;
}

/**
 * Makes a network namespace for a host and plugs its eth0 in, down: the host itself brings it up. The Ethernet address
 * stays the same over reboots, as that of a network card does.
 */
export async function plugHost(cluster: string, host: string, number: number): Promise<void> {
  const [underlay, name] = [underlayName(cluster), hostId(cluster, host)];
  await run(["ip", "netns", "add", name]);
  const peer = ["peer", "name", "eth0", "address", hostMac(number), "netns", name];
  await run(["ip", "-n", underlay, "link", "add", host, "type", "veth", ...peer]);
  await run(["ip", "-n", underlay, "link", "set", host, "master", "br0", "up"]);
}

/** Makes the port of a virtual machine on the underlay, for a program in the underlay's namespace to plug in. */
export async function addTap(cluster: string, host: string): Promise<void> {
  const underlay = underlayName(cluster);
  await run(["ip", "-n", underlay, "tuntap", "add", "dev", host, "mode", "tap"]);
  await run(["ip", "-n", underlay, "link", "set", host, "master", "br0", "up"]);
}

/** Takes away a host's network namespace and its port on the underlay; nothing happens when there is none. */
export async function unplugHost(cluster: string, host: string): Promise<void> {
  // The kernel takes a dead namespace's interfaces away some time later; the next boot needs the port's name now.
  await run(["ip", "-n", underlayName(cluster), "link", "del", host], { check: false });
  await removeNamespace(hostId(cluster, host));
}

/** Removes a named network namespace; nothing happens when there is none. */
export async function removeNamespace(name: string): Promise<void> {
  if (existsSync(`${NAMESPACES}/${name}`)) await run(["ip", "netns", "del", name]);
}

/** The names of all named network namespaces of the machine. */
export function allNamespaces(): string[] {
  return existsSync(NAMESPACES) ? readdirSync(NAMESPACES) : [];
}

/** Undoes what the very first `ip netns add` did: it mounts the directory of the names onto itself. */
export async function unmountNamespaces(): Promise<void> {
  // Unmounting fails, and is right to, when someone else has made a namespace meanwhile.
  if (allNamespaces().length === 0 && isMountPoint(NAMESPACES)) await run(["umount", NAMESPACES], { check: false });
}

/** The processes in a named network namespace. */
export function namespaceProcesses(name: string): number[] {
  const namespace = statSync(`${NAMESPACES}/${name}`, { throwIfNoEntry: false });
  if (!namespace) return [];
  return allProcesses().filter((pid) => networkNamespaceOf(pid) === `net:[${namespace.ino}]`);
}

function networkNamespaceOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return null;
  }
}

/** The command that runs a program in the namespace of a cluster's underlay. */
export function inUnderlay(cluster: string, argv: readonly string[]): string[] {
  return ["nsenter", `--net=${NAMESPACES}/${underlayName(cluster)}`, "--", ...argv];
}

function inNamespace(name: string, argv: string[]) {
  return run(["ip", "netns", "exec", name, ...argv]);
}
