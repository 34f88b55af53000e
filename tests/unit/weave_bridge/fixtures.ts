import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { IpLink } from "../../../modules/formats/iproute";
import type { Route, Rule } from "../../../modules/formats/routes";
import type { ObservedBridge } from "../../../modules/weave_bridge/observed";
import { type BridgeOptions, options } from "../../../modules/weave_bridge/options";
import { ownPaths } from "../../../modules/weave_bridge/own_files";
import { optionsOf } from "../support/options";

/** A device that is up and nothing special. */
export const ipLink = (device: string, addresses: readonly string[] = [], more: Partial<IpLink> = {}): IpLink => ({
  ...{ device, addresses, aliases: [], parent: null, master: null, up: true, mac: "", vxlan: null },
  ...more,
});

/** A VXLAN device with these parameters. */
export const vxlanLink = (device: string, parameters: Partial<IpLink["vxlan"]>, more: Partial<IpLink> = {}): IpLink =>
  ipLink(device, [], {
    vxlan: { id: 6783, port: 4789, local: "192.168.50.11", flags: [], ipv6: false, ...parameters },
    ...more,
  });

export const route = (network: string, device: string | null, more: Partial<Route> = {}): Route => ({
  ...{ type: "unicast", network, device, table: "main", via: null, source: null, metric: 0 },
  ...more,
});

/** A rule that looks a table up for all packets. */
export const rule = (priority: number, table: string, more: Partial<Rule> = {}): Rule => ({
  ...{ priority, inverted: false, from: null, to: null, incoming: null, outgoing: null, mark: null },
  ...{ hasProtocolMatch: false, hasOtherMatch: false, action: { lookup: table, suppressed: -1 } },
  ...more,
});

/** The kernel's own rules. */
export const RULES: readonly Rule[] = [rule(0, "local"), rule(32766, "main"), rule(32767, "default")];

/** Host 1 of a cluster of three on 192.168.50.0/24, a Debian machine before the first run. */
export const FRESH: ObservedBridge = {
  machineId: "0123456789abcdef0123456789abcdef",
  hostName: "host1",
  interfaces: { content: "source /etc/network/interfaces.d/*\n\nauto lo\niface lo inet loopback\n", mode: 0o644 },
  danglingInterfaces: null,
  managers: {
    ...{ systemd: false, ownUnitState: "inactive", tunnelUnitState: "inactive", wireguardGoState: "inactive" },
    ...{ ifupdown: true, otherIfupdown: null, whyIfupdownIsOff: null },
    ...{ networkd: "off", networkdAtBoot: false, networkManager: false, networkManagerAtBoot: false, firewalld: false },
    oldNetworkd: false,
  },
  interfacesDirectory: [],
  upInIfupdown: false,
  unitStartedBy: [],
  files: new Map(ownPaths("weave").map((path) => [path, null])),
  pendingReloads: [],
  links: [ipLink("lo", ["127.0.0.1/8"]), ipLink("eth0", ["192.168.50.11/24"])],
  resolvedNames: new Map(),
  routes: [
    route("0.0.0.0/0", "eth0", { via: "192.168.50.1" }),
    route("192.168.50.0/24", "eth0", { source: "192.168.50.11" }),
  ],
  rules: RULES,
  otherSettings: [],
  missingKinds: [],
  portHolder: null,
  mtus: new Map([
    ["lo", 65536],
    ["eth0", 1500],
  ]),
  bridge: null,
  vxlan: null,
  abandonedPorts: [],
  wireguard: null,
  wireguardNeeds: null,
  detachedPorts: [],
  forwardRuleCount: 0,
  firewalldHasForwardRule: null,
  nftablesBackend: null,
  isolation: null,
  firewall: null,
  macAtAddress: null,
  dockerNetworks: [],
};

/** A host that resolves names to these addresses; a text is one address. */
export function resolving(names: Readonly<Record<string, string | readonly string[]>>, host = FRESH): ObservedBridge {
  return { ...host, resolvedNames: new Map(Object.entries(names).map(([name, found]) => [name, [found].flat()])) };
}

/** A host with other content in ifupdown's file for the bridge. */
export function withStanza<Observed extends ObservedBridge>(host: Observed, content: string, mode = 0o644): Observed {
  return { ...host, files: new Map([...host.files, [STANZA, { content, mode }]]) };
}

/** A host with other addresses on the bridge. */
export function withAddresses<Observed extends ObservedBridge>(host: Observed, ...addresses: string[]): Observed {
  const others = host.links.filter(({ device }) => device !== "weave");
  return { ...host, links: [...others, ipLink("weave", addresses)] };
}

/** Derived from the machine-id above and the name weave. */
export const MAC = "4a:e6:e3:f3:cd:69";

export const STANZA = "/etc/network/interfaces.d/weave.cfg";

export const golden = (name: string): string => join(__dirname, "golden", name);

export const router = (more: Record<string, unknown> = {}): BridgeOptions =>
  optionsOf(options, { host_index: 1, ...more });

export const vxlan = (more: Record<string, unknown> = {}): BridgeOptions =>
  router({ datapath: "vxlan", peers: ["192.168.50.13", "192.168.50.11", "192.168.50.12"], ...more });

/** The same host with the bridge that `router()` asks for. */
export function steadyRouter(): ObservedBridge {
  return {
    ...withStanza(withAddresses(FRESH, "10.2.0.1/16"), readFileSync(golden("router.cfg"), "latin1")),
    mtus: new Map([...FRESH.mtus, ["weave", 1438]]),
    bridge: { mac: MAC, mtu: 1438, up: true, master: null, isBridge: true, ports: [], settings: [] },
    forwardRuleCount: 1,
  };
}

/** The same host with the bridge that `vxlan()` asks for. */
export function steadyVxlan(): ObservedBridge & {
  bridge: NonNullable<ObservedBridge["bridge"]>;
  vxlan: NonNullable<ObservedBridge["vxlan"]>;
} {
  return {
    ...withStanza(steadyRouter(), readFileSync(golden("vxlan.cfg"), "latin1")),
    mtus: new Map([...FRESH.mtus, ["weave", 1450], ["weave-vx", 1450]]),
    bridge: { mac: MAC, mtu: 1450, up: true, master: null, isBridge: true, ports: ["weave-vx"], settings: [] },
    vxlan: {
      mac: "9a:d1:47:9d:4f:10",
      mtu: 1450,
      up: true,
      master: "weave",
      parameters: { id: 6783, port: 4789, local: "192.168.50.11", flags: [], ipv6: false },
      peers: ["192.168.50.12", "192.168.50.13"],
    },
  };
}
