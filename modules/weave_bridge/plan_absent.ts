import { type Change, runAction } from "../core/change";
import { UserError } from "../core/errors";
import type { Plan } from "../core/module";
import { deleteLink } from "./commands";
import { deleteRules, planFirewalldForwardRule } from "./firewall/forward_rule";
import { firewallsOf, planTraffic } from "./firewall/plan";
import { VXLAN_SUFFIX } from "./names";
import { isContainerPort, type ObservedBridge, ROUTER_DEVICE } from "./observed";
import type { BridgeOptions } from "./options";
import { planBoot } from "./plan_boot";
import { requireBridge } from "./validate";
import { planWireguardAbsent } from "./wireguard/plan";

/**
 * Plans the removal of a bridge and of everything that was created for it. Throws a UserError while containers are
 * attached, unless forced, and if the device with its name is not a bridge.
 */
export function planAbsent({ name, force, ignore_docker_ports }: BridgeOptions, observed: ObservedBridge): Plan {
  const { bridge, vxlan, abandonedPorts, forwardRuleCount, firewalldHasForwardRule, firewall } = observed;
  if (bridge) requireBridge(name, bridge);
  const ours = [name + VXLAN_SUFFIX, ROUTER_DEVICE, ...abandonedPorts];
  const attached = (bridge?.ports ?? []).filter(
    (port) => !ours.includes(port) && !(ignore_docker_ports && isContainerPort(port)),
  );
  if (attached.length > 0 && !force) {
    throw new UserError(
      `bridge ${name}: must have no containers when it is removed (found ${attached.length} ` +
        `${attached.length === 1 ? "port" : "ports"}: ${attached.join(", ")}). Stop the containers, or set I(force): true.`,
    );
  }
  const wireguard = planWireguardAbsent(name, observed);
  const hasRouterPort = bridge?.ports.includes(ROUTER_DEVICE) ?? false;
  const removal = (subject: string, before: string, ...commands: string[][]): Change => ({
    subject,
    before: `${before}\n`,
    after: "absent\n",
    actions: commands.map((argv) => runAction(argv)),
  });
  const disruption =
    attached.length > 0 ? { disruption: `the network of the attached ports: ${attached.join(", ")}` } : {};
  const addresses = observed.links.find(({ device }) => device === name)?.addresses ?? [];
  const firewalls = firewallsOf(name, firewall, []);
  return {
    changes: [
      ...planTraffic(firewalls, [], "manage").changes,
      ...planFirewalldForwardRule(name, firewalldHasForwardRule, "removed"),
      ...(vxlan
        ? [
            {
              ...removal(`bridge ${name}: datapath`, "vxlan", deleteLink(name + VXLAN_SUFFIX)),
              disruption: "traffic between this host and the others",
            },
          ]
        : []),
      // Before ifdown, which would delete it too.
      ...wireguard.device,
      // The router's port is one of a pair; deleting one deletes the other.
      ...(hasRouterPort
        ? [removal(`bridge ${name}: port of the Weave router`, ROUTER_DEVICE, deleteLink(ROUTER_DEVICE))]
        : []),
      ...(bridge
        ? [{ ...removal(`bridge ${name}`, ["present", ...addresses].join("\n"), deleteLink(name)), ...disruption }]
        : []),
      ...(forwardRuleCount
        ? [
            removal(
              `bridge ${name}: iptables rule`,
              forwardRuleCount === 1 ? "present" : `present ${forwardRuleCount} times`,
              ...deleteRules(name, forwardRuleCount),
            ),
          ]
        : []),
      ...planBoot(name, null, observed),
      ...wireguard.file,
    ],
    returns: { name },
  };
}
