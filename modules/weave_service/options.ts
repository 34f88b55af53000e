import { UserError } from "../core/errors";
import { bool, choice, dict, int, list, str, type Values } from "../core/options";
import { addressOrHostName, interfaceName } from "../net/validators";
export const options = {
  component: choice(["router", "proxy", "plugin", "scope"], {
    description:
      "What is run. C(proxy) and C(plugin) are containers of their own in Weave 1.x alone; since 2.0 the router has them " +
      "within, by I(mode). C(scope) is Weave Scope, which upstream has ended (last release 1.13.2).",
    default: "router",
  }),
  state: choice(["started", "stopped", "restarted", "enabled", "absent"], {
    description:
      "C(started) has it running, answering, and started with Docker from now on. C(restarted) does so with a restart. " +
      "C(enabled) has it started with Docker from the next time on and leaves it as it runs now. C(stopped) has it stopped " +
      "and not started with Docker. C(absent) also removes its unit, its environment file and its container.",
    default: "started",
  }),
  mode: choice(["bridge", "proxy", "plugin"], {
    description:
      "How containers get onto the network. C(bridge) is Docker's own bridge I(bridge), which weave_bridge made; the " +
      "router then can't use its fast datapath. With C(proxy) and C(plugin) Docker keeps docker0, and the router makes " +
      "its bridge by itself, with the fast datapath.",
    default: "bridge",
  }),
  script: str(
    {
      description:
        "Where the C(weave) script is on the host, or that of Scope: C(/usr/local/bin/weave) or C(/usr/local/bin/scope) unless told.",
    },
    absolutePath,
  ),
  script_version: str(
    {
      description:
        "The version of the script, for a check before the script is there. Where it is there, its own number counts.",
    },
    version,
  ),
  bridge: str(
    { description: "The bridge that weave_bridge made, for the mode C(bridge).", default: "weave" },
    interfaceName,
  ),
  peers: list(
    {
      description:
        "The other hosts of the cluster: each its address on the underlay or its name, which the component looks up by " +
        "itself. This host itself may be among them and is left out: by an address of its own, or by its host name, with " +
        "or without a domain.",
      default: [],
    },
    addressOrHostName,
  ),
  mtu: int(
    {
      description: "The bridge's MTU in bytes, for the mode C(bridge). A router that is not told makes it 65535.",
      default: 1500,
    },
    576,
    65535,
  ),
  args: list(
    { description: "More arguments of C(weave launch), such as C(--ipalloc-range=10.2.0.0/16).", default: [] },
    launchArgument,
  ),
  dns: bool({
    description: "Whether the router serves Weave DNS, on the address of the bridge that Docker is on, port 53.",
    default: false,
  }),
  expose: bool({
    description:
      "Whether this host itself gets an address on the network (C(weave expose)), in the other modes than C(bridge).",
    default: false,
  }),
  iptables_backend: choice(["legacy", "nft"], {
    description:
      "Which iptables the router uses; its own choice unless told. Releases of github.com/rajch/weave know it.",
  }),
  env: dict(
    {
      description:
        "More variables of the script's environment, such as C(WEAVE_DEBUG). They are shown in the diff: a " +
        "password belongs in I(password).",
      default: {},
    },
    variable,
    variableValue,
  ),
  password: str(
    {
      description:
        "The password that encrypts what routers send one another, the same on all hosts. It is kept in a file that root alone reads.",
      secret: true,
    },
    password,
  ),
  timeout: int(
    { description: "How many seconds it has to be ready after its start, pulling images included.", default: 300 },
    1,
    3600,
  ),
};

export type ServiceOptions = Values<typeof options>;

function absolutePath(text: string): string {
  if (!/^\/[A-Za-z0-9_./+@:-]+$/.test(text))
    throw new UserError(
      `"${text}" is not an absolute path of letters, digits and "_.+@:/-"; write it as /usr/local/bin/weave`,
    );
  return text;
}

function version(text: string): string {
  if (!/^\d+\.\d+[\w.-]*$/.test(text)) throw new UserError(`"${text}" is no version; write it as 2.8.1`);
  return text;
}

function launchArgument(text: string): string {
  if (/^--password/.test(text))
    throw new UserError("a password there can be read in the process list; give it as password");
  if (!/^--[a-z][A-Za-z0-9_.:/=,@%+-]*$/.test(text))
    throw new UserError(`"${text}" is no argument of weave launch; write it as --name=value`);
  return text;
}

/** What systemd takes for a variable's name, and no variable that another option is for. */
function variable(name: string): string {
  const option = OPTION_OF.get(name);
  if (option !== undefined) throw new UserError(`${name} is set by ${option}; give it there`);
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    throw new UserError(`"${name}" is no variable's name; use letters, digits and "_"`);
  return name;
}

const OPTION_OF: ReadonlyMap<string, string> = new Map([
  ["WEAVE_PASSWORD", "password"],
  ["WEAVE_PEERS", "peers"],
  ["WEAVE_ARGS", "args"],
  ["WEAVE_MTU", "mtu"],
  ["DOCKER_BRIDGE", "bridge"],
  ["WEAVE_NO_FASTDP", "mode"],
  ["IPTABLES_BACKEND", "iptables_backend"],
]);

/** A line of the file that a unit reads it from. */
function variableValue(text: string): string {
  if (/\p{Cc}/u.test(text)) throw new UserError(`${JSON.stringify(text)} has control characters; remove them`);
  return text;
}

function password(text: string): string {
  if (text === "" || /\p{Cc}/u.test(text)) throw new UserError("is empty or has control characters");
  return text;
}
