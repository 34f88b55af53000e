import type { FileState } from "../core/host/host";
import type { IpLink, VxlanDevice } from "../formats/iproute";
import type { Route, Rule } from "../formats/routes";
import type { WireguardDump } from "../formats/wireguard";
import type { ObservedFirewall } from "./firewall/observe";

/** The host as weave_bridge observes it. */
export interface ObservedBridge {
  /** /etc/machine-id, which is the same after every boot; "" if there is none. */
  readonly machineId: string;
  /** The kernel's host name. */
  readonly hostName: string;
  readonly managers: Managers;
  /** /etc/network/interfaces; null if it does not exist. */
  readonly interfaces: FileState | null;
  /** Where a link at /etc/network/interfaces leads if that does not exist. */
  readonly danglingInterfaces: string | null;
  /** The names in /etc/network/interfaces.d. */
  readonly interfacesDirectory: readonly string[];
  /** Whether ifupdown has the bridge in its list of interfaces that are up. */
  readonly upInIfupdown: boolean;
  /** The files that this module may have written, by path. */
  readonly files: ReadonlyMap<string, FileState | null>;
  /** Which units of STARTED_BY start the bridge's unit. */
  readonly unitStartedBy: readonly string[];
  /** The files that say which reloads an interrupted run did not make (pendingReloadPath()). */
  readonly pendingReloads: readonly string[];
  /** All network devices with their IPv4 addresses. */
  readonly links: readonly IpLink[];
  /** The IPv4 addresses that this host resolves the names among the options to. */
  readonly resolvedNames: ReadonlyMap<string, readonly string[]>;
  /** What else would create or configure the bridge or its VXLAN at boot. */
  readonly otherSettings: readonly OtherSetting[];
  /** The IPv4 routes of all tables, and the rules by which the kernel looks them up. */
  readonly routes: readonly Route[];
  readonly rules: readonly Rule[];
  /** The kinds of devices that this kernel can't create. */
  readonly missingKinds: readonly MissingKind[];
  /** What holds the VXLAN's UDP port, such as "dnsmasq (process 812)"; null if it is free, or held by a VXLAN. */
  readonly portHolder: string | null;
  /** The MTU of every device, in bytes. */
  readonly mtus: ReadonlyMap<string, number>;
  readonly bridge: ObservedDevice | null;
  readonly vxlan: ObservedVxlan | null;
  /** The ports that the Weave router has created for containers which are gone; it keeps them until it ends. Empty unless state is absent. */
  readonly abandonedPorts: readonly string[];
  readonly wireguard: ObservedWireguard | null;
  /** What a WireGuard device needs of this host; null if the options ask for none. */
  readonly wireguardNeeds: WireguardNeeds | null;
  /** The ports of Docker's containers that belong on the bridge and are on none. */
  readonly detachedPorts: readonly string[];
  /** Docker's networks on the bridge with containers, if the options may change what these were given; none otherwise. */
  readonly dockerNetworks: readonly NetworkInUse[];
  /**
   * How many copies iptables has of the forward rule, which accepts the bridge's frames (countRules()); null without iptables, or
   * without root to ask it.
   */
  readonly forwardRuleCount: number | null;
  /** Whether firewalld's configuration has that rule; null unless firewalld runs. */
  readonly firewalldHasForwardRule: boolean | null;
  /** The packet filters; null if they are not to be read, or without root to read them. */
  readonly firewall: ObservedFirewall | null;
  /** What makes Docker use nftables instead of iptables; null if nothing does, without root, or if the options ask for no rule. */
  readonly nftablesBackend: string | null;
  /** The iptables rule by which Docker isolates the bridge's containers; null if there is none, or without root to ask iptables. */
  readonly isolation: string | null;
  /** The MAC address of another host that answers to the bridge's address, as far as this host can see. */
  readonly macAtAddress: string | null;
}

/** A Docker network, other than the default one, that containers are on. */
export interface NetworkInUse {
  readonly name: string;
  /** The containers' gateway; "" if Docker does not report it. */
  readonly gateway: string;
  /** The containers' MTU in bytes; null for Docker's default. */
  readonly mtu: number | null;
  readonly members: readonly string[];
}

/** A setting of others: a line of their file that configures a device that this module is to configure. */
export interface OtherSetting {
  /** What reads the file. */
  readonly reader: "ifupdown" | "networkd" | "NetworkManager" | "systemd";
  readonly device: string;
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly text: string;
  /** Whether systemd-networkd prefers it to this module's file: it takes the first file that matches. */
  readonly comesFirst: boolean;
}

