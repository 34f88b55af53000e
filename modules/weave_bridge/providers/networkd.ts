import { basename } from "node:path";
import { type Action, type DesiredFile, runAction } from "../../core/change";
import { FLOOD_MAC } from "../../formats/iproute";
import { renderSections, type Section } from "../../formats/systemd_ini";
import { addressOf } from "../../net/ipv4";
import {
  createVxlanInShell,
  createWireguardInShell,
  deleteAddress,
  replaceAddress,
  setUp,
  temporaryRoute,
} from "../commands";
import type { DesiredBridge, DesiredVxlan } from "../desired";
import { insertRuleInShell } from "../firewall/forward_rule";
import { bridgeComment, COMMENT, dockerDropInPath, encryptedPaths, networkdPath, ownFile } from "../own_files";
import type { DesiredWireguard } from "../wireguard/desired";
import { unmanagedFile } from "./unmanaged";

/** Makes systemd-networkd read its files again. */
export const RELOAD_NETWORKD = [runAction(["networkctl", "reload"])];

/**
 * Makes systemd-networkd read its files, and waits until it has configured the bridge. The live bridge already
 * matches the files, so the reload changes nothing.
 */
export function reloadNetworkd(name: string) {
  return [...RELOAD_NETWORKD, runAction(waitOnline(name), ONLINE_SECONDS + 10)];
}

/**
 * Makes systemd-networkd release a bridge that it may manage. When no file matches the bridge any more, it deletes the address that it
 * has set (systemd 252 to 262), which is then set again. In between, the same address without its network, and a route to that, keep
 * this host reachable; systemd-networkd leaves what it has not set.
 */
export function release({ name, address }: DesiredBridge): Action[] {
  const own = `${addressOf(address)}/32`;
  const commands = [
    setUp(name),
    replaceAddress(name, own),
    temporaryRoute("replace", name, address),
    ["networkctl", "reload"],
    waitUntilUnmanaged(name),
    replaceAddress(name, address),
    temporaryRoute("del", name, address),
    deleteAddress(name, own),
  ];
  return commands.map((argv) => runAction(argv));
}

/** Before systemd 257, `networkctl reload` ends before the devices are reconfigured. It waits for 5 s at most. */
const waitUntilUnmanaged = (name: string) => [
  "sh",
  "-c",
  `for i in $(seq 50); do networkctl list --no-legend ${name} | grep -q unmanaged && break; sleep 0.1; done`,
];

/** The files from which systemd-networkd creates the bridge at boot, and the drop-in that makes Docker wait for it. */
export function networkdFiles(desired: DesiredBridge): DesiredFile[] {
  const { name, vxlan, wireguard } = desired;
  return [
    ownFile(networkdPath(name, "netdev"), () => renderSections(bridgeComment(desired), bridgeDevice(desired))),
    file(networkdPath(name, "network"), bridgeNetwork(desired)),
    ...(vxlan && wireguard ? encryptedFiles(desired, vxlan, wireguard) : []),
    ...(vxlan && !wireguard
      ? [
          file(networkdPath(vxlan.name, "netdev"), vxlanDevice(vxlan)),
          file(networkdPath(vxlan.name, "network"), vxlanNetwork(desired, vxlan)),
        ]
      : []),
    file(dockerDropInPath(name), dockerDropIn(desired)),
  ];
}

function file(path: string, sections: readonly Section[]): DesiredFile & { readonly content: string } {
  return ownFile(path, () => renderSections(COMMENT, sections));
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

/** A section's settings. */
type Settings = Section[1];

const BRIDGE_NETWORK_SETTINGS: Settings = [
  // Docker needs the address before the first container is attached.
  ["ConfigureWithoutCarrier", "yes"],
  ["IPv6AcceptRA", "no"],
  // A restart of systemd-networkd would otherwise remove addresses that others added, such as `weave expose`.
  ["KeepConfiguration", "static"],
];

function bridgeNetwork({ name, mtu, address }: DesiredBridge): Section[] {
  return [
    ["Match", [["Name", name]]],
    link(mtu),
    ["Network", BRIDGE_NETWORK_SETTINGS],
    [
      "Address",
      [
        ["Address", address],
        ["Broadcast", "no"], // as with `ip addr`, and so with ifupdown
      ],
    ],
  ];
}

/** Independent: not bound to an underlying device, whose own file would have to name the VXLAN. */
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

/**
 * systemd-networkd creates only the kernel's WireGuard, so a unit runs the same commands as ifupdown does. systemd-networkd.service
 * wants the unit (Wants=), so it is started at boot too.
 */
function encryptedFiles(desired: DesiredBridge, vxlan: DesiredVxlan, wireguard: DesiredWireguard): DesiredFile[] {
  const { name, mtu } = desired;
  const encrypted = encryptedPaths(name);
  const commands = [...createWireguardInShell(wireguard), ...createVxlanInShell(name, mtu, vxlan, "keep")];
  return [
    unmanagedFile(networkdPath(vxlan.name, "network"), vxlan.name),
    unmanagedFile(encrypted.unmanaged, wireguard.name),
    file(encrypted.tunnelUnit, [
      [
        "Unit",
        [
          ["Description", `Encrypted VXLAN of the bridge ${name}`],
          ["After", "systemd-networkd.service"],
          ["Before", "docker.service"],
        ],
      ],
      [
        "Service",
        [
          ["Type", "oneshot"],
          ["RemainAfterExit", "yes"],
          ["ExecStartPre", `-${waitOnline(name).join(" ")}`],
          ...commands.map((command) => ["ExecStart", `/bin/sh -c "${command}"`] as const),
        ],
      ],
    ]),
    file(encrypted.dropIn, [["Unit", [["Wants", basename(encrypted.tunnelUnit)]]]]),
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

/**
 * systemd-networkd can't run commands, so Docker's unit waits for the bridge and adds the rules of packet filters. With the leading "-",
 * Docker starts even if a command fails.
 */
function dockerDropIn({ name, hasForwardRule, firewallPlan }: DesiredBridge): Section[] {
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
        ["ExecStartPre", `-${waitOnline(name).join(" ")}`],
        ...[...(hasForwardRule ? [insertRuleInShell(name)] : []), ...firewallPlan.boot].map(
          (command) => ["ExecStartPre", `-/bin/sh -c "${command}"`] as const,
        ),
      ],
    ],
  ];
}

/** How long systemd-networkd may take to configure the bridge. */
const ONLINE_SECONDS = 30;

/** Waits until systemd-networkd has set the bridge up, even without a port. */
function waitOnline(name: string): string[] {
  return ["/lib/systemd/systemd-networkd-wait-online", `--interface=${name}:no-carrier`, `--timeout=${ONLINE_SECONDS}`];
}
