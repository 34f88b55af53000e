/** What is on the bridge before the router: its own addresses, and containers that Docker has put there. */
import * as fs from "node:fs";
import { has, run } from "./bridge";
import { inspect, runningContainers } from "./docker";
import { addresses } from "./firewall";
import type { RouterSettings } from "./settings";
import { isRecord } from "./text";

/** The bridge's addresses, as IPAM's claims of `weave:expose` (prog/weaver/reclaim.go). */
export function bridgeAddresses(bridge: string): { ident: string; cidr: string }[] {
  return has(bridge) ? addresses(bridge).map((cidr) => ({ ident: "weave:expose", cidr })) : [];
}

/**
 * Running containers with an interface on the bridge and a host name with a domain, which DNS registers when it starts,
 * and at no other time: populateDNS in prog/weaver/reclaim.go.
 */
export async function containersOnBridge(
  settings: RouterSettings,
): Promise<{ id: string; fqdn: string; address: string }[]> {
  const { bridge, dockerSocket } = settings;
  if (bridge === undefined || dockerSocket === undefined || !fs.existsSync(dockerSocket)) return [];
  const ports = fs.readdirSync(`/sys/class/net/${bridge}/brif`);
  const peers = new Set(ports.map((port) => fs.readFileSync(`/sys/class/net/${port}/iflink`, "utf8").trim()));
  const found = [];
  for (const id of await runningContainers(dockerSocket)) {
    const container = await inspect(dockerSocket, id);
    const { Hostname = "", Domainname = "" } = container?.Config ?? {};
    if (!container || (Domainname === "" && !Hostname.includes("."))) continue;
    for (const address of addressesAt(container.State.Pid, peers)) {
      found.push({ id, fqdn: `${Hostname}.${Domainname}`.replace(/\.$/, ""), address });
    }
  }
  return found;
}

function addressesAt(pid: number, indexes: ReadonlySet<string>): string[] {
  const devices: unknown = JSON.parse(run("nsenter", "-t", String(pid), "-n", "ip", "-j", "-4", "addr") || "[]");
  return (Array.isArray(devices) ? devices : []).filter(isRecord).flatMap((device) => {
    const infos = Array.isArray(device["addr_info"]) ? device["addr_info"].filter(isRecord) : [];
    return indexes.has(String(device["ifindex"])) ? infos.map((info) => String(info["local"])) : [];
  });
}