/** A kind of device that this kernel can't create. */
export interface MissingKind {
  readonly kind: DeviceKind;
  /** What was found. */
  readonly found: string;
}

/** The kinds of devices that this module creates. */
export type DeviceKind = "bridge" | "vxlan" | "wireguard";

/** What every device has. */
export interface ObservedLink {
  readonly mac: string;
  /** In bytes. */
  readonly mtu: number;
  readonly up: boolean;
  /** The bridge that the device is a port of. */
  readonly master: string | null;
}

/** The device with the bridge's name, whatever it is. */
export interface ObservedDevice extends ObservedLink {
  readonly isBridge: boolean;
  readonly ports: readonly string[];
  /** The kernel settings that are on, for this device or all. */
  readonly settings: readonly DeviceSetting[];
}

/** Kernel settings of a device in /proc/sys/net/ipv4/conf (ip-sysctl). They are lost when the device is deleted. */
export type DeviceSetting = "promote_secondaries" | "arp_notify";
/** All of them. */
export const DEVICE_SETTINGS: readonly DeviceSetting[] = ["promote_secondaries", "arp_notify"];

/** The device with the VXLAN's name. */
export interface ObservedVxlan extends ObservedLink {
  /** Null if it is not a VXLAN. */
  readonly parameters: VxlanDevice | null;
  readonly peers: readonly string[];
}

/** The device with WireGuard's name. */
export interface ObservedWireguard extends ObservedLink {
  /** The link-local addresses of IPv6, with prefix length. */
  readonly addresses: readonly string[];
  /** Null if it is not a WireGuard device, or if this user may not ask. */
  readonly config: WireguardDump | null;
  /** When it was observed, in seconds since 1970. */
  readonly observedAt: number;
  /** Whether a program such as wireguard-go runs it, not the kernel. */
  readonly byProgram: boolean;
}

/** What this host has of what a WireGuard device needs. */
export interface WireguardNeeds {
  /** Whether wg is installed. */
  readonly tools: boolean;
  /** What creates such a device: this kernel, or the program wireguard-go; null if neither can. */
  readonly implementation: "kernel" | "wireguard-go" | null;
  /** Whether this host has /dev/net/tun, which wireguard-go needs. */
  readonly tun: boolean;
  /** Whether this kernel has IPv6. */
  readonly ipv6: boolean;
  /** What holds WireGuard's UDP port; null if it is free, or the device's own. */
  readonly portHolder: string | null;
}

/** What creates the bridge at boot. */
export type Provider = "ifupdown" | "networkd" | "systemd";

/** The programs that may manage this host's network. */
export interface Managers {
  /** Whether systemd is process 1. */
  readonly systemd: boolean;
  /** The state of this module's own unit, as systemd names it; "inactive" if there is none. */
  readonly ownUnitState: string;
  /** The state of the unit that creates the encrypted VXLAN (encryptedPaths()), and of the one that wireguard-go runs in. */
  readonly tunnelUnitState: string;
  readonly wireguardGoState: string;
  /** Whether Debian's ifupdown is installed, with its /etc/network/interfaces. */
  readonly ifupdown: boolean;
  /** Another program that is installed as ifup, such as ifupdown2. */
  readonly otherIfupdown: string | null;
  /** What keeps Debian's ifupdown from creating the bridge at boot, and what to do about it. */
  readonly whyIfupdownIsOff: { readonly found: string; readonly remedy: string } | null;
  /** Whether systemd-networkd is off, runs, or runs and manages a device other than the bridge. */
  readonly networkd: "off" | "runs" | "manages";
  /** Whether systemd-networkd runs, or will from the next boot on. */
  readonly networkdAtBoot: boolean;
  /**
   * Whether it runs, and is older than 250: it removes a device's addresses while it applies the device's changed file (systemd pull
   * request 21122), and before 247 knows no Independent= of a VXLAN (systemd.netdev(5)).
   */
  readonly oldNetworkd: boolean;
  /** Whether NetworkManager runs. */
  readonly networkManager: boolean;
  /** Whether NetworkManager runs, or will from the next boot on. */
  readonly networkManagerAtBoot: boolean;
  /** Whether firewalld runs. */
  readonly firewalld: boolean;
}

/** The device that the Weave router attaches, since Weave 2.0, to a bridge that it did not create. */
export const ROUTER_DEVICE = "vethwe-bridge";

/** Whether a device is named like a Docker container's port: "veth" and seven hexadecimal digits (moby's libnetwork, drivers/bridge). */
export function isContainerPort(device: string): boolean {
  return /^veth[0-9a-f]{7}$/.test(device);
}
