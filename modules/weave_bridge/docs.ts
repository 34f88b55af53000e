import type { ModuleDocs } from "../core/module";

const PRESENT = "with I(state=present)";

export const docs: ModuleDocs = {
  short_description: "Configure the bridge of a host's containers, and what connects it to the other hosts' bridges",
  description: [
    "Creates the Linux bridge that Docker attaches containers to, with the host's own address. Drift of the running bridge is " +
      "corrected with as few changes as possible. After a reboot the bridge is created from files of ifupdown or " +
      "systemd-networkd (250 or newer, also used by netplan), if one of them manages the host's network, and otherwise by a " +
      "systemd unit. Docker requires that unit: it does not start if the bridge can't be created, and stops if the unit is stopped.",
    "An existing bridge is never deleted and recreated: containers stay attached while its address, MTU, MAC address or peers " +
      "change. Only the VXLAN device may be recreated: for another identifier, port, local address or flags, when encryption is " +
      "turned on or off, or when wireguard-go has to move into its own unit. The result then says so in C(disruptions).",
    "Fails, and changes nothing, if the network overlaps an address or route of the host, if a rule of policy routing sends " +
      "its packets elsewhere, if the bridge exists and another host already answers to its new address, if the kernel could not create the devices (the " +
      "module is missing, the VXLAN's UDP port is in use), or if another file of ifupdown, systemd-networkd or NetworkManager configures " +
      "them. " +
      "Where modprobe is missing, as in a container, whether the kernel has the module is not known beforehand.",
    "The host's firewalls are read. With I(firewall=check) the module adds one rule, for frames between the bridge's ports; it " +
      "changes nothing else unless I(firewall=manage). C(check) assumes that rules which this module does not understand, such " +
      "as those of an ipset, accept packets; C(manage) adds its rules before them.",
  ],
  requirements: [
    "iproute2",
    "systemd, or Debian's ifupdown (not ifupdown2 or ifupdown-ng)",
    "for encryption, wireguard-tools and a kernel with WireGuard (5.6 or newer) or wireguard-go",
  ],
  examples: `- name: Configure the bridge of host 1, with the Weave router between the hosts
  weave_bridge:
    host_index: 1

- name: Configure the same with the kernel's VXLAN
  weave_bridge:
    host_index: 1
    datapath: vxlan
    underlay: eth0
    peers:
      - 192.168.50.12
      - 192.168.50.13

- name: Configure the same, encrypted by WireGuard
  weave_bridge:
    host_index: 1
    datapath: vxlan
    password: "{{ vaulted_password }}"
    underlay: eth0
    peers:
      - 192.168.50.12
      - 192.168.50.13

- name: Configure a bridge with given addresses
  weave_bridge:
    address: 10.2.0.1/16
    docker_subnet: 10.2.1.0/24

- name: Remove the bridge and everything that was created for it
  weave_bridge:
    state: absent
`,
  returns: {
    name: { type: "str", description: "The bridge's name.", returned: "success", sample: "weave" },
    address: {
      type: "str",
      description: "The bridge's address with the network's prefix length.",
      returned: PRESENT,
      sample: "10.2.0.1/16",
    },
    network: {
      type: "str",
      description: "The container network of the cluster.",
      returned: PRESENT,
      sample: "10.2.0.0/16",
    },
    docker_subnet: {
      type: "str",
      description: "The subnet of this host's containers, for Docker's C(--fixed-cidr).",
      returned: PRESENT,
      sample: "10.2.1.0/24",
    },
    datapath: {
      type: "str",
      description: "What carries frames between hosts, C(router) or C(vxlan).",
      returned: PRESENT,
      sample: "vxlan",
    },
    wireguard: {
      type: "bool",
      description: "Whether WireGuard encrypts the traffic between hosts.",
      returned: PRESENT,
      sample: false,
    },
    mtu: {
      type: "int",
      description: "The largest packet that containers can send, in bytes, for Docker's C(--mtu).",
      returned: PRESENT,
      sample: 1450,
    },
    provider: {
      type: "str",
      description: "What creates the bridge at boot, C(ifupdown), C(networkd) or C(systemd).",
      returned: PRESENT,
      sample: "ifupdown",
    },
    mac: { type: "str", description: "The bridge's MAC address.", returned: PRESENT, sample: "0e:5f:33:00:00:01" },
  },
};
