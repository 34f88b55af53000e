import { dirname } from "node:path";
import { type Change, runAction } from "../core/change";
import type { Host } from "../core/host/host";
import { parseIptablesSave } from "../formats/iptables_save";
import type { ObservedService } from "./observed";
import { describeRouterRules, findRouterRules, removeRouterRules } from "./router_rules";

/** The CNI plugins and their configuration (weaveworks/weave, script `weave`, setup_cni), and the sockets of proxy and plugin. */
const CNI_PLUGINS = "/opt/cni/bin";
const CNI_PLUGIN = /^weave-(?:net|ipam|plugin(?:-.+)?)$/;
const CNI_CONFIGURATION = "/etc/cni/net.d";
const DOCKER_PLUGINS = "/run/docker/plugins";

/** What a rule of the router with --no-masq-local refers to (weaveworks/weave 2.8.1, net/bridge.go). */
const IP_SET = "weaver-no-masq-local";

/** What a router leaves on a host. */
export type RouterLeftovers = Pick<ObservedService, "routerRules" | "routerIpSets" | "routerFiles">;

/** What a router leaves that is not to be removed. */
export const NO_LEFTOVERS: RouterLeftovers = { routerRules: [], routerIpSets: [], routerFiles: [] };

/** Reads what a router with this port leaves on a host, by whatever iptables its image has. Changes nothing. */
export function observeLeftovers(port: number, programs: ReadonlySet<string>, host: Host): RouterLeftovers {
  const both = ["iptables-legacy", "iptables-nft"].filter((program) => programs.has(`${program}-save`));
  const asked = both.length > 0 ? both : ["iptables"].filter((program) => programs.has(`${program}-save`));
  return {
    // Without -t, iptables-legacy-save loads no table that the kernel does not have yet. It fails in a kernel without any.
    routerRules: asked.flatMap((program) => {
      const { stdout } = host.run([`${program}-save`], { mayFail: true });
      return findRouterRules(program, parseIptablesSave(stdout), port) ?? [];
    }),
    // The router brings its own ipset. Without one on the host the set stays until the next boot.
    routerIpSets: programs.has("ipset")
      ? host
          .run(["ipset", "list", "-name"], { mayFail: true })
          .stdout.split("\n")
          .filter((name) => name === IP_SET)
      : [],
    routerFiles: [
      ...namesIn(CNI_PLUGINS, (name) => CNI_PLUGIN.test(name), host),
      // One that does not name the router's plugin belongs to something else.
      ...namesIn(CNI_CONFIGURATION, (name) => /^10-weave\.conf(?:list)?$/.test(name), host).filter((path) =>
        /"type"\s*:\s*"weave-net"/.test(host.readFile(path)?.content ?? ""),
      ),
      ...namesIn(DOCKER_PLUGINS, (name) => /^weave(?:mesh)?\.sock$/.test(name), host),
      ...namesIn("/run", (name) => name === "weave", host),
    ],
  };
}

function namesIn(directory: string, isMeant: (name: string) => boolean, host: Host): string[] {
  return host
    .readdir(directory)
    .filter(isMeant)
    .map((name) => `${directory}/${name}`);
}

/** The changes that remove what the router has left, once it has stopped. */
export function planLeftovers({ routerRules, routerIpSets, routerFiles }: ObservedService): Change[] {
  const rules: Change[] = routerRules.map((left) => ({
    subject: `router: rules of ${left.program}`,
    before: describeRouterRules(left),
    after: "",
    actions: removeRouterRules(left).map((argv) => runAction(argv)),
  }));
  // A set that a rule refers to can't be removed.
  const sets: Change[] = routerIpSets.map((name) => ({
    subject: `router: ipset ${name}`,
    before: "present\n",
    after: "",
    actions: [runAction(["ipset", "destroy", name])],
  }));
  if (routerFiles.length === 0) return [...rules, ...sets];
  const plugins = routerFiles.filter(isPlugin);
  const others = routerFiles.filter((path) => !isPlugin(path));
  const files: Change = {
    subject: "router: files",
    before: `${routerFiles.join("\n")}\n`,
    after: "",
    actions: [
      ...(others.length > 0 ? [runAction(["rm", "-rf", "--", ...others])] : []),
      ...(plugins.length > 0 ? [removePlugins(plugins)] : []),
    ],
  };
  return [...rules, ...sets, files];
}

function isPlugin(path: string): boolean {
  return path.startsWith(`${CNI_PLUGINS}/`);
}

/**
 * Removes the plugins, and then the directories that the script has created for them, unless others have files there. By one program:
 * empty directories alone would not show the next run that it has to finish this.
 */
function removePlugins(plugins: readonly string[]): ReturnType<typeof runAction> {
  const test = ["(", "!", "-type", "d", "-o", "-empty", ")"];
  return runAction(["find", ...plugins, CNI_PLUGINS, dirname(CNI_PLUGINS), "-maxdepth", "0", ...test, "-delete"]);
}
