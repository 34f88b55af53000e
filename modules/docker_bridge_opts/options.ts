import { DEFAULT_NETWORK } from "../core/docker_networks";
import { UserError } from "../core/errors";
import { optionNames } from "../core/option_names";
import { choice, int, list, str, textOrObject, type Values } from "../core/options";
import { expectedInstead } from "../formats/docker_values";
import { ipv4Interface, ipv4Network } from "../net/ipv4";
import { interfaceName } from "../net/validators";

export const options = {
  state: choice(["present", "absent", "restarted"], {
    description:
      "C(present) sets the options and restarts nothing; a pending restart counts as a change until it is made. " +
      "C(absent) removes I(bridge) (default C(weave)) with the subnet and MTU that belong to it, and the other options where " +
      "they have the values given here. C(restarted) restarts Docker, waits until it answers, and restores the previous " +
      "configuration if it does not; use it in a handler, with no options but I(network) and those that a network needs " +
      "(I(bridge), I(fixed_cidr), I(bridge_address), I(mtu)).",
    default: "present",
  }),
  location: choice(["auto", "docker_opts", "daemon_json"], {
    description:
      "Where to set the options. C(auto) leaves an option where it is set already; a new one goes into C(DOCKER_OPTS) if this " +
      "host's Docker reads it from a file of its own in which no other program keeps options, and otherwise into C(daemon.json). " +
      "C(docker_opts) and C(daemon_json) move the options there. " +
      "If Docker's unit sets an option itself, or does not read C(DOCKER_OPTS), the module writes a drop-in for it.",
    default: "auto",
  }),
  network: str(
    {
      description:
        "The Docker network whose containers are attached to I(bridge): C(bridge) for Docker's default network, or the name of one " +
        "that is created through Docker's API, from I(bridge), I(fixed_cidr) and I(mtu).",
      default: DEFAULT_NETWORK,
    },
    networkName,
  ),
  bridge: str({ description: "The bridge that containers are attached to." }, interfaceName),
  fixed_cidr: str(
    {
      description:
        "The subnet that containers get their addresses from. It must be in the bridge's network: Docker itself only warns if " +
        "it is not, and then assigns addresses that other hosts use.",
    },
    ipv4Network,
  ),
  bridge_address: str(
    {
      description:
        "The bridge's address with the prefix length of its network, which I(fixed_cidr) is checked against. The default is the address that the bridge has.",
    },
    ipv4Interface,
  ),
  dns: list({ description: "The name servers of containers, in order." }, validValue("dns", "192.168.50.11")),
  dns_search: list(
    { description: "The search domains of containers, in order." },
    validValue("dns-search", "service.consul"),
  ),
  mtu: int({ description: "The MTU of the containers' network, in bytes." }, 68, 65535),
  opts: textOrObject({
    description:
      "Other options, written as on dockerd's command line (C(--log-level=warn --dns 8.8.8.8), the format of Apollo's " +
      'C(weave_docker_opts)) or as keys of daemon.json (C({"log-level": "warn", "dns": ["8.8.8.8"]})). An option that is also ' +
      "set by its own name must have the same value.",
    default: "",
  }),
  option_names: optionNames,
};

export type DockerOptions = Values<typeof options>;

/** A validator of values of one of dockerd's options. */
function validValue(flag: string, example: string): (text: string) => string {
  return (text) => {
    const expected = expectedInstead(flag, text, null);
    if (expected !== null) throw new UserError(`must be ${expected} (found "${text}"). Write it as ${example}.`);
    return text;
  };
}

/** As Docker takes it (moby, daemon/names: RestrictedNameChars), without those that mean something else after docker run --network. */
function networkName(text: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(text) || ["host", "none", "default"].includes(text)) {
    throw new UserError(
      `must be "${DEFAULT_NETWORK}" or the name of a network to create (found "${text}"). Use letters, digits, "-", "_" and ".", and not host, none or default.`,
    );
  }
  return text;
}
