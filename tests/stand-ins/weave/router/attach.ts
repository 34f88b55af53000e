/** Connects a container to the bridge beside what Docker gave it, as AttachContainer in net/veth.go of v2.8.1. */
import * as fs from "node:fs";
import { run } from "./bridge";
import { iptablesOf } from "./firewall";

/** Namespaces of containers, by the id of their process. */
const open = new Map<number, number>();

/**
 * Gives the process `pid` of a container the interface ethwe with these addresses, whose other end, vethwepl<PID>, is a port
 * of the bridge. As was seen of 2.8, its network namespace stays open here, and so the port stays when the container has
 * ended, until this process does.
 */
export function attach(pid: number, bridge: string, cidrs: string[], backend: string): void {
  const inside = (program: string, ...args: string[]): string =>
    run("nsenter", "-t", String(pid), "-n", program, ...args);
  if (!open.has(pid)) open.set(pid, fs.openSync(`/proc/${pid}/ns/net`, "r"));
  const [port, end] = [`vethwepl${pid}`, `vethwepg${pid}`];
  if (!inside("ip", "-o", "link").includes(" ethwe@")) {
    connectToBridge(port, end, bridge);
    run("ip", "link", "set", end, "netns", String(pid));
    inside("ip", "link", "set", end, "name", "ethwe");
    inside(iptablesOf(backend), ..."-A INPUT -i ethwe -d 224.0.0.0/4 -j DROP".split(" "));
    run("ip", ..."link set dev".split(" "), port, ..."type bridge_slave hairpin on".split(" "));
  }
  for (const cidr of cidrs) {
    inside("ip", "addr", "replace", cidr, "dev", "ethwe");
    inside(iptablesOf(backend), ...`-I INPUT 1 -i ethwe -s ${cidr} -d 224.0.0.0/4 -j ACCEPT`.split(" "));
  }
  inside("ip", "link", "set", "ethwe", "up");
  inside("ip", "route", "replace", "224.0.0.0/4", "dev", "ethwe");
}

/** Makes a veth pair whose one end is a port of the bridge: CreateAndAttachVeth. */
export function connectToBridge(port: string, end: string, bridge: string): void {
  const mtu = fs.readFileSync(`/sys/class/net/${bridge}/mtu`, "utf8").trim();
  run("ip", ..."link add name".split(" "), port, "mtu", mtu, ..."type veth peer name".split(" "), end, "mtu", mtu);
  run("ip", "link", "set", port, "master", bridge);
  // Frames leave the bridge by packet capture, with whatever checksum they have.
  run("ethtool", "-K", end, "tx", "off");
  run("ip", "link", "set", port, "up");
}
