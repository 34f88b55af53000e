import { basename } from "node:path";
import { type DesiredFile, run } from "../core/change";
import { readsFile, renderManualInterface, type Step, withoutSource, withSource } from "../formats/interfaces";
import type { DesiredBridge } from "./desired";
import { deleteRule, insertRuleLine } from "./firewall";
import { addBridge, deleteLink, makeVxlan, replaceAddress, setMac, setMtu, setUp } from "./ip_commands";
import type { ObservedBridge } from "./observe";

/** What Debian's networking.service reads at boot. */
export const INTERFACES = "/etc/network/interfaces";
export const INTERFACES_FOLDER = "/etc/network/interfaces.d";

/** The line that Apollo's role added. */
const SOURCE_PATTERN = `${INTERFACES_FOLDER}/*.cfg`;

/** The bridge's own file, where Apollo's role had it. */
export function stanzaPath(name: string): string {
  return `${INTERFACES_FOLDER}/${name}.cfg`;
}

/** The file by which ifupdown makes the bridge at boot. */
export function ifupdownFiles(wanted: DesiredBridge): DesiredFile[] {
  return [{ path: stanzaPath(wanted.name), content: renderStanza(wanted), mode: 0o644 }];
}

/**
 * Takes a host with ifupdown; returns /etc/network/interfaces as it is to be: where the bridge has a file of ifupdown's
 * and nothing reads it yet, with a line that does, and where it has none, without such a line of ours, unless other files
 * are read by it.
 */
export function interfacesContent(name: string, wanted: boolean, observed: ObservedBridge): string {
  const content = observed.interfaces?.content ?? "";
  const path = stanzaPath(name);
  const others = observed.interfacesFolder.some((other) => other.endsWith(".cfg") && other !== basename(path));
  if (!wanted) {
    const left = withoutSource(content, path);
    return others ? left : withoutSource(left, SOURCE_PATTERN);
  }
  if (readsFile(content, path)) return content;
  // Apollo's pattern, unless it would bring to life other files that this host has not read until now.
  return withSource(content, others ? path : SOURCE_PATTERN);
}

/**
 * Brings a bridge up that is not there yet, by the very lines that will do so at boot. By force, as ifupdown may still
 * hold a bridge for up that was deleted by hand.
 */
export function bringUp(name: string) {
  return run(["ifup", "--force", name], 60);
}

/** Has ifupdown forget a bridge that has been deleted, whatever the commands of its file then say. */
export function forget(name: string) {
  return run(["ifdown", "--force", "--ignore-errors", name], 60);
}

function renderStanza(wanted: DesiredBridge): string {
  const { name, address, mtu, vxlan, firewall } = wanted;
  const steps: Step[] = [
    step("pre-up", `ip link show dev ${name} >/dev/null 2>&1 ||`, addBridge(wanted)),
    step("pre-up", "", setMac(wanted)),
    step("pre-up", "", setMtu(name, mtu)),
  ];
  if (vxlan) {
    // One that is left over may have been made with other parameters; containers are on the bridge, not on it.
    steps.push({ phase: "pre-up", command: `${deleteLink(vxlan.name).join(" ")} 2>/dev/null || true` });
    steps.push(...makeVxlan(name, mtu, vxlan).map((command) => step("pre-up", "", command)));
  }
  steps.push(step("post-up", "", setUp(name)), step("post-up", "", replaceAddress(name, address)));
  if (firewall) steps.push({ phase: "post-up", command: insertRuleLine(name) });
  if (vxlan) steps.push(step("pre-down", "", deleteLink(vxlan.name)));
  steps.push(step("post-down", "", deleteLink(name)));
  if (firewall) steps.push({ phase: "post-down", command: `${deleteRule(name).join(" ")} 2>/dev/null || true` });
  return renderManualInterface({
    comment: "Written by Ansible's weave_bridge, which replaces what is changed here by hand.",
    name,
    steps,
  });
}

function step(phase: Step["phase"], before: string, argv: readonly string[]): Step {
  return { phase, command: `${before} ${argv.join(" ")}`.trim() };
}
