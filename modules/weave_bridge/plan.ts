import type { Change } from "../core/change";
import type { Module, Plan } from "../core/module";
import { shortenLists } from "../core/shorten_lists";
import { type DesiredBridge, resolveDesired } from "./desired";
import { warnOfIsolation } from "./firewall/docker";
import { VXLAN_SUFFIX, WIREGUARD_SUFFIX } from "./names";
import { observe } from "./observe";
import type { ObservedBridge } from "./observed";
import { type BridgeOptions, options } from "./options";
import { networkdPath } from "./own_files";
import { planAbsent } from "./plan_absent";
import { planBoot } from "./plan_boot";
import { planLive } from "./plan_live";
import { planWireguardAbsent, planWireguardFile, planWireguardGoMove } from "./wireguard/plan";

/** Plans the changes that make the bridge, its boot files and its datapath as desired, without interrupting containers. */
export function plan(options: BridgeOptions, observed: ObservedBridge): Plan {
  if (options.state === "absent") return planAbsent(options, observed);
  const desired = resolveDesired(options, observed);
  const { name, wireguard, firewallPlan } = desired;
  const warnings = [...firewallPlan.warnings, ...warnOfIsolation(options, observed)];
  const wireguardRemoval = planWireguardAbsent(name, observed);
  const removalWithWarning = wireguard
    ? []
    : withWarning([...wireguardRemoval.device, ...wireguardRemoval.file], options);
  const wireguardGoMove = planWireguardGoMove(name, observed);
  // Before units are stopped, which could end wireguard-go.
  const beforeBoot = wireguardGoMove.length === 0 ? [] : wireguard ? wireguardGoMove : removalWithWarning;
  const observedAfterRemoval = beforeBoot.length > 0 ? withoutWireguard(observed) : observed;
  const boot = planBoot(name, desired, observed);
  const live = planLive(desired, observedAfterRemoval);
  return {
    changes: [
      // First: the boot commands below add only the rules that are still missing.
      ...firewallPlan.changes,
      ...(wireguard ? planWireguardFile(wireguard, observed) : []),
      ...beforeBoot,
      ...(isBootFirst(desired, observed) ? [...boot, ...live] : [...live, ...boot]),
      ...(beforeBoot.length > 0 ? [] : removalWithWarning),
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
    ...(warnings.length > 0 && { warnings }),
  };
}

/** Warns, as a password that is missing by mistake looks the same as one removed on purpose. */
function withWarning(
  removal: readonly Change[],
  { name, datapath, router_encrypts }: BridgeOptions,
): readonly Change[] {
  if (datapath === "router" && router_encrypts) return removal;
  const warning =
    "password: must be set, or the traffic between hosts is no longer encrypted (found none, and " +
    `${name}${WIREGUARD_SUFFIX} on this host). Set it again unless you want to turn encryption off.`;
  return removal.map((change, index) => (index === 0 ? { ...change, warning } : change));
}

/** The observation without the WireGuard device. The kernel deletes a VXLAN together with the device that it is bound to. */
function withoutWireguard(observed: ObservedBridge): ObservedBridge {
  const { vxlan } = observed;
  return { ...observed, wireguard: null, vxlan: vxlan?.parameters?.device === undefined ? vxlan : null };
}

/**
 * ifupdown and the systemd unit create the bridge from their files; systemd-networkd and the unit adopt one that exists. But
 * systemd-networkd must release its VXLAN before the device is recreated over WireGuard.
 */
function isBootFirst({ name, provider, wireguard }: DesiredBridge, { bridge, files }: ObservedBridge): boolean {
  const hasVxlan = files.get(networkdPath(name + VXLAN_SUFFIX, "netdev")) != null;
  return (
    provider === "ifupdown" ||
    (provider === "systemd" && bridge === null) ||
    (provider === "networkd" && wireguard !== null && bridge !== null && hasVxlan)
  );
}

/** Configures the Linux bridge that a host's containers are attached to. */
export const weaveBridge: Module<typeof options, ObservedBridge> = {
  name: "weave_bridge",
  options,
  observe,
  plan,
  shorten: shortenLists,
};
