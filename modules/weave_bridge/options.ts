import { UserError } from "../core/errors";
import { bool, choice, int, list, str, type Values } from "../core/options";
import { hostAddress, ipv4Interface, ipv4Network, isIpv4 } from "../net/ipv4";
import { addressOrHostName, interfaceName, LONGEST_INTERFACE_NAME, macAddress } from "../net/validators";
/** Of the bridge's name the VXLAN device's is made, with this behind it. */
export const VXLAN_SUFFIX = "-vx";

export const options = {
  state: choice(["present", "absent"], {
    description:
      "C(present) has the bridge as the other options say, now and after every boot. C(absent) removes the bridge and all " +
      "that this module made for it.",
    default: "present",
  }),
  force: bool({
    description: "With I(state=absent), remove the bridge even while containers are attached, which cuts them off.",
    default: false,
  }),
  docker_leaves: bool({
    description:
      "With I(state=absent), take the ports of Docker's containers for gone: for a check before a restart of Docker that takes them along.",
    default: false,
  }),
  name: str({ description: "The bridge's name.", default: "weave" }, bridgeName),
  network: str(
    {
      description: "The container network of the whole cluster, from which I(host_index) is counted.",
      default: "10.2.0.0/16",
    },
    ipv4Network,
  ),
  host_index: int(
    {
      description:
        "The host's number in the cluster, from 1, never used by another host. Host N gets the bridge address 10.2.0.N/16 " +
        "and the container subnet 10.2.N.0/24 in the default network. Needed unless I(address) and I(docker_subnet) are given.",
    },
    1,
    2 ** 24,
  ),
  docker_prefix: int({ description: "The prefix length of each host's container subnet.", default: 24 }, 9, 30),
  address: str(
    {
      description:
        "The bridge's address with the network's prefix length, instead of the one counted from I(host_index).",
    },
    ipv4Interface,
  ),
  docker_subnet: str(
    {
      description:
        "The subnet of this host's containers, instead of the one counted from I(host_index). It lies in the bridge's network.",
    },
    ipv4Network,
  ),
  datapath: choice(["router", "vxlan"], {
    description:
      "What carries frames between hosts. C(router) leaves the bridge to the Weave router. C(vxlan) puts a kernel VXLAN " +
      "device on the bridge, with one entry a peer: many times as fast, without encryption.",
    default: "router",
  }),
  peers: list(
    {
      description:
        "The other hosts of the cluster, for the C(vxlan) datapath: each its address on the underlay or its name, which " +
        "this host must be able to look up, in DNS or its C(/etc/hosts). Of several addresses the one in the underlay's " +
        "network is taken. This host itself may be among them and is left out: by an address of its own, or by its host " +
        "name where that resolves to the loopback or not at all. Any other name that resolves to the loopback is refused.",
      default: [],
    },
    peer,
  ),
  underlay: str({
    description:
      "What the hosts reach one another by: a network device of this host, its address there, or a name that resolves to " +
      "that. The device of the default route unless told, and for a name that resolves to the loopback.",
  }),
  vxlan_id: int(
    { description: "The VXLAN network identifier, the same on all hosts and another for each bridge.", default: 6783 },
    1,
    2 ** 24 - 1,
  ),
  vxlan_port: int({ description: "The UDP port of the VXLAN, the same on all hosts.", default: 4789 }, 1, 65535),
  mtu: int(
    {
      description:
        "The largest packet that containers may send, in bytes. Unless told, 1500 with the Weave router, and with C(vxlan) the underlay's less 50 for the headers.",
    },
    576,
    65535,
  ),
  mac: str(
    {
      description:
        "The bridge's hardware address, which is also the name of the Weave router's peer. Unless told, one derived from " +
        "the host's machine-id, so that it is the same after every boot.",
    },
    macAddress,
  ),
  provider: choice(["auto", "ifupdown", "networkd"], {
    description:
      "What makes the bridge at boot: a file of ifupdown's, or files of systemd-networkd's (a host under netplan has it too). " +
      "C(auto) takes the one that manages this host's network. Where NetworkManager runs as well, it is told to keep off.",
    default: "auto",
  }),
  firewall: bool({
    description:
      "Whether iptables is to pass the frames between the bridge's own ports, which a FORWARD policy of DROP would take " +
      "where the kernel shows bridged frames to iptables, as it does with Docker.",
    default: true,
  }),
};

export type BridgeOptions = Values<typeof options>;

function peer(text: string): string {
  return isIpv4(text) ? hostAddress(text) : addressOrHostName(text);
}

function bridgeName(text: string): string {
  if (text.length + VXLAN_SUFFIX.length > LONGEST_INTERFACE_NAME) {
    throw new UserError(
      `"${text}" is too long, as ${text}${VXLAN_SUFFIX} has to be an interface's name too; use a shorter one`,
    );
  }
  return interfaceName(text);
}
