import { renderEnvironment } from "../formats/environment_file";
import type { ServiceOptions } from "./options";

const PASSWORD = "WEAVE_PASSWORD";

/** All the variables that the router's environment may have from here. WEAVE_PEERS is told to a running router live. */
export const RESTART_VARIABLES = [
  "WEAVE_ARGS",
  "WEAVE_NO_FASTDP",
  "DOCKER_BRIDGE",
  "WEAVE_MTU",
  "CHECKPOINT_DISABLE",
  PASSWORD,
];

/**
 * What the weave script reads. On a bridge made before it the router must not ask for its fast datapath; there is no
 * docker0 to look at; it sets the bridge's MTU by what it is told; and it is not to call home. The unit alone is to start
 * it: by the restart policy that scripts give it unless told --no-restart, a router that was stopped would come back with
 * the next start of Docker.
 */
export function routerEnvironment(
  { bridge, mtu, args, peers, password }: ServiceOptions,
  script: string,
): ReadonlyMap<string, string> {
  const noRestart = script.includes("--no-restart") ? ["--no-restart"] : [];
  return new Map([
    ["WEAVE_PEERS", inOrder(peers).join(" ")],
    ["WEAVE_ARGS", [...noRestart, ...args].join(" ")],
    ["WEAVE_NO_FASTDP", "1"],
    ["DOCKER_BRIDGE", bridge],
    ["WEAVE_MTU", String(mtu)],
    ["CHECKPOINT_DISABLE", "1"],
    ...(password === null ? [] : [[PASSWORD, bytesOf(password)] as const]),
  ]);
}

/** Takes peers; returns each once, in an order that no inventory's order shows in. */
export function inOrder(peers: readonly string[]): readonly string[] {
  return [...new Set(peers)].sort();
}

export function renderRouterEnvironment(options: ServiceOptions, script: string): string {
  return renderEnvironment("Written by Ansible's weave_service.", routerEnvironment(options, script));
}

/** Files and the kernel's texts have one character a byte. */
function bytesOf(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** A line as renderRouterEnvironment() writes it, of a variable that is no secret. */
const OWN_LINE =
  /^(?:# Written by Ansible's weave_service\.|(?:WEAVE_PEERS|WEAVE_ARGS|WEAVE_NO_FASTDP|DOCKER_BRIDGE|WEAVE_MTU|CHECKPOINT_DISABLE)="[^"]*")?$/;

/**
 * Takes an environment file's content; returns what a diff may show of it: whether there is a password, and if it is the
 * wanted one. Another's file may have a password anywhere, so that of its lines only those that this module writes too
 * are shown.
 */
export function withoutPassword(content: string, wanted: string): string {
  const ofPassword = (line: string): boolean => line.startsWith(`${PASSWORD}=`);
  const find = (text: string): string | undefined => text.split("\n").find(ofPassword);
  const which = find(content) === find(wanted) ? "the wanted one" : "another one";
  const shown = (line: string): string => {
    if (ofPassword(line)) return `${PASSWORD}=(${which}, not shown)`;
    return OWN_LINE.test(line) && !/password/i.test(line) ? line : "(another line, not shown)";
  };
  return content.split("\n").map(shown).join("\n");
}
