/** The bridge and the router's veth pair, and frames.py, which forwards frames that leave the bridge by it. */
import { execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Captured, Carried } from "./settings";
import { isRecord, log } from "./text";

/** Runs a program of the image. Returns what it printed; throws with what it printed about its failure. */
export function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, {
    env: { ...process.env, PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 10_000,
    encoding: "utf8",
  });
}

/** The name of the Open vSwitch datapath of a router that has its fast datapath. Here a bridge stands in for it. */
export const DATAPATH = "datapath";

/** The end of the router's veth pair where it captures frames that leave the bridge by the other end. */
export const CAPTURING = "vethwe-pcap";

export function has(device: string): boolean {
  return fs.existsSync(`/sys/class/net/${device}`);
}

/**
 * Creates the bridge and the veth pair vethwe-bridge and vethwe-pcap, as the 2.x router does without fast datapath. As
 * there, an existing bridge gets the peer's name as its MAC address, and the pair an MTU of 65535 unless another is given.
 * Throws the router's error if a plain bridge exists and fast datapath is not disabled.
 */
export function ensureBridge(bridge: string, mac: string, mtu: string, noFastdp: boolean): void {
  if (has(bridge)) {
    if (!noFastdp && !has(DATAPATH)) {
      throw new Error(
        'Existing bridge type "bridge" is different than requested "bridged_fastdp". ' +
          "Please do 'weave reset' and try again",
      );
    }
  } else {
    run("ip", "link", "add", "name", bridge, "type", "bridge");
    if (!noFastdp) run("ip", "link", "add", "name", DATAPATH, "type", "bridge");
  }
  run("ip", "link", "set", bridge, "address", mac, "up");
  if (!has("vethwe-bridge")) {
    const pair = `link add vethwe-bridge mtu ${mtu} type veth peer name ${CAPTURING} mtu ${mtu}`;
    run("ip", ...pair.split(" "));
  }
  run("ip", "link", "set", "vethwe-bridge", "master", bridge, "up");
  // Otherwise the host would answer ARP requests there, with another MAC address than the bridge's.
  run("ip", "link", "set", CAPTURING, "arp", "off", "up");
}

/** Starts frames.py, which ends with this process. Returns how to set the peers it sends frames to, and what it counts. */
export function startFrames(
  device: string,
  port: number,
): { carry: (peers: Carried[]) => void; captured: () => Captured } {
  const child = spawn("/usr/bin/python3", [path.join(__dirname, "frames.py"), device, String(port)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const seen: Captured = { received: 0, macs: new Map() };
  let text = "";
  child.on("error", (error) => log("INFO", `no frame is carried: ${error.message}`));
  child.on("exit", (code) => log("INFO", `no frame is carried any more: frames.py ended with ${code}`));
  child.stdin.on("error", () => undefined); // It has ended, as was logged.
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) {
      const said: unknown = JSON.parse(line);
      if (!isRecord(said)) continue;
      seen.received = Number(said["received"]);
      for (const [mac, from] of Object.entries(said["macs"] as Record<string, string>)) {
        seen.macs.set(mac, { from, lastSeen: new Date() });
      }
    }
  });
  const carry = (peers: Carried[]): void => {
    child.stdin.write(`${peers.map(({ address, mtu }) => `${address}=${mtu}`).join(" ")}\n`);
  };
  return { carry, captured: () => seen };
}
