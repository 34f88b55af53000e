import { type Action, type Change, run } from "../core/change";
import type { HttpRequest } from "../core/host/host";
import type { DesiredService } from "./desired";
import { inOrder } from "./environment";
import type { ObservedService } from "./observe";
import type { ServiceOptions } from "./options";
import { connect, forget } from "./router_api";

/** What a running router is told, and what is mended beside it. */
export function liveChanges(options: ServiceOptions, wanted: DesiredService, observed: ObservedService): Change[] {
  return [
    ...(observed.router ? peerChanges(options.peers, observed.router.targets) : []),
    ...checksums(observed),
    ...exposure(options, wanted, observed),
  ];
}

/** By its restart policy Docker would start a stopped container again at its own next start, with whatever it was launched with. */
export function noRestartPolicy({ component: { container } }: DesiredService, observed: ObservedService): Change[] {
  const policy = observed.container?.restartPolicy ?? "no";
  if (policy === "no") return [];
  const actions = [run(["docker", "update", "--restart=no", container])];
  return [{ subject: `container ${container}: restart policy`, before: `${policy}\n`, after: "no\n", actions }];
}

function peerChanges(wanted: readonly string[], targets: readonly string[]): Change[] {
  const added = wanted.filter((peer) => !targets.includes(peer));
  const removed = targets.filter((peer) => !wanted.includes(peer));
  if (added.length + removed.length === 0) return [];
  const lines = (peers: readonly string[]): string => `${inOrder(peers).join("\n")}\n`;
  const order = (request: HttpRequest): Action => ({ do: "request", request });
  const actions = [
    ...(added.length > 0 ? [order(connect(added))] : []),
    ...(removed.length > 0 ? [order(forget(removed))] : []),
  ];
  return [{ subject: "router: peers", before: lines(targets), after: lines(wanted), actions }];
}

function checksums({ unfinishedPorts }: ObservedService): Change[] {
  return (unfinishedPorts ?? []).map((port) => ({
    subject: `${port}: TX checksum offload`,
    before: "on\n",
    after: "off\n",
    actions: [run(["ethtool", "-K", port, "tx", "off"])],
  }));
}

function exposure({ expose }: ServiceOptions, { script }: DesiredService, { exposed }: ObservedService): Change[] {
  if (!expose || exposed) return [];
  return [{ subject: "router: exposed", before: "no\n", after: "yes\n", actions: [run([script, "expose"])] }];
}
