import type { DesiredFile } from "../core/change";
import { withSubject } from "../core/errors";
import { VXLAN_SUFFIX, WIREGUARD_SUFFIX } from "./names";
import { type BridgeOptions, options } from "./options";

/** Marks the files of this module. */
export const OWN_FILE = "Ansible managed (weave_bridge)";

/** First line of a generated file. */
export const COMMENT = `${OWN_FILE}. Manual changes will be overwritten.`;

/**
 * The first line of the file that creates the bridge. It records another choice than the default about the host's firewalls, which the
 * commands in the file need not show: `manage` may have found nothing to open.
 */
export function bridgeComment({ firewall }: Pick<BridgeOptions, "firewall">): string {
  return firewall === options.firewall.default ? COMMENT : `${COMMENT} firewall: ${firewall}`;
}

/** A file of this module. Throws a UserError that names the file for text which it can't have. */
export function ownFile(path: string, render: () => string): DesiredFile & { readonly content: string } {
  return { path, content: withSubject(path, render), mode: 0o644 };
}

export const INTERFACES_DIRECTORY = "/etc/network/interfaces.d";

/** ifupdown's file for the bridge, at the same path as in Apollo's role. */
export function stanzaPath(name: string): string {
  return `${INTERFACES_DIRECTORY}/${name}.cfg`;
}

/** systemd-networkd's files for the bridge and its VXLAN device. */
export function networkdPaths(name: string): string[] {
  return [name, name + VXLAN_SUFFIX].flatMap((device) => [
    networkdPath(device, "netdev"),
    networkdPath(device, "network"),
  ]);
}

const UNITS = "/etc/systemd/system";

/** The name of the systemd unit that creates the bridge. */
export function unitName(name: string): string {
  return `${name}-bridge.service`;
}

/** The systemd unit that creates the bridge. */
export function unitPath(name: string): string {
  return `${UNITS}/${unitName(name)}`;
}

/** The units that start the bridge's unit, and the link by which each does. Docker fails without the bridge, so it requires it. */
export const STARTED_BY: ReadonlyMap<string, (name: string) => string> = new Map([
  ["multi-user.target", (name) => `${UNITS}/multi-user.target.wants/${unitName(name)}`],
  ["docker.service", (name) => `${UNITS}/docker.service.requires/${unitName(name)}`],
]);

/** The first file whose [Match] fits a device wins, in the order of names: 05- sorts before netplan's 10-. */
export function networkdPath(device: string, kind: "netdev" | "network"): string {
  return `/etc/systemd/network/05-${device}.${kind}`;
}

const DOCKER_DROP_IN_DIRECTORY = `${UNITS}/docker.service.d`;

/** The drop-in that makes Docker's unit wait for the bridge. */
export function dockerDropInPath(name: string): string {
  return `${DOCKER_DROP_IN_DIRECTORY}/${name}-bridge.conf`;
}

/** The file that makes NetworkManager leave the bridge and its tunnel devices unmanaged. */
export function unmanagedPath(name: string): string {
  return `/etc/NetworkManager/conf.d/${name}-bridge.conf`;
}

/** WireGuard's file with the keys, in the form of `wg setconf`. */
export function wireguardPath(name: string): string {
  return `/etc/wireguard/${name}${WIREGUARD_SUFFIX}.conf`;
}

/** The unit that wireguard-go runs in, without its suffix. */
export function wireguardGoUnit(name: string): string {
  return `${name}${WIREGUARD_SUFFIX}-go`;
}

const NETWORKD_DROP_IN_DIRECTORY = `${UNITS}/systemd-networkd.service.d`;

/** For systemd-networkd, which can't use wireguard-go: the unit that creates the encrypted VXLAN, the drop-in that starts it, and the file that leaves its device unmanaged. */
export function encryptedPaths(name: string) {
  return {
    tunnelUnit: `${UNITS}/${name}${WIREGUARD_SUFFIX}.service`,
    dropIn: `${NETWORKD_DROP_IN_DIRECTORY}/${name}${WIREGUARD_SUFFIX}.conf`,
    unmanaged: networkdPath(name + WIREGUARD_SUFFIX, "network"),
  };
}

