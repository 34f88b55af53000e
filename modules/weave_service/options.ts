import { choice, int, list, str } from "../core/option";
import type { Values } from "../core/parse_options";
import { Refusal } from "../core/refusal";
import { interfaceName } from "../network/interface_name";
import { isIpv4 } from "../network/ipv4";

export const options = {
  state: choice(["started", "stopped", "absent"], {
    description:
      "C(started) has the router running, answering, and started with Docker from now on. C(stopped) has it stopped and " +
      "not started with Docker. C(absent) also removes its unit and environment file.",
    default: "started",
  }),
  script: str(
    { description: "Where the C(weave) script is on the host.", default: "/usr/local/bin/weave" },
    absolutePath,
  ),
  bridge: str({ description: "The bridge that weave_bridge made.", default: "weave" }, interfaceName),
  peers: list(
    { description: "The other hosts' addresses on the underlay, or names that resolve there.", default: [] },
    peer,
  ),
  mtu: int(
    {
      description: "The bridge's MTU in bytes. A router that is not told makes it 65535.",
      default: 1500,
    },
    576,
    65535,
  ),
  args: list({ description: "More arguments of C(weave launch), such as C(--no-dns).", default: [] }, launchArgument),
  password: str(
    {
      description:
        "The password that encrypts what routers send one another, the same on all hosts. It is kept in a file that root alone reads.",
      secret: true,
    },
    password,
  ),
  timeout: int({ description: "How many seconds the router has to answer after its start.", default: 120 }, 1, 3600),
};

export type ServiceOptions = Values<typeof options>;

function absolutePath(text: string): string {
  if (!/^\/[A-Za-z0-9_./+@:-]+$/.test(text))
    throw new Refusal(`"${text}" is not an absolute path of letters, digits and "_.+@:/-"`);
  return text;
}

function peer(text: string): string {
  const name = /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/;
  const looksNumeric = /^[\d.]+$/.test(text);
  if (looksNumeric ? !isIpv4(text) : !name.test(text)) {
    throw new Refusal(`"${text}" is neither an IPv4 address nor a host name; write it as 192.168.50.12`);
  }
  return text;
}

function launchArgument(text: string): string {
  if (/^--password/.test(text))
    throw new Refusal("a password there can be read in the process list; give it as password");
  if (!/^--[a-z][A-Za-z0-9_.:/=,@%+-]*$/.test(text))
    throw new Refusal(`"${text}" is no argument of weave launch; write it as --name=value`);
  return text;
}

function password(text: string): string {
  if (text === "" || /\p{Cc}/u.test(text)) throw new Refusal("is empty or has control characters");
  return text;
}
