import type { Plan } from "../core/module";
import { planAbsence } from "./absence";
import { bootChanges } from "./boot";
import { resolveDesired } from "./desired";
import { liveChanges } from "./live";
import type { ObservedBridge } from "./observe";
import type { BridgeOptions } from "./options";

/** Decides what makes the bridge, its files and its datapath what is asked, with the least that does it. */
export function plan(options: BridgeOptions, observed: ObservedBridge): Plan {
  if (options.state === "absent") return planAbsence(options, observed);
  const wanted = resolveDesired(options, observed);
  const boot = bootChanges(wanted.name, wanted, observed);
  const live = liveChanges(wanted, observed);
  return {
    // ifupdown makes a bridge by its file; systemd-networkd takes over the one that it finds made.
    changes: wanted.provider === "ifupdown" ? [...boot, ...live] : [...live, ...boot],
    facts: {
      name: wanted.name,
      address: wanted.address,
      network: wanted.network,
      docker_subnet: wanted.dockerSubnet,
      datapath: wanted.vxlan ? "vxlan" : "router",
      mtu: wanted.mtu,
      mac: wanted.mac,
      provider: wanted.provider,
    },
  };
}
