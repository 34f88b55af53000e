import type { Module, Plan } from "../core/module";
import { type DesiredBridge, resolveDesired } from "./desired";
import { observe } from "./observe";
import type { ObservedBridge } from "./observed";
import { type BridgeOptions, options } from "./options";
import { planAbsent } from "./plan_absent";
import { planBoot } from "./plan_boot";
import { planLive } from "./plan_live";
import { planWireguardAbsent, planWireguardFile } from "./wireguard/plan";

/** Plans the changes that make the bridge, its boot files and its datapath as desired, without interrupting containers. */
export function plan(options: BridgeOptions, observed: ObservedBridge): Plan {
  if (options.state === "absent") return planAbsent(options, observed);
  const desired = resolveDesired(options, observed);
  const boot = planBoot(desired.name, desired, observed);
  const live = planLive(desired, observed);
  const { wireguard } = desired;
  const unencrypted = planWireguardAbsent(desired.name, observed);
  return {
    changes: [
      ...(wireguard ? planWireguardFile(wireguard, observed) : []),
      ...(isCreatedFromFiles(desired, observed) ? [...boot, ...live] : [...live, ...boot]),
      ...(wireguard ? [] : [...unencrypted.device, ...unencrypted.file]),
    ],
    returns: {
      name: desired.name,
      address: desired.address,
      network: desired.network,
      docker_subnet: desired.dockerSubnet,
      datapath: desired.vxlan ? "vxlan" : "router",
      encrypted: wireguard !== null,
      mtu: desired.mtu,
      mac: desired.mac,
      provider: desired.provider,
    },
  };
}

/** ifupdown and systemd create the bridge from their files; systemd-networkd, and systemd's unit, adopt one that exists. */
function isCreatedFromFiles({ provider }: DesiredBridge, { bridge }: ObservedBridge): boolean {
  return provider === "ifupdown" || (provider === "systemd" && bridge === null);
}

/** Configures the Linux bridge that a host's containers are attached to. */
export const weaveBridge: Module<typeof options, ObservedBridge> = { name: "weave_bridge", options, observe, plan };
