import type { Change } from "../core/change";
import type { Module, Plan } from "../core/module";
import { type DesiredBridge, resolveDesired } from "./desired";
import { observe } from "./observe";
import type { ObservedBridge } from "./observed";
import { type BridgeOptions, options, WIREGUARD_SUFFIX } from "./options";
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
      ...(wireguard ? [] : withWarning([...unencrypted.device, ...unencrypted.file], options)),
    ],
    returns: {
      name: desired.name,
      address: desired.address,
      network: desired.network,
      docker_subnet: desired.dockerSubnet,
      datapath: desired.vxlan ? "vxlan" : "router",
      wireguard: wireguard !== null,
      mtu: desired.mtu,
      mac: desired.mac,
      provider: desired.provider,
    },
  };
}

/** Nothing else would tell an operator who has lost the password from the inventory. */
function withWarning(removal: readonly Change[], { name, datapath, encrypted }: BridgeOptions): readonly Change[] {
  if (datapath === "router" && encrypted) return removal;
  const warning =
    `password: must be set for WireGuard to go on encrypting the traffic between hosts (found none, and ${name}${WIREGUARD_SUFFIX} ` +
    "on this host): it goes in clear from now on. Set it again unless that is meant.";
  return removal.map((change, index) => (index === 0 ? { ...change, warning } : change));
}

/** ifupdown and systemd create the bridge from their files; systemd-networkd, and systemd's unit, adopt one that exists. */
function isCreatedFromFiles({ provider }: DesiredBridge, { bridge }: ObservedBridge): boolean {
  return provider === "ifupdown" || (provider === "systemd" && bridge === null);
}

/** Configures the Linux bridge that a host's containers are attached to. */
export const weaveBridge: Module<typeof options, ObservedBridge> = { name: "weave_bridge", options, observe, plan };
