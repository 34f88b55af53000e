import { topOfContainer } from "../core/docker_containers";
import { UserError, withSubject } from "../core/errors";
import type { HttpRequest } from "../core/host/host";
import { COMPONENTS, type Component } from "./components";
import { mismatches, rejectOtherImage } from "./container";
import { environmentOf, redactEnvironmentFile, renderEnvironmentFile } from "./environment";
import { INIT_SYSTEMS } from "./init/detect";
import type { InitSystem } from "./init/init_system";
import type { Environment, ObservedContainer, ObservedService } from "./observed";
import { isEnding, type ServiceOptions } from "./options";
import { type Control, DEFAULT_CONTROL, isAnyAddress, parseControl, status } from "./router_api";
import { verbsOf, type WeaveScript } from "./script";

/** The component as it must be, with every value resolved. */
export interface DesiredService {
  readonly init: InitSystem;
  readonly component: Component;
  /** The name of the unit or job. */
  readonly unit: string;
  /** The unit's text. */
  readonly text: string;
  /** The text of the unit EXPOSE; null if the host gets no address on the network, or has one anyway. */
  readonly exposeText: string | null;
  /** Whether iptables is to have the forward rule of the router's own bridge. */
  readonly hasForwardRule: boolean;
  readonly script: string;
  readonly environment: Environment;
  readonly environmentText: string;
  /** An environment file's content as a diff may show it. */
  readonly redact: (content: string) => string;
  /** The bridge of Docker's containers that the router attaches to; null if it creates its own. */
  readonly bridge: string | null;
  /** The tag of the image that the script launches; null if the script does not name one. */
  readonly tag: string | null;
  /** The request that is answered 200 once the component is ready. */
  readonly ready: HttpRequest;
  /** How a container that something else launched differs from the desired one, in words. */
  readonly mismatches: (container: ObservedContainer | null) => readonly string[];
}

/**
 * Resolves the options on the observed host. Throws a UserError if options contradict each other, the script can't run
 * the component, or a container of its name runs another image.
 */
export function resolveDesired(options: ServiceOptions, observed: ObservedService): DesiredService {
  const { series, knowsNoRestart, knowsHttpAddress } = observed.script;
  const component = COMPONENTS[options.component];
  const init = INIT_SYSTEMS[observed.init];
  const ends = isEnding(options);
  rejectOtherImage(component, observed.container);
  if (!ends) rejectContradictions(options, observed);
  // What is stopped or removed has the same names whatever the script.
  const verbs = ends ? { launch: "launch", stop: "stop" } : verbsOf(options.component, series);
  const script = options.script ?? component.script;
  const isRouter = options.component === "router";
  const bridge = isRouter && options.mode === "bridge" ? options.bridge : null;
  const expose = isRouter && options.expose;
  const hasForwardRule = isRouter && options.mode !== "bridge";
  const environment = environmentOf(options, observed);
  const environmentText = withSubject(component.environmentPath, () => renderEnvironmentFile(environment));
  const tag = options.component === "scope" ? null : imageTag(options, observed.script);
  return {
    init,
    component,
    unit: init.nameOf(component),
    text: init.render({
      component,
      docker: observed.dockerClient ?? DOCKER_CLIENT,
      script,
      launch: verbs.launch,
      // From 2.0 on the script's `stop` removes any Docker network with the name "weave" (weaveworks/weave, prog/weaveutil,
      // removePluginNetwork). With the mode bridge that is docker_bridge_opts', and the container is all that is to be stopped.
      stop: bridge !== null && series === "2.0" ? null : verbs.stop,
      bridge,
      expose,
      hasForwardRule,
      clearRestartPolicy: !knowsNoRestart && series !== "1.0" && options.component !== "scope",
    }),
    exposeText: expose ? init.renderExpose(script) : null,
    hasForwardRule,
    script,
    environment,
    environmentText,
    redact: (content) => redactEnvironmentFile(content, environmentText),
    bridge,
    tag,
    // Before 1.5 the router may answer on its container's address, which only the running container has.
    ready: isRouter && knowsHttpAddress ? status(controlFrom(options)) : topOfContainer(component.container),
    mismatches: (container) => mismatches(container, environment, tag),
  };
}

