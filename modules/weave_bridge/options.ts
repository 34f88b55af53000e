import { isIPv4 } from "node:net";
import { UserError } from "../core/errors";
import { optionNames } from "../core/option_names";
import { bool, choice, dict, int, list, str, type Values } from "../core/options";
import { containerSubnet, hostAddress, ipv4Interface, ipv4Network } from "../net/ipv4";
import { addressOrHostName, interfaceName, LONGEST_INTERFACE_NAME, macAddress, password } from "../net/validators";
import { VXLAN_SUFFIX } from "./names";

export const options = {
  state: choice(["present", "absent"], {
    description:
      "C(present) configures the bridge as the other options say, now and after every boot. C(absent) removes the bridge " +
      "and everything else that this module created for it.",
    default: "present",
  }),
  force: bool({
    description: "With I(state=absent), remove the bridge even while containers are attached. They lose their network.",
    default: false,
  }),
  ignore_docker_ports: bool({
    description:
      "With I(state=absent), assume that the ports of Docker's containers are gone. For check mode, when the restart of " +
      "Docker that would remove them is only predicted.",
    default: false,
  }),
  name: str(
    {
      description: "The bridge's name. Must not be a bridge of another program, such as docker0.",
      default: "weave",
    },
    bridgeName,
  ),
  network: str(
    {
      description: "The container network of the whole cluster. Each host's part of it is computed from I(host_index).",
      default: "10.2.0.0/16",
    },
    ipv4Network,
  ),
  host_index: int(
    {
      description:
        "The host's index in the cluster, from 1, different on each host. In the default network the host with the index N " +
        "gets the bridge address 10.2.0.N/16 and the container subnet 10.2.N.0/24. Required unless I(address) and " +
        "I(docker_subnet) are set.",
    },
    1,
    2 ** 24,
  ),
  docker_prefix: int({ description: "The prefix length of each host's container subnet.", default: 24 }, 9, 30),
  address: str(
    {
      description:
        "The bridge's address with the network's prefix length. By default it is computed from I(host_index).",
    },
    ipv4Interface,
  ),
  docker_subnet: str(
    {
      description:
        "The subnet of this host's containers, in the bridge's network. By default it is computed from I(host_index).",
    },
    containerSubnet,
  ),
  datapath: choice(["router", "vxlan"], {
    description:
      "What carries frames between hosts. With C(router), the Weave router attaches itself to the bridge. C(vxlan) adds a " +
      "kernel VXLAN device to the bridge, which sends to each peer directly. It is faster, as frames stay in the kernel, and encrypted if I(password) is set.",
    default: "router",
  }),
  peers: list(
    {
      description:
        "The other hosts of the cluster, for the C(vxlan) datapath. Each is an address on the underlay (the network that connects the hosts), or a name that " +
        "this host can resolve, by DNS or its C(/etc/hosts). If a name has several addresses, the one in the underlay's " +
        "network is used. The list may include this host, by any of its addresses, or by its host name if that resolves to " +
        "a loopback address or not at all; it is left out. Any other name that resolves to a loopback address is an error.",
      default: [],
    },
    peer,
  ),
  underlay: str({
    description:
      "How this host is connected to the other hosts: a network device of this host, an address of one, or a name that " +
      "resolves to such an address. By default, and if the name resolves to a loopback address, the device of the default " +
      "route. If the device has several addresses, the one from which the host sends to the peers is used; if it has none, the one that " +
      "its routes set, or that of lo.",
  }),
  vxlan_id: int(
    {
      description:
        "The VXLAN network identifier, the same on all hosts. No other VXLAN with the same port may have it.",
      default: 6783,
    },
    1,
    2 ** 24 - 1,
  ),
  vxlan_port: int(
    {
      description:
        "The UDP port of the VXLAN. It must be the same on all hosts. Other VXLANs of a host can share it unless they were " +
        "created with flags such as C(external) or C(gbp).",
      default: 4789,
    },
    1,
    65535,
  ),
  password: str(
    {
      description:
        "Encrypts the C(vxlan) datapath by WireGuard, with keys that each host derives from this password. The same on all " +
        "hosts, and at least 16 characters: anyone who records the traffic can guess passwords offline. The Weave router's " +
        "password is an option of M(weave_service).",
      secret: true,
    },
    password,
  ),
  wireguard_port: int(
    {
      description:
        "The UDP port of WireGuard, the same on all hosts. With encryption the hosts need no other open port between them.",
      default: 51820,
    },
    1,
    65535,
  ),
  wireguard_key: str(
    {
      description:
        "This host's private key for WireGuard, in base64 as C(wg genkey) prints it, instead of one that is derived from " +
        "I(password). With I(password), each pair of hosts also has a preshared key that is derived from it.",
      secret: true,
    },
    privateKey,
  ),
  wireguard_peer_keys: dict(
    {
      description:
        "With I(wireguard_key), the public keys of the peers by their addresses on the underlay. They may include this host's key.",
      default: {},
    },
    hostAddress,
    publicKey,
  ),
  wireguard_identity: str(
    {
      description:
        "The address by which the peers know this host, from which its key is derived. Set it if it is not an address of " +
        "this host, as behind NAT. By default the host's address on the underlay.",
    },
    hostAddress,
  ),
  mtu: int(
    {
      description:
        "The largest packet that containers can send, in bytes. By default the underlay's MTU minus the headers: with C(vxlan) 50, or " +
        "130 if it is encrypted; with the Weave router 62, or 86 if it encrypts. A bridge with containers that something else has " +
        "created with the underlay's MTU, such as Apollo's, keeps it with the router.",
    },
    576,
    65535,
  ),
  router_encrypts: bool({
    description: "Whether the Weave router encrypts, for the default of I(mtu) with C(datapath=router).",
    default: false,
  }),
  mac: str(
    {
      description:
        "The bridge's MAC address, which no other device may have. The Weave router also uses it as its own name among its " +
        "peers. By default it is derived from the host's machine-id, so that it is the same after every boot.",
    },
    macAddress,
  ),
  provider: choice(["auto", "ifupdown", "networkd", "systemd"], {
    description:
      "What creates the bridge at boot: a file for ifupdown; files for systemd-networkd, which netplan uses too; or a systemd " +
      "unit, C(weave-bridge.service), whatever manages the host's network. C(auto) uses systemd-networkd or ifupdown if " +
      "it manages this host's network, and otherwise C(systemd). NetworkManager, if it runs, is configured to leave the bridge " +
      "unmanaged, and with C(systemd) so is systemd-networkd.",
    default: "auto",
  }),
  firewall: choice(["check", "manage", "off"], {
    description:
      "What to do about the host's firewalls. They must accept the peers' traffic (with C(vxlan) UDP port I(vxlan_port), or " +
      "I(wireguard_port) if it is encrypted; with the router TCP and UDP port 6783), containers' traffic to the bridge's address, and " +
      "frames between the bridge's ports. C(check) warns about what they drop, and about a VXLAN that is open to the Internet. " +
      "C(manage) opens exactly that, now and after every boot, in firewalld, ufw, or else iptables and the chains of nftables, and " +
      "closes it when it is no longer needed. With both, one iptables rule accepts the frames between the bridge's ports, which Docker " +
      "would drop (under firewalld only with C(manage)). C(off) removes that rule, and neither changes nor checks " +
      "anything else. Unless it is C(off), a Docker that uses nftables (C(firewall-backend), from Docker 29 on) is rejected.",
    default: "check",
  }),
  option_names: optionNames,
};

