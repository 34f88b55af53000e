import { basename, dirname } from "node:path";
import { type DesiredFile, run } from "../core/change";
import { FLOOD_MAC } from "../formats/iproute";
import { renderSections, type Section } from "../formats/systemd_ini";
import type { DesiredBridge, DesiredVxlan } from "./desired";
import { insertRuleLine } from "./firewall";
import { VXLAN_SUFFIX } from "./options";

/** systemd-networkd's own folder for an administrator's files. */
const FOLDER = "/etc/systemd/network";

/** The first file in order whose [Match] fits a device is the one that counts: ours before netplan's (10-…) and others'. */
const PREFIX = "05-";

/** Where the bridge's and its VXLAN device's files are. */
export function networkdPaths(name: string): string[] {
  return [name, name + VXLAN_SUFFIX].flatMap((device) => [path(device, "netdev"), path(device, "network")]);
}

/** Where Docker's unit is told to wait for the bridge. */
export function dockerDropInPath(name: string): string {
  return `${DROP_IN_FOLDER}/${name}-bridge.conf`;
}

const DROP_IN_FOLDER = "/etc/systemd/system/docker.service.d";

/** Takes away the folder that may have been made for the file in it, if it is still there and others have no files there. */
export const REMOVE_DROP_IN_FOLDER = run([
  ...["find", dirname(DROP_IN_FOLDER), "-maxdepth", "1", "-name", basename(DROP_IN_FOLDER)],
  ...["-type", "d", "-empty", "-delete"],
]);

/**
 * Has systemd-networkd read its files, and waits until it has set up the bridge by them. What is live then is what the
 * files say, so it finds nothing to change.
 */
export function reloadNetworkd(name: string) {
  return [run(["networkctl", "reload"]), run(waitOnline(name, 30), 40)];
}

export const RELOAD_NETWORKD = [run(["networkctl", "reload"])];

export const RELOAD_SYSTEMD = [run(["systemctl", "daemon-reload"])];

/** The files by which systemd-networkd makes the bridge at boot, and Docker waits for it. */
export function networkdFiles(wanted: DesiredBridge): DesiredFile[] {
  const { name, vxlan } = wanted;
  return [
    file(path(name, "netdev"), bridgeDevice(wanted)),
    file(path(name, "network"), bridgeNetwork(wanted)),
    ...(vxlan
      ? [
          file(path(vxlan.name, "netdev"), vxlanDevice(vxlan)),
          file(path(vxlan.name, "network"), vxlanNetwork(wanted, vxlan)),
        ]
      : []),
    file(dockerDropInPath(name), dockerDropIn(wanted)),
  ];
}

function path(device: string, kind: "netdev" | "network"): string {
  return `${FOLDER}/${PREFIX}${device}.${kind}`;
}

function file(path: string, sections: readonly Section[]): DesiredFile {
  const comment = "Written by Ansible's weave_bridge, which replaces what is changed here by hand.";
  return { path, content: renderSections(comment, sections), mode: 0o644 };
}

function bridgeDevice({ name, mac }: DesiredBridge): Section[] {
  return [
    [
      "NetDev",
      [
        ["Name", name],
        ["Kind", "bridge"],
        ["MACAddress", mac],
      ],
    ],
  ];
}

function bridgeNetwork({ name, mtu, address }: DesiredBridge): Section[] {
  return [
    ["Match", [["Name", name]]],
    link(mtu),
    [
      "Network",
      [
        // The address has to be there before the first container, which Docker starts on a bridge that has one.
        ["ConfigureWithoutCarrier", "yes"],
        ["IPv6AcceptRA", "no"],
        // Or a restart of systemd-networkd would take addresses that others gave the bridge, as `weave expose` does.
        ["KeepConfiguration", "static"],
      ],
    ],
    [
      "Address",
      [
        ["Address", address],
        ["Broadcast", "no"], // as `ip addr` and so ifupdown have it
      ],
    ],
  ];
}

/** Independent: without a device underneath it, which would have to name the VXLAN in its own file (since systemd 247). */
function vxlanDevice({ name, id, port, local }: DesiredVxlan): Section[] {
  return [
    [
      "NetDev",
      [
        ["Name", name],
        ["Kind", "vxlan"],
      ],
    ],
    [
      "VXLAN",
      [
        ["VNI", id],
        ["DestinationPort", port],
        ["Local", local],
        ["MacLearning", "yes"],
        ["Independent", "yes"],
      ],
    ],
  ];
}

function vxlanNetwork({ name, mtu }: DesiredBridge, vxlan: DesiredVxlan): Section[] {
  return [
    ["Match", [["Name", vxlan.name]]],
    link(mtu),
    [
      "Network",
      [
        ["Bridge", name],
        ["LinkLocalAddressing", "no"],
        ["IPv6AcceptRA", "no"],
      ],
    ],
    ...vxlan.peers.map(
      (peer): Section => [
        "BridgeFDB",
        [
          ["MACAddress", FLOOD_MAC],
          ["Destination", peer],
          ["AssociatedWith", "self"],
        ],
      ],
    ),
  ];
}

function link(mtu: number): Section {
  return [
    "Link",
    [
      ["MTUBytes", mtu],
      ["RequiredForOnline", "no"],
    ],
  ];
}

/** systemd-networkd runs no commands, so what is to be done before Docker starts is done by Docker's unit. */
function dockerDropIn({ name, firewall }: DesiredBridge): Section[] {
  return [
    [
      "Unit",
      [
        ["Wants", "systemd-networkd.service"],
        ["After", "systemd-networkd.service"],
      ],
    ],
    [
      "Service",
      [
        ["ExecStartPre", `-${waitOnline(name, 30).join(" ")}`],
        ...(firewall ? [["ExecStartPre", `-/bin/sh -c "${insertRuleLine(name)}"`] as const] : []),
      ],
    ],
  ];
}

/** Ends when systemd-networkd has set the bridge up, be there a port on it or not. */
function waitOnline(name: string, seconds: number): string[] {
  return ["/lib/systemd/systemd-networkd-wait-online", `--interface=${name}:no-carrier`, `--timeout=${seconds}`];
}
