import { toText } from "../../core/bytes";
import { UserError } from "../../core/errors";
import type { Host } from "../../core/host/host";
import { NET_DEVICES } from "../../core/proc";
import { environmentVariables } from "../../formats/environment_file";
import { VXLAN_SUFFIX } from "../../weave_bridge/names";
import { COMPONENTS, EXPOSE } from "../../weave_service/components";
import { ARGS, PASSWORD, PEERS } from "../../weave_service/environment";
import { detectInit, INIT_SYSTEMS } from "../../weave_service/init/detect";
import type { options, ServiceOptions } from "../../weave_service/options";
import type { CurrentOptions } from "./current";

/** The options of weave_service as this host has them: what the last run has written into the environment file and the unit. */
export const currentService = ((given, names, host): Partial<ServiceOptions> => {
  if (given.state === "absent" || given.state === "stopped") return {};
  if (given.component === "router") rejectVxlan(given.bridge, host);
  const component = COMPONENTS[given.component];
  const content = host.readFile(component.environmentPath)?.content;
  const bytes = content === undefined ? null : environmentVariables(content);
  if (bytes === null) return {};
  const variables = new Map([...bytes].map(([name, { value }]) => [name, toText(value)]));
  const words = (name: string): string[] => (variables.get(name) ?? "").split(" ").filter((word) => word !== "");
  const password = variables.get(PASSWORD);
  const known = { peers: words(PEERS), ...(password !== undefined && password !== "" && { password }) };
  // A file that something else wrote has no such variable, and other ones that this module would not set.
  if (!variables.has(ARGS)) return known;
  const args = words(ARGS);
  const bridge = variables.get("DOCKER_BRIDGE");
  const mode = names.has("mode") ? given.mode : modeOf(bridge, args);
  const ownScript = scriptIn(given, host);
  return {
    ...known,
    ...(given.component === "router" && routerOptions(mode, variables, args, host)),
    args: withoutGenerated(args),
    ...otherVariables(variables, bridge !== undefined),
    ...(ownScript !== null && { script: ownScript }),
  };
}) satisfies CurrentOptions<typeof options>;

/** In Ansible, the role's datapath decides; by hand, nothing else would reject it. */
function rejectVxlan(bridge: string, host: Host): void {
  const vxlan = bridge + VXLAN_SUFFIX;
  if (host.readText(`${NET_DEVICES}/${vxlan}/mtu`) === null) return;
  throw new UserError(
    `component: the router must not run next to a VXLAN, with which it would make a loop (found ${vxlan} on this host). The VXLAN needs ` +
      "no router; for the router, run `apollo-weave bridge --datapath router` first.",
  );
}

function routerOptions(
  mode: ServiceOptions["mode"],
  variables: ReadonlyMap<string, string>,
  args: readonly string[],
  host: Host,
): Partial<ServiceOptions> {
  const bridge = variables.get("DOCKER_BRIDGE");
  const mtu = Number(variables.get("WEAVE_MTU"));
  if (mode === "bridge") return { mode, ...(bridge !== undefined && { bridge, ...(mtu > 0 && { mtu }) }) };
  const exposes = host.readFile(INIT_SYSTEMS[detectInit(host)].pathOf(EXPOSE)) !== null;
  // In the mode bridge, which the host had, there is no DNS.
  return { mode, dns: bridge === undefined && !args.includes("--no-dns"), expose: exposes };
}

/** Which part of the router is not turned off. Before Weave 2.0 none is, and both modes mean the same. */
function modeOf(bridge: string | undefined, args: readonly string[]): ServiceOptions["mode"] {
  if (bridge !== undefined) return "bridge";
  return args.includes("--proxy=false") ? "plugin" : "proxy";
}

/** The arguments that weave_service adds by itself come first, one of each. */
function withoutGenerated(args: readonly string[]): string[] {
  const left = [...args];
  for (const generated of [/^--no-restart$/, /^--name=/, /^--plugin=false$/, /^--proxy=false$/, /^--no-dns$/]) {
    const index = left.findIndex((word) => generated.test(word));
    if (index >= 0) left.splice(index, 1);
  }
  return left;
}

/** The variables of the option env, and iptables_backend, whose variables are also in the *_DOCKER_ARGS. */
function otherVariables(variables: ReadonlyMap<string, string>, bridged: boolean): Partial<ServiceOptions> {
  const backend = variables.get("IPTABLES_BACKEND");
  const api = variables.get("DOCKER_API_VERSION");
  const flags = (variables.get("WEAVE_DOCKER_ARGS") ?? "").split(" ");
  const isGeneratedApi = api !== undefined && flags.includes(`DOCKER_API_VERSION=${api}`);
  const own = new Set([
    PEERS,
    ARGS,
    PASSWORD,
    "IPTABLES_BACKEND",
    ...(bridged ? ["WEAVE_NO_FASTDP", "DOCKER_BRIDGE", "WEAVE_MTU"] : []),
    ...(variables.get("CHECKPOINT_DISABLE") === "1" ? ["CHECKPOINT_DISABLE"] : []),
    ...(isGeneratedApi ? ["DOCKER_API_VERSION"] : []),
  ]);
  const generated = [`-e DOCKER_API_VERSION=${api}`, `-e IPTABLES_BACKEND=${backend}`];
  const env = [...variables].flatMap(([name, value]): [string, string][] => {
    if (own.has(name)) return [];
    if (!/^WEAVE(EXEC)?_DOCKER_ARGS$/.test(name)) return [[name, value]];
    const rest = generated.reduce(
      (text, flag) => (text.startsWith(flag) ? text.slice(flag.length).trim() : text),
      value,
    );
    return rest === "" ? [] : [[name, rest]];
  });
  const isBackend = backend === "legacy" || backend === "nft";
  return { env: Object.fromEntries(env), ...(isBackend && { iptables_backend: backend }) };
}

/** The script that the unit runs; null for the default one. */
function scriptIn({ component }: ServiceOptions, host: Host): string | null {
  const init = INIT_SYSTEMS[detectInit(host)];
  const unit = host.readFile(init.pathOf(COMPONENTS[component]))?.content ?? "";
  return /(\/[A-Za-z0-9_./+@:-]+) launch(?:-\w+)?\b/.exec(unit)?.[1] ?? null;
}