/** Where distributions and Docker's own packages put the client. */
const DOCKER_CLIENT = "/usr/bin/docker";

/** The tag of the images that the script uses, unless its environment names another (weaveworks/weave, `weave`, at v1.1.2 and v1.2.0). */
function imageTag({ env }: ServiceOptions, { series, version }: WeaveScript): string | null {
  return env[series === "1.0" ? "VERSION" : "WEAVE_VERSION"] || version;
}

/** Where the router will serve its API: the script passes WEAVE_HTTP_ADDR on to it. */
function controlFrom({ env }: ServiceOptions): Control {
  const control = parseControl(env[HTTP_ADDRESS] ?? "") ?? DEFAULT_CONTROL;
  return isAnyAddress(control) ? { ...control, address: DEFAULT_CONTROL.address } : control;
}

const HTTP_ADDRESS = "WEAVE_HTTP_ADDR";

function rejectHttpAddress({ component, env }: ServiceOptions, { script }: ObservedService): void {
  const given = env[HTTP_ADDRESS];
  if (component !== "router" || given === undefined) return;
  if (!script.knowsHttpAddress) {
    throw new UserError(
      `env: ${HTTP_ADDRESS} needs the weave script 1.5 or newer on this host (found ${script.version}). Install a newer ` +
        "script, or remove the variable.",
    );
  }
  // The script asks the router at this address, so it must have one.
  if (!parseControl(given)?.address) {
    throw new UserError(
      `env: ${HTTP_ADDRESS} must be an IPv4 address and a port (found "${given}"). Write it as 127.0.0.1:6784.`,
    );
  }
}

function rejectContradictions(options: ServiceOptions, observed: ObservedService): void {
  const { component, mode, expose, dns, args, env } = options;
  rejectHttpAddress(options, observed);
  const bridged = component === "router" && mode === "bridge";
  // The router would set its name as the bridge's MAC, which weave_bridge owns.
  if (bridged && args.some((argument) => argument.startsWith("--name="))) {
    throw new UserError(
      "args: must not have --name with I(mode): bridge, where the router's name is the bridge's MAC address (found " +
        `${args.filter((argument) => argument.startsWith("--name=")).join(" ")}). Remove it, and set the bridge's I(mac).`,
    );
  }
  if (dns && args.includes("--no-dns"))
    throw new UserError("args: must not have --no-dns with I(dns) (found both). Remove one of them.");
  if (bridged && expose) {
    throw new UserError(
      "expose: must be off with I(mode): bridge, where this host has an address on the network (found it on). " +
        "Remove I(expose), or set another I(mode).",
    );
  }
  const withoutAddresses = args.find((argument) => /^--?ipalloc-range=$/.test(argument));
  if (expose && withoutAddresses !== undefined) {
    throw new UserError(
      `expose: needs a router that allocates addresses (found ${withoutAddresses} in I(args)). Turn it off, or name a range.`,
    );
  }
  if (bridged && dns) {
    throw new UserError(
      "dns: must be off with I(mode): bridge, where Weave DNS would know no container, as docker run does not notify the router (found " +
        "it on). Remove I(dns), or set I(mode): proxy or plugin.",
    );
  }
  if (bridged && env["WEAVE_NO_FASTDP"] !== undefined) {
    throw new UserError(
      "env: must not have WEAVE_NO_FASTDP with I(mode): bridge, where there is no fast datapath anyway (found WEAVE_NO_FASTDP). " +
        "Remove it.",
    );
  }
  if (dns && observed.script.series === "1.0") {
    throw new UserError(
      "dns: needs the weave script 1.2 or newer on this host (found " +
        `${observed.script.version}). Install a newer script, or remove I(dns).`,
    );
  }
}