/** All files that this module may write for a bridge of this name, whatever the provider. */
export function ownPaths(name: string): string[] {
  const { tunnelUnit, dropIn, unmanaged } = encryptedPaths(name);
  return [
    unmanagedPath(name),
    stanzaPath(name),
    ...networkdPaths(name),
    dockerDropInPath(name),
    unitPath(name),
    wireguardPath(name),
    unmanaged,
    tunnelUnit,
    dropIn,
  ];
}

/** /run is empty after a boot, when every program reads its files anyway. */
export const PENDING_RELOADS_DIRECTORY = "/run";

/** The file that exists while a program, such as systemd, has not loaded its changed files. */
export const pendingReloadPath = (program: string) => `${PENDING_RELOADS_DIRECTORY}/weave_bridge.reload-${program}`;

/** The bridge as this module's files describe it, whichever program reads them; undefined is what they leave out. */
export interface WrittenBridge {
  readonly address: string | undefined;
  readonly mac: string | undefined;
  readonly mtu: number | undefined;
  readonly firewall: BridgeOptions["firewall"];
  readonly vxlan: { readonly id: number; readonly port: number; readonly local: string } | null;
  readonly peers: readonly string[];
  /** WireGuard's UDP port, if the VXLAN is encrypted. */
  readonly wireguardPort: number | undefined;
}

/** Whether this module has written a file with this content. */
export function isOwnFile(content: string): boolean {
  return content.startsWith(`# ${OWN_FILE}`);
}

/** This module's files among those at ownPaths() ("" for one that does not exist), in one text; null if there is none. */
function ownText(contents: readonly string[]): string | null {
  const own = contents.filter(isOwnFile);
  return own.length === 0 ? null : own.join("\n");
}

/** The same, for observed files by path. */
export function ownTextIn(files: ReadonlyMap<string, { readonly content: string } | null>): string | null {
  return ownText([...files.values()].map((file) => file?.content ?? ""));
}

/** The bridge's MTU in that text, in bytes. */
export function mtuIn(text: string): number | undefined {
  return numberIn(text, /(?:\bmtu |^MTUBytes=)(\d+)/m);
}

/** The shell commands in that text that add rules of packet filters at boot, known by what their comments begin with. */
export function ruleCommandsIn(text: string, comment: string): string[] {
  const lines = text.split("\n").filter((line) => line.includes(` ${comment}`));
  return lines.map((line) => line.replace(/^.*?(post-up |-c ")|"$/g, ""));
}

/** Parses such contents; null if this module has written none of them. */
export function parseOwnFiles(contents: readonly string[]): WrittenBridge | null {
  const text = ownText(contents);
  if (text === null) return null;
  // As the commands (`ip link set … mtu 1450`) or systemd-networkd's settings (`MTUBytes=1450`) have the values.
  const word = (pattern: RegExp): string | undefined => pattern.exec(text)?.[1];
  const id = numberIn(text, /(?: type vxlan id |^VNI=)(\d+)/m);
  return {
    address: word(/(?:\baddr replace |^Address=)([\d.]+\/\d+)/m),
    mac: word(/(?: address |^Kind=bridge\nMACAddress=)([0-9a-f:]{17})/m),
    mtu: mtuIn(text),
    firewall:
      (["manage", "off"] as const).find((each) => text.includes(`# ${bridgeComment({ firewall: each })}\n`)) ?? "check",
    vxlan:
      id === undefined
        ? null
        : {
            id,
            port: Number(word(/(?: dstport |^DestinationPort=)(\d+)/m)),
            local: word(/(?: local |^Local=)([\da-f.:]+)/m) ?? "",
          },
    peers: [...text.matchAll(/(?: dst |^Destination=|^Endpoint = )(\d[\d.]+)/gm)].map(([, peer = ""]) => peer),
    wireguardPort: numberIn(text, /^ListenPort = (\d+)/m),
  };
}

function numberIn(text: string, pattern: RegExp): number | undefined {
  const found = pattern.exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}
