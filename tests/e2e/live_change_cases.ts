export type Provider = "ifupdown" | "networkd" | "systemd";

const FILES = {
  ifupdown: "/etc/network/interfaces.d/weave.cfg",
  networkd: {
    bridge: "/etc/systemd/network/05-weave.netdev",
    network: "/etc/systemd/network/05-weave.network",
    vxlan: "/etc/systemd/network/05-weave-vx.network",
  },
  systemd: "/etc/systemd/system/weave-bridge.service",
};

const APOLLO = `auto weave
iface weave inet manual
  pre-up /usr/local/bin/weave create-bridge
  post-up ip addr add dev weave 10.2.0.1/16
  pre-down ifconfig weave down
  post-down brctl delbr weave
`;

/** A change of a live bridge, or a repair of what has drifted from its options. */
export interface LiveChange {
  /** What is done to the host beforehand. */
  readonly by?: string;
  /** Other options of weave_bridge than the first ones. */
  readonly options?: Record<string, string | number>;
  /** What of the running kernel it changes, and which files. */
  readonly subjects: readonly string[];
  readonly files?: readonly string[];
}

/** A change that deletes an address, on a bridge whose kernel setting for that is off, as it is without systemd-networkd. */
export const ANOTHER_ADDRESS = {
  by: "echo 0 > /proc/sys/net/ipv4/conf/weave/promote_secondaries",
  subjects: ["bridge weave: promote_secondaries", "bridge weave: address"],
};

/**
 * Every change of a live bridge that leaves its VXLAN device in place, by name, one after another: on apollo1 of the hosts
 * that `joinByCommand` joins, under this provider. The last one leaves all as it was before the first.
 */
export function liveChangeCases(provider: Provider): Readonly<Record<string, LiveChange>> {
  const [netdev, network, vxlan] = [FILES.networkd.bridge, FILES.networkd.network, FILES.networkd.vxlan];
  const stanza = FILES.ifupdown;
  const file = (...networkd: string[]): string[] => (provider === "networkd" ? networkd : [FILES[provider]]);
  const readdressed = { ...ANOTHER_ADDRESS, files: file(network) };
  return {
    "another address": { ...readdressed, options: { "host-index": 3 } },
    "the first address again": readdressed,
    "another network": { ...readdressed, options: { network: "10.4.0.0/16" } },
    "the first network again": readdressed,
    "another MTU": {
      options: { mtu: 1400 },
      subjects: ["bridge weave: mtu", "weave-vx: mtu"],
      files: file(network, vxlan),
    },
    "another MAC address": {
      options: { mtu: 1400, mac: "0e:5f:33:00:00:99" },
      subjects: ["bridge weave: arp_notify", "bridge weave: mac"],
      files: file(netdev),
    },
    "the first MTU and MAC address again": {
      by: "echo 0 > /proc/sys/net/ipv4/conf/weave/arp_notify",
      subjects: ["bridge weave: arp_notify", "bridge weave: mac", "bridge weave: mtu", "weave-vx: mtu"],
      files: file(netdev, network, vxlan),
    },
    "two peers more": {
      options: { peers: "192.168.50.12,192.168.50.13,192.168.50.14" },
      subjects: ["bridge weave: peers"],
      files: file(vxlan),
    },
    // With this host's own name at the loopback, as Debian's installer has it.
    "two peers fewer, all by name": {
      by: "sed -i 's/^[^ ]* apollo1$/127.0.1.1 apollo1/' /etc/hosts",
      options: { underlay: "apollo1", peers: "apollo1,apollo2" },
      subjects: ["bridge weave: peers"],
      files: file(vxlan),
    },
    "a boot file as Apollo's role wrote it is replaced": {
      by: `mkdir -p /etc/network/interfaces.d; printf '%s' '${APOLLO}' > ${stanza}`,
      subjects: [],
      files: [stanza],
    },
    "a second address on the bridge is removed": {
      ...ANOTHER_ADDRESS,
      by: `${ANOTHER_ADDRESS.by}; ip addr add 10.2.0.99/16 dev weave`,
    },
    "the bridge's missing address is added": { by: "ip addr flush dev weave", subjects: ["bridge weave: address"] },
    "the missing rule for the bridge's frames is added": {
      by: "iptables -w -D FORWARD -i weave -o weave -m comment --comment weave_bridge -j ACCEPT",
      subjects: ["bridge weave: frames between its ports"],
    },
    "only the boot file is repaired": {
      by: `echo '# mine' >> ${file(network)[0]}`,
      subjects: [],
      files: file(network),
    },
  };
}
