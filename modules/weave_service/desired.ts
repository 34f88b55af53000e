import { UserError } from "../core/errors";
import type { HttpRequest } from "../core/host/host";
import { COMPONENTS, type Component, verbsOf } from "./components";
import { type ObservedContainer, runs } from "./container";
import { ARGS, type Environment, environmentOf, renderEnvironmentFile, withoutPassword } from "./environment";
import { INIT_SYSTEMS, type InitSystem } from "./init_system";
import type { ObservedService } from "./observe";
import type { ServiceOptions } from "./options";
import { STATUS } from "./router_api";

/** The component as it is to be: all values settled. */
export interface DesiredService {
  readonly init: InitSystem;
  readonly component: Component;
  /** The unit's name. */
  readonly unit: string;
  /** The unit's text. */
  readonly text: string;
  readonly script: string;
  readonly environment: Environment;
  readonly environmentText: string;
  /** Takes the content of an environment file; returns what a diff may show of it. */
  readonly redact: (content: string) => string;
  /** The bridge of Docker's containers that the router is a port of; null where it makes its own. */
  readonly bridge: string | null;
  /** The tag of the image that the script launches; null where the script does not tell. */
  readonly tag: string | null;
  /** The request that is answered 200 once it is ready. */
  readonly ready: HttpRequest;
  /** Takes a container that something else has launched; returns what of it is not as wanted, in words. */
  readonly misfits: (container: ObservedContainer | null) => readonly string[];
}

/** Settles what is asked on the host that was observed. Throws a UserError where that makes no sense, or not with this script. */
export function resolveDesired(options: ServiceOptions, observed: ObservedService): DesiredService {
  const { generation, version, knowsNoRestart } = observed.script;
  const component = COMPONENTS[options.component];
  const init = INIT_SYSTEMS[observed.init];
  const ends = options.state === "absent" || options.state === "stopped";
  refuseStranger(component, observed.container);
  if (!ends) refuseNonsense(options, observed);
  // What is to go is named alike with every script.
  const verbs = ends ? { launch: "launch", stop: "stop" } : verbsOf(options.component, generation);
  const script = options.script ?? component.script;
  const bridge = options.component === "router" && options.mode === "bridge" ? options.bridge : null;
  const environment = environmentOf(options, observed);
  const environmentText = renderEnvironmentFile(environment);
  const tag = options.component === "scope" ? null : (options.env["VERSION"] ?? version);
  return {
    init,
    component,
    unit: init.nameOf(component),
    text: init.render({
      component,
      script,
      ...verbs,
      bridge,
      expose: options.component === "router" && options.expose,
      clearRestartPolicy: !knowsNoRestart && generation !== "first" && options.component !== "scope",
    }),
    script,
    environment,
    environmentText,
    redact: (content) => withoutPassword(content, environmentText),
    bridge,
    tag,
    ready: options.component === "router" && generation !== "first" ? STATUS : runs(component.container),
    misfits: (container) => misfits(container, environment, tag),
  };
}

/** Another's container that only has the name is neither stopped nor removed. Of an image given by its digest nobody can tell. */
function refuseStranger({ container: name, image }: Component, container: ObservedContainer | null): void {
  const [, base] = /([^/:@]+)(?:[:@][^/]*)?$/.exec(container?.image ?? "") ?? [];
  if (container === null || base === image || container.image.startsWith("sha256:")) return;
  throw new UserError(
    `there is a container ${name} of the image ${container.image}, which is none of ${image}'s; rename or remove it (docker rename ${name} …)`,
  );
}

function refuseNonsense({ component, mode, expose, dns, args }: ServiceOptions, { script }: ObservedService): void {
  // The router gives its name to the bridge as its hardware address, against the one that weave_bridge gives it.
  if (component === "router" && mode === "bridge" && args.some((argument) => argument.startsWith("--name="))) {
    throw new UserError(
      "args: in the mode bridge the router's name is the bridge's hardware address; give it as weave_bridge's mac",
    );
  }
  if (dns && args.includes("--no-dns")) throw new UserError("args: --no-dns contradicts dns; leave one of them out");
  if (component === "router" && mode === "bridge" && expose) {
    throw new UserError(
      "expose: in the mode bridge this host has its address on the network already; leave expose out",
    );
  }
  if (dns && script.generation === "first") {
    throw new UserError(
      "dns: the weave script here has its DNS in another container (1.1 and older); use 1.2 or newer",
    );
  }
}

/**
 * As far as a container tells: its image, its password, its use of a bridge made before, and the arguments that are asked
 * for. A proxy or plugin too many within a router does no harm until the next launch, and its name is kept.
 */
function misfits(container: ObservedContainer | null, environment: Environment, tag: string | null): readonly string[] {
  if (container === null) return [];
  const { image, args } = container;
  const given = ` ${args.join(" ")} `;
  const isGiven = (argument: string): boolean =>
    given.includes(` ${argument} `) || given.includes(` ${argument.replace("=", " ")} `);
  const missing = (environment.get(ARGS) ?? "")
    .split(" ")
    .filter((argument) => !/^$|^--no-restart$|^--name=|^--(plugin|proxy)=false$/.test(argument) && !isGiven(argument));
  const fastdp = args.includes("--datapath") && !args.includes("--no-fastdp");
  const password = (variables: Environment): string => variables.get("WEAVE_PASSWORD") ?? "";
  return [
    ...(tag !== null && !image.endsWith(`:${tag}`) ? [`its image is ${image}, not ${tag}`] : []),
    ...(password(environment) === password(container.environment) ? [] : ["it has another password"]),
    ...(environment.has("WEAVE_NO_FASTDP") && fastdp ? ["it uses the fast datapath"] : []),
    ...missing.map((argument) => `it was not given ${argument}`),
  ];
}
