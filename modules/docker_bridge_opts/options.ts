import { UserError } from "../core/errors";
import { choice, int, list, str, textOrObject, type Values } from "../core/options";
import { ipv4, ipv4Interface, ipv4Network } from "../net/ipv4";
import { interfaceName } from "../net/validators";

export const options = {
  state: choice(["present", "absent", "restarted"], {
    description:
      "C(present) sets the options, and restarts nothing: whether a restart is owed counts as a change until it is made. " +
      "C(absent) takes out I(bridge) (C(weave) unless given) with the subnet and MTU that go with it, and those of the other " +
      "options that have the values given here. C(restarted) restarts Docker, waits until it answers, and puts the " +
      "configuration from before back where it does not come back; it is for a handler, and takes no other option.",
    default: "present",
  }),
  place: choice(["auto", "docker_opts", "daemon_json"], {
    description:
      "Where the options go. C(auto) leaves an option where it is, and puts a new one into C(DOCKER_OPTS) where this host's " +
      "Docker reads that, and into C(daemon.json) elsewhere. The other two move it. A unit that sets an option by itself, or " +
      "reads no C(DOCKER_OPTS), gets a drop-in where that is needed.",
    default: "auto",
  }),
  bridge: str({ description: "The bridge that containers are put on." }, interfaceName),
  fixed_cidr: str(
    {
      description:
        "The subnet that containers get their addresses from. It lies in the bridge's network; Docker itself would only " +
        "warn of another, and give out addresses that other hosts use.",
    },
    ipv4Network,
  ),
  bridge_address: str(
    {
      description:
        "The bridge's address with its network's prefix length, to hold I(fixed_cidr) against. The one that the bridge has, unless told.",
    },
    ipv4Interface,
  ),
  dns: list({ description: "The name servers of containers, in this order." }, ipv4),
  dns_search: list({ description: "The search domains of containers, in this order." }, domain),
  mtu: int({ description: "The largest packet that containers may send, in bytes." }, 68, 65535),
  opts: textOrObject({
    description:
      "More options as dockerd's command line has them, C(--log-level=warn --dns 8.8.8.8), which is the form of Apollo's " +
      'C(weave_docker_opts), or as daemon.json has them, C({"log-level": "warn", "dns": ["8.8.8.8"]}). An option that is given ' +
      "here as well as by its own name must agree.",
    default: "",
  }),
};

export type DockerOptions = Values<typeof options>;

function domain(text: string): string {
  if (
    !/^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$|^\.$/.test(
      text,
    )
  ) {
    throw new UserError(`"${text}" is not a domain name; write it as service.consul`);
  }
  return text;
}
