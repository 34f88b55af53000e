import type { ModuleDocs } from "../../build/docs";

const PRESENT = "with I(state=present)";

export const docs: ModuleDocs = {
  short_description: "Make the bridge of a host's containers, and what joins it to the other hosts'",
  description: [
    "Makes the Linux bridge that Docker puts containers on, with the host's own address, and keeps it so: now, by the least " +
      "change of the live bridge, and after a reboot, by files of what manages the host's network: ifupdown, or " +
      "systemd-networkd (247 or newer), which netplan uses too.",
    "What is there is never bounced: containers stay attached while address, MTU, hardware address or peers change. Only a " +
      "VXLAN with another identifier, port or own address is made anew, which the result says.",
    "Refuses a network that overlaps an address or route of the host's, and an address that another host answers to.",
    "Firewalls that drop bridged frames elsewhere than in iptables (tables of nftables' own, firewalld with nftables) are not changed.",
  ],
  requirements: ["iproute2", "ifupdown, or systemd-networkd 247 or newer"],
  examples: `- name: Host 1 of a cluster that the Weave router joins
  weave_bridge:
    host_index: 1

- name: The same joined by the kernel's VXLAN
  weave_bridge:
    host_index: 1
    datapath: vxlan
    underlay: eth0
    peers:
      - 192.168.50.12
      - 192.168.50.13

- name: Addresses of one's own choice
  weave_bridge:
    address: 10.2.0.1/16
    docker_subnet: 10.2.1.0/24

- name: Nothing of it any more
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
    mtu: {
      type: "int",
      description: "The largest packet that containers may send, in bytes, for Docker's C(--mtu).",
      returned: PRESENT,
      sample: 1450,
    },
    provider: {
      type: "str",
      description: "What makes the bridge at boot, C(ifupdown) or C(networkd).",
      returned: PRESENT,
      sample: "ifupdown",
    },
    mac: { type: "str", description: "The bridge's hardware address.", returned: PRESENT, sample: "0e:5f:33:00:00:01" },
  },
};
