import { UserError } from "../core/errors";
import { optionNames } from "../core/option_names";
import { bool, choice, dict, int, list, str, type Values } from "../core/options";
import { addressOrHostName, interfaceName, password } from "../net/validators";

/** The module's options, from which come its validation, the command's flags and the documentation. */
export const options = {
  component: choice(["router", "proxy", "plugin", "scope"], {
    description:
      "What to run. C(proxy) and C(plugin) are separate containers in Weave 1.x only; since 2.0 they run within the " +
      "router and are enabled by I(mode). C(scope) is Weave Scope, which is no longer developed (last release 1.13.2).",
    default: "router",
  }),
  state: choice(["started", "stopped", "restarted", "enabled", "absent"], {
    description:
      "C(started) starts the component unless it runs, waits until it is ready, and enables its start with Docker. " +
      "C(restarted) does the same with a restart. C(enabled) only enables its start with Docker, and neither starts nor " +
      "stops it now. C(stopped) stops it and disables its start with Docker. C(absent) also removes its unit, its " +
      "environment file and its container.",
    default: "started",
  }),
  mode: choice(["bridge", "proxy", "plugin"], {
    description:
      "How containers are connected to the network. With C(bridge) Docker uses I(bridge), which weave_bridge has created; " +
      "the router can't use its fast datapath then. With C(proxy) and C(plugin) Docker keeps docker0, and the router " +
      "creates its own bridge, with the fast datapath.",
    default: "bridge",
  }),
  script: str(
    {
      description:
        "The path of the C(weave) script on the host, or of Scope's script. The default is C(/usr/local/bin/weave), and " +
        "C(/usr/local/bin/scope) for C(component=scope).",
    },
    absolutePath,
  ),
  script_version: str(
    {
      description:
        "The version of the script, for check mode before the script is installed. Once it is, the version that it contains is used.",
    },
    version,
  ),
  bridge: str(
    { description: "The bridge that weave_bridge has created, for C(mode=bridge).", default: "weave" },
    interfaceName,
  ),
  peers: list(
    {
      description:
        "The other hosts of the cluster, each by its address on the underlay or by a name that the component resolves " +
        "itself, with a port (C(host2:7000)) if its router does not listen on 6783. The list may include this host, by any of its " +
        "addresses or by its host name with or without a domain; it is left out.",
      default: [],
    },
    peer,
  ),
  mtu: int(
    {
      description:
        "The bridge's MTU in bytes, for C(mode=bridge). By default the one that the bridge has, or 1438 if there is no bridge " +
        "yet. The router's own default would be 65535.",
    },
    576,
    65535,
  ),
  args: list(
    { description: "Additional arguments of C(weave launch), such as C(--ipalloc-range=10.2.0.0/16).", default: [] },
    launchArgument,
  ),
  dns: bool({
    description:
      "Whether the router serves Weave DNS, on port 53 of the address of Docker's bridge. Not with C(mode=bridge): names come " +
      "from the router's proxy and plugin, and C(docker run) without them does not notify the router.",
    default: false,
  }),
  expose: bool({
    description:
      "Whether this host gets an address on the network (C(weave expose)). Not with C(mode=bridge), where it has one. The router " +
      "allocates none before it has met more than half of the cluster's routers. A separate unit, weave-expose, waits for them " +
      "now and after each boot; until then, a warning says how many are missing.",
    default: false,
  }),
  iptables_backend: choice(["legacy", "nft"], {
    description:
      "Which iptables the router uses. By default the router decides. Needs a release of github.com/rajch/weave.",
  }),
  env: dict(
    {
      description:
        "Additional environment variables of the script, such as C(WEAVE_DEBUG). They are shown in the diff: put a " +
        "password into I(password).",
      default: {},
    },
    variable,
    variableValue,
  ),
  password: str(
    {
      description:
        "The password that encrypts the traffic between routers, the same on all hosts. It is kept in a file that only root can read.",
      secret: true,
    },
    password,
  ),
  timeout: int(
    {
      description: "How long to wait until the component is ready, in seconds. Includes the time to pull its images.",
      default: 300,
    },
    1,
    3600,
  ),
  option_names: optionNames,
};

export type ServiceOptions = Values<typeof options>;

/** Whether the component is to be stopped or removed. */
export function isEnding({ state }: Pick<ServiceOptions, "state">): boolean {
  return state === "absent" || state === "stopped";
}

/** A peer's address or name without its port. */
export function hostOf(peer: string): string {
  return peer.replace(/:\d+$/, "");
}

function peer(text: string): string {
  const [, port = "1"] = /:(\d+)$/.exec(text) ?? [];
  if (Number(port) < 1 || Number(port) > 65535) {
    throw new UserError(`must have a port from 1 to 65535 (found "${text}"). Correct the port, or remove it.`);
  }
  addressOrHostName(hostOf(text));
  return text;
}

function absolutePath(text: string): string {
  if (!/^\/[A-Za-z0-9_./+@:-]+$/.test(text))
    throw new UserError(
      `must be an absolute path of letters, digits and "_.+@:/-" (found "${text}"). Write it as /usr/local/bin/weave.`,
    );
  return text;
}

function version(text: string): string {
  if (!/^\d+\.\d+[\w.-]*$/.test(text)) throw new UserError(`must be a version (found "${text}"). Write it as 2.8.1.`);
  return text;
}

function launchArgument(text: string): string {
  if (/^--password/.test(text))
    throw new UserError(
      "must not have --password, which the process list would show (found it). Set I(password) instead.",
    );
  if (/^--http-?addr/.test(text)) {
    throw new UserError(
      `must not have ${text.replace(/=.*/, "")}, as the script would ask the router elsewhere (found "${text}"). Set ` +
        "WEAVE_HTTP_ADDR in I(env) instead.",
    );
  }
  if (!/^--[a-z][A-Za-z0-9_.:/=,@%+-]*$/.test(text))
    throw new UserError(`must be arguments of weave launch (found "${text}"). Write each as --name=value.`);
  return text;
}

/** A name that systemd accepts for a variable, except those that another option sets. */
function variable(name: string): string {
  const option = OPTION_OF.get(name);
  if (option !== undefined)
    throw new UserError(`must not have a variable of another option (found ${name}). Set I(${option}) instead.`);
  if (name === "WEAVE_CONTAINER_NAME" || name === "DOCKER_HOST") {
    throw new UserError(
      `must not have ${name} (found it). Remove it: weave_service asks Docker on /var/run/docker.sock for a container of the ` +
        "default name.",
    );
  }
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    throw new UserError(`must have names of variables (found "${name}"). Use letters, digits and "_".`);
  return name;
}

/** The option that sets a variable of the environment file. */
export const OPTION_OF: ReadonlyMap<string, string> = new Map([
  ["WEAVE_PASSWORD", "password"],
  ["WEAVE_PEERS", "peers"],
  ["WEAVE_ARGS", "args"],
  ["WEAVE_MTU", "mtu"],
  ["DOCKER_BRIDGE", "bridge"],
  ["IPTABLES_BACKEND", "iptables_backend"],
]);

/** The value must fit into one line of the environment file. */
function variableValue(text: string): string {
  if (/\p{Cc}/u.test(text)) throw new UserError("must not contain control characters (found some). Remove them.");
  return text;
}
