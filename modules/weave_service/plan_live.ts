import { type Action, type Change, runAction } from "../core/change";
import type { HttpRequest } from "../core/host/host";
import { EXPOSE } from "./components";
import type { DesiredService } from "./desired";
import { sortedPeers } from "./environment";
import { FORWARD_RULE, ROUTERS_BRIDGE } from "./init/steps";
import { isWaitingToExpose, type ObservedService } from "./observed";
import type { ServiceOptions } from "./options";
import { type Control, connect, forget } from "./router_api";

/** The changes to a running router that need no restart. */
export function planLive(options: ServiceOptions, desired: DesiredService, observed: ObservedService): Change[] {
  return [
    ...(observed.router && observed.control
      ? peerChanges(options.peers, observed.router.targets, observed.control)
      : []),
    ...checksumOffload(observed),
    ...exposure(desired, observed),
  ];
}

/** Removes a restart policy, by which Docker would start a stopped container again with its old settings. */
export function planNoRestartPolicy({ component: { container } }: DesiredService, observed: ObservedService): Change[] {
  const policy = observed.container?.restartPolicy ?? "no";
  if (policy === "no") return [];
  const actions = [runAction(["docker", "update", "--restart=no", container])];
  return [{ subject: `container ${container}: restart policy`, before: `${policy}\n`, after: "no\n", actions }];
}

function peerChanges(desired: readonly string[], targets: readonly string[], control: Control): Change[] {
  const added = desired.filter((peer) => !targets.includes(peer));
  const removed = targets.filter((peer) => !desired.includes(peer));
  if (added.length + removed.length === 0) return [];
  const lines = (peers: readonly string[]): string => `${sortedPeers(peers).join("\n")}\n`;
  const send = (request: HttpRequest): Action => ({ do: "request", request });
  const actions = [
    ...(added.length > 0 ? [send(connect(control, added))] : []),
    ...(removed.length > 0 ? [send(forget(control, removed))] : []),
  ];
  return [{ subject: "router: peers", before: lines(targets), after: lines(desired), actions }];
}

function checksumOffload({ offloadingPorts }: ObservedService): Change[] {
  return (offloadingPorts ?? []).map((port) => ({
    subject: `${port}: TX checksum offload`,
    before: "on\n",
    after: "off\n",
    actions: [runAction(["ethtool", "-K", port, "tx", "off"])],
  }));
}

/** Starts the unit that waits for enough peers. A router that starts starts it too. */
function exposure({ exposeText, init }: DesiredService, observed: ObservedService): Change[] {
  if (exposeText === null || observed.exposed || isWaitingToExpose(observed)) return [];
  const commands = init.start(EXPOSE, observed.exposeUnit?.state ?? "stopped");
  const after = "yes, once enough peers are up\n";
  return [{ subject: "router: exposed", before: "no\n", after, actions: commands.map((argv) => runAction(argv)) }];
}

/** The rule that accepts the frames of the router's own bridge, as the unit inserts it at each start. */
export function planForwardRule(accept: boolean, { forwardRuleCount }: ObservedService): Change[] {
  if (forwardRuleCount === null || forwardRuleCount > 0 === accept) return [];
  const describe = (present: boolean): string => (present ? "accepted by iptables\n" : "subject to iptables\n");
  const commands = accept
    ? [FORWARD_RULE.insertRule(ROUTERS_BRIDGE)]
    : FORWARD_RULE.deleteRules(ROUTERS_BRIDGE, forwardRuleCount);
  const subject = `bridge ${ROUTERS_BRIDGE}: frames between its ports`;
  return [
    {
      subject,
      before: describe(forwardRuleCount > 0),
      after: describe(accept),
      actions: commands.map((argv) => runAction(argv)),
    },
  ];
}
