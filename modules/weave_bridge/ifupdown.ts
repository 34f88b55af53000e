import { type Change, fileChanges, run } from "../core/change";
import { Refusal } from "../core/refusal";
import { readsFile, renderManualInterface, type Step, withSource } from "../formats/interfaces";
import * as ip from "./ip_commands";
import type { ObservedBridge } from "./observe";
import type { WantedBridge } from "./wanted";

/** What Debian's networking.service reads at boot. */
export const INTERFACES = "/etc/network/interfaces";

/** The line that Apollo's role added. */
const SOURCE_PATTERN = "/etc/network/interfaces.d/*.cfg";

/** The bridge's own file, where Apollo's role had it. */
export function stanzaPath(name: string): string {
  return `/etc/network/interfaces.d/${name}.cfg`;
}

/** What is to change in ifupdown's files so that the next boot makes the bridge as it is wanted. */
export function bootChanges(wanted: WantedBridge, { interfaces, stanza }: ObservedBridge): Change[] {
  if (interfaces === null) {
    throw new Refusal(
      `there is no ${INTERFACES}: ifupdown does not manage this host's network; install it (apt install ifupdown)`,
    );
  }
  const path = stanzaPath(wanted.name);
  const content = readsFile(interfaces.content, path)
    ? interfaces.content
    : withSource(interfaces.content, SOURCE_PATTERN);
  return [
    ...fileChanges(stanza, { path, content: renderStanza(wanted), mode: 0o644 }),
    ...fileChanges(interfaces, { path: INTERFACES, content }),
  ];
}

/**
 * Brings a bridge up that is not there yet, by the very lines that will do so at boot. By force, as ifupdown may still
 * hold a bridge for up that was deleted by hand.
 */
export function bringUp(name: string) {
  return run(["ifup", "--force", name], 60);
}

function renderStanza(wanted: WantedBridge): string {
  const { name, address, mtu, vxlan } = wanted;
  const steps: Step[] = [
    step("pre-up", `ip link show dev ${name} >/dev/null 2>&1 ||`, ip.addBridge(wanted)),
    step("pre-up", "", ip.setMac(wanted)),
    step("pre-up", "", ip.setMtu(name, mtu)),
  ];
  if (vxlan) {
    // One that is left over may have been made with other parameters; containers are on the bridge, not on it.
    steps.push({ phase: "pre-up", command: `${ip.deleteLink(vxlan.name).join(" ")} 2>/dev/null || true` });
    steps.push(...ip.makeVxlan(name, mtu, vxlan).map((command) => step("pre-up", "", command)));
  }
  steps.push(step("post-up", "", ip.setUp(name)), step("post-up", "", ip.replaceAddress(name, address)));
  if (vxlan) steps.push(step("pre-down", "", ip.deleteLink(vxlan.name)));
  steps.push(step("post-down", "", ip.deleteLink(name)));
  return renderManualInterface({
    comment: "Written by Ansible's weave_bridge, which replaces what is changed here by hand.",
    name,
    steps,
  });
}

function step(phase: Step["phase"], before: string, argv: readonly string[]): Step {
  return { phase, command: `${before} ${argv.join(" ")}`.trim() };
}
