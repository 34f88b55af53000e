import { type Change, run } from "../core/change";
import { UserError } from "../core/errors";
import type { Plan } from "../core/module";
import { bootChanges } from "./boot";
import { isContainerPort } from "./container_ports";
import { deleteRule } from "./firewall";
import { forget } from "./ifupdown";
import { deleteLink } from "./ip_commands";
import { ROUTER_PORT, refuseOtherThanBridge } from "./live";
import type { ObservedBridge } from "./observe";
import { type BridgeOptions, VXLAN_SUFFIX } from "./options";

/**
 * Decides what removes a bridge and all that was made for it. Throws a UserError while containers are attached, unless
 * forced, and where the device of that name is no bridge.
 */
export function planAbsence({ name, force, docker_leaves }: BridgeOptions, observed: ObservedBridge): Plan {
  const { bridge, vxlan, passes, ifupdownHolds } = observed;
  if (bridge) refuseOtherThanBridge(name, bridge);
  const attached = (bridge?.ports ?? []).filter(
    (port) => port !== name + VXLAN_SUFFIX && port !== ROUTER_PORT && !(docker_leaves && isContainerPort(port)),
  );
  if (attached.length > 0 && !force) {
    throw new UserError(
      `state: the bridge ${name} has ${attached.length} ports that this module did not make (${attached.join(", ")}): ` +
        "containers, most likely. Stop them first, or cut them off with force: true",
    );
  }
  const hasRouterPort = bridge?.ports.includes(ROUTER_PORT) ?? false;
  const gone = (subject: string, before: string, argv: string[]): Change => ({
    subject,
    before: `${before}\n`,
    after: "absent\n",
    actions: [run(argv)],
  });
  const disruption =
    attached.length > 0 ? { disruption: `the network of what is attached: ${attached.join(", ")}` } : {};
  const addresses = observed.links.find(({ device }) => device === name)?.addresses ?? [];
  return {
    changes: [
      ...(vxlan ? [gone(`bridge ${name}: datapath`, "vxlan", deleteLink(name + VXLAN_SUFFIX))] : []),
      // The router leaves its pair of devices, of which each goes with the other.
      ...(hasRouterPort
        ? [gone(`bridge ${name}: port of the Weave router`, ROUTER_PORT, deleteLink(ROUTER_PORT))]
        : []),
      ...(bridge
        ? [{ ...gone(`bridge ${name}`, ["present", ...addresses].join("\n"), deleteLink(name)), ...disruption }]
        : []),
      ...(passes ? [gone(`bridge ${name}: rule of iptables`, "present", deleteRule(name))] : []),
      ...(ifupdownHolds
        ? [{ subject: `ifupdown: ${name}`, before: "up\n", after: "absent\n", actions: [forget(name)] }]
        : []),
      ...bootChanges(name, null, observed),
    ],
    facts: { name },
  };
}
