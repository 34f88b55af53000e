import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ObservedBridge } from "../../../modules/weave_bridge/observe";
import { type BridgeOptions, options } from "../../../modules/weave_bridge/options";
import { optionsOf } from "../support/options";

/** Host 1 of a cluster of three on 192.168.50.0/24, as a Debian machine is before any of this. */
export const FRESH: ObservedBridge = {
  machineId: "0123456789abcdef0123456789abcdef",
  interfaces: { content: "source /etc/network/interfaces.d/*\n\nauto lo\niface lo inet loopback\n", mode: 0o644 },
  stanza: null,
  addresses: [
    { device: "lo", cidr: "127.0.0.1/8" },
    { device: "eth0", cidr: "192.168.50.11/24" },
  ],
  mtus: new Map([
    ["lo", 65536],
    ["eth0", 1500],
  ]),
  defaultDevice: "eth0",
  bridge: null,
  vxlan: null,
};

/** What the machine-id above makes of the bridge weave. */
export const MAC = "7e:ad:e6:02:7f:1e";

export const STANZA = "/etc/network/interfaces.d/weave.cfg";

export const golden = (name: string): string => join(__dirname, "golden", name);

export const router = (more: Record<string, unknown> = {}): BridgeOptions =>
  optionsOf(options, { host_index: 1, ...more });

export const vxlan = (more: Record<string, unknown> = {}): BridgeOptions =>
  router({ datapath: "vxlan", peers: ["192.168.50.13", "192.168.50.11", "192.168.50.12"], ...more });

/** The same host with the bridge as `router()` wants it. */
export function steadyRouter(): ObservedBridge {
  return {
    ...FRESH,
    stanza: { content: readFileSync(golden("router.cfg"), "latin1"), mode: 0o644 },
    addresses: [...FRESH.addresses, { device: "weave", cidr: "10.2.0.1/16" }],
    mtus: new Map([...FRESH.mtus, ["weave", 1500]]),
    bridge: { mac: MAC, mtu: 1500, up: true, master: null, isBridge: true },
  };
}

/** The same host with the bridge as `vxlan()` wants it. */
export function steadyVxlan(): ObservedBridge & {
  bridge: NonNullable<ObservedBridge["bridge"]>;
  vxlan: NonNullable<ObservedBridge["vxlan"]>;
} {
  return {
    ...steadyRouter(),
    stanza: { content: readFileSync(golden("vxlan.cfg"), "latin1"), mode: 0o644 },
    mtus: new Map([...FRESH.mtus, ["weave", 1450], ["weave-vx", 1450]]),
    bridge: { mac: MAC, mtu: 1450, up: true, master: null, isBridge: true },
    vxlan: {
      mac: "9a:d1:47:9d:4f:10",
      mtu: 1450,
      up: true,
      master: "weave",
      parameters: { id: 6783, port: 4789, local: "192.168.50.11", underlay: "eth0" },
      peers: ["192.168.50.12", "192.168.50.13"],
    },
  };
}