export type BridgeOptions = Values<typeof options>;

function peer(text: string): string {
  return isIPv4(text) ? hostAddress(text) : addressOrHostName(text);
}

/** 32 bytes in base64: the last character has two zero bits. */
const WIREGUARD_KEY = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;

function privateKey(text: string): string {
  if (WIREGUARD_KEY.test(text)) return text;
  throw new UserError(
    "must be a WireGuard key (found a value of another form, not shown). Set it in base64, 44 characters, as wg genkey prints it.",
  );
}

function publicKey(text: string): string {
  if (WIREGUARD_KEY.test(text)) return text;
  throw new UserError(
    `must be a WireGuard key (found "${text}"). Set it in base64, 44 characters, as wg pubkey prints it.`,
  );
}

/** Whether the traffic between hosts is to be encrypted by WireGuard. */
export function hasWireguard(options: BridgeOptions): boolean {
  return options.state === "present" && (options.password !== null || options.wireguard_key !== null);
}

function bridgeName(text: string): string {
  const longest = LONGEST_INTERFACE_NAME - VXLAN_SUFFIX.length;
  if (text.length > longest) {
    throw new UserError(
      `must have at most ${longest} characters, as the VXLAN device's name is the bridge's name with ${VXLAN_SUFFIX} appended ` +
        `(found "${text}", ${text.length} characters). Set a shorter name.`,
    );
  }
  const owner = BRIDGES_OF_OTHERS.find(([pattern]) => pattern.test(text))?.[1];
  if (owner !== undefined) {
    throw new UserError(
      `must not be the name of a bridge that ${owner} creates and deletes itself (found "${text}"). Set another name, such as weave.`,
    );
  }
  return interfaceName(text);
}

/** The bridges that other programs create. */
const BRIDGES_OF_OTHERS: readonly (readonly [pattern: RegExp, owner: string])[] = [
  [/^docker0$/, "Docker"],
  [/^(podman|cni-podman)\d+$/, "Podman"],
  [/^cni0$/, "Kubernetes"],
  [/^virbr\d+$/, "libvirt"],
  [/^lxcbr0$/, "LXC"],
  [/^lxdbr0$/, "LXD"],
];
