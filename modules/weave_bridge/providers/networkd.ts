import { type DesiredFile, run } from "../../core/change";
import { FLOOD_MAC } from "../../formats/iproute";
import { renderSections, type Section } from "../../formats/systemd_ini";
import type { DesiredBridge, DesiredVxlan } from "../desired";
import { insertRuleInShell } from "../firewall";
import { dockerDropInPath, networkdPath } from "../observed";

export const RELOAD_NETWORKD = [run(["networkctl", "reload"])];

/**
 * Makes systemd-networkd read its files, and waits until it has configured the bridge. The live bridge already
 * matches the files, so the reload changes nothing.
 */
export function reloadNetworkd(name: string) {
  return [...RELOAD_NETWORKD, run(waitOnline(name, 30), 40)];
}

/** The files from which systemd-networkd creates the bridge at boot, and the drop-in that makes Docker wait for it. */
export function networkdFiles(desired: DesiredBridge): DesiredFile[] {
  const { name, vxlan } = desired;
  return [
    file(networkdPath(name, "netdev"), bridgeDevice(desired)),
    file(networkdPath(name, "network"), bridgeNetwork(desired)),
    ...(vxlan
      ? [
          file(networkdPath(vxlan.name, "netdev"), vxlanDevice(vxlan)),
          file(networkdPath(vxlan.name, "network"), vxlanNetwork(desired, vxlan)),
        ]
      : []),
    file(dockerDropInPath(name), dockerDropIn(desired)),
  ];
}

function file(path: string, sections: readonly Section[]): DesiredFile {
  const comment = "Ansible managed (weave_bridge). Manual changes will be overwritten.";
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
        // Docker needs the address before the first container is attached.
        ["ConfigureWithoutCarrier", "yes"],
        ["IPv6AcceptRA", "no"],
        // A restart of systemd-networkd would otherwise remove addresses that others added, such as `weave expose`.
        ["KeepConfiguration", "static"],
      ],
    ],
    [
      "Address",
      [
        ["Address", address],
        ["Broadcast", "no"], // as with `ip addr`, and so with ifupdown
      ],
    ],
  ];
}

/** Independent (systemd 247): not bound to an underlying device, whose own file would have to name the VXLAN. */
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

/** systemd-networkd can't run commands, so Docker's unit waits for the bridge and inserts the iptables rule. */
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
        ...(firewall ? [["ExecStartPre", `-/bin/sh -c "${insertRuleInShell(name)}"`] as const] : []),
      ],
    ],
  ];
}

/** Waits until systemd-networkd has set the bridge up, even without a port. */
function waitOnline(name: string, seconds: number): string[] {
  return ["/lib/systemd/systemd-networkd-wait-online", `--interface=${name}:no-carrier`, `--timeout=${seconds}`];
}
