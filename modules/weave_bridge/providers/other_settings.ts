import { basename } from "node:path";
import { expandPattern, matchesPattern } from "../../core/glob";
import type { Host } from "../../core/host/host";
import { dropInsIn, firstFiles, NETWORK_DIRECTORIES, readIfRegular, UNIT_DIRECTORIES } from "../../core/systemd_files";
import { IN_DIRECTORY, INTERFACES, numberedDirectives, sourcesOf } from "../../formats/interfaces";
import { listSettings, parseUnit, type UnitSetting } from "../../formats/systemd_unit";
import { readMachineId } from "../../net/validators";
import { bridgeMac } from "../addresses";
import { VXLAN_SUFFIX, WIREGUARD_SUFFIX } from "../names";
import type { DeviceKind, Managers, OtherSetting } from "../observed";
import { type BridgeOptions, hasWireguard } from "../options";
import { encryptedPaths, networkdPath, networkdPaths, stanzaPath, unitName } from "../own_files";

/** The devices that this module is to configure, by name. */
type Devices = ReadonlyMap<string, DeviceKind>;

/**
 * The lines of others' files that would create or configure the bridge or its VXLAN at boot too. Files of a program that is
 * not installed, or does not run at boot, are ignored.
 */
export function findOtherSettings(options: BridgeOptions, managers: Managers, host: Host): readonly OtherSetting[] {
  const { name, state, datapath } = options;
  if (state !== "present") return [];
  const devices: Devices = new Map([
    [name, "bridge"],
    ...(datapath === "vxlan" ? [[name + VXLAN_SUFFIX, "vxlan"] as const] : []),
    ...(hasWireguard(options) ? [[name + WIREGUARD_SUFFIX, "wireguard"] as const] : []),
  ]);
  return [
    ...(managers.ifupdown || managers.otherIfupdown !== null ? findInInterfaces(name, devices, host) : []),
    ...(managers.networkdAtBoot ? findInNetworkd(options, devices, host) : []),
    ...(managers.networkManagerAtBoot ? findInNetworkManager(devices, host) : []),
    ...findInDropIns(name, devices, managers, host),
  ];
}

/** NetworkManager's directories of profiles; of files with the same name, the first one is read (nm-settings-keyfile(5)). */
const PROFILES = ["/etc", "/run", "/usr/lib"].map((root) => `${root}/NetworkManager/system-connections`);

/**
 * The profiles of the devices. NetworkManager creates a bridge from one, unless configured to leave it unmanaged, and anybody may
 * activate it at any time. The profiles that it generates for devices that it only shows are ignored.
 */
function findInNetworkManager(devices: Devices, host: Host): OtherSetting[] {
  return [...firstFiles(PROFILES, host).values()].flatMap((path) => {
    const settings = parseUnit([{ path, content: readIfRegular(path, host) }]);
    if (settings.some(({ section, key, value }) => section === ".nmmeta" && key === "external" && value === "true"))
      return [];
    return settings.flatMap((setting): OtherSetting[] => {
      const { section, key, value } = setting;
      const isOurs = section === "connection" && key === "interface-name" && devices.has(value);
      return isOurs ? [toOtherSetting("NetworkManager", value, setting)] : [];
    });
  });
}

/** Stanzas of the devices, and of other bridges that take one as a port, in all files that ifupdown reads. */
function findInInterfaces(name: string, devices: Devices, host: Host): OtherSetting[] {
  const found: OtherSetting[] = [];
  const read = new Set([stanzaPath(name)]);
  const visit = (path: string): void => {
    if (read.has(path)) return;
    read.add(path);
    for (const { line, words } of numberedDirectives(readIfRegular(path, host))) {
      const { files, directories } = sourcesOf(words, path);
      for (const file of files.flatMap((pattern) => expandPattern(pattern, host))) visit(file);
      for (const directory of directories.flatMap((pattern) => expandPattern(pattern, host)))
        for (const file of host.readdir(directory)) if (IN_DIRECTORY.test(file)) visit(`${directory}/${file}`);
      const [keyword = "", ...values] = words;
      const named =
        keyword === "iface" ? values.slice(0, 1) : /^bridge[_-]ports$/.test(keyword) ? values : ([] as string[]);
      const device = named.find((each) => devices.has(each));
      if (device !== undefined)
        found.push({ reader: "ifupdown", device, path, line, text: words.join(" "), comesFirst: true });
    }
  };
  visit(INTERFACES);
  return found;
}

/** The settings that drop-ins add to a systemd file, whether that exists or not. */
function dropInSettings(file: string, directories: readonly string[], host: Host): readonly UnitSetting[] {
  const paths = dropInsIn(
    directories.map((directory) => `${directory}/${file}.d`),
    host,
  );
  return parseUnit(paths.map((path) => ({ path, content: readIfRegular(path, host) })));
}

/** What drop-ins change in the files of this module. Those of the unit may add dependencies. */
function findInDropIns(name: string, devices: Devices, { networkdAtBoot }: Managers, host: Host): OtherSetting[] {
  const files = [...devices.keys()].flatMap((device) =>
    (["netdev", "network"] as const).map((kind) => [device, basename(networkdPath(device, kind))] as const),
  );
  const inNetworkd = networkdAtBoot
    ? files.flatMap(([device, file]) =>
        dropInSettings(file, NETWORK_DIRECTORIES, host).map((setting) => toOtherSetting("networkd", device, setting)),
      )
    : [];
  const inUnit = dropInSettings(unitName(name), UNIT_DIRECTORIES, host).filter(({ section }) => section === "Service");
  return [...inNetworkd, ...inUnit.map((setting) => toOtherSetting("systemd", name, setting))];
}

function toOtherSetting(
  reader: OtherSetting["reader"],
  device: string,
  { path, line, key, value }: UnitSetting,
  comesFirst = true,
): OtherSetting {
  return { reader, device, path, line, text: `${key}=${value}`, comesFirst };
}

function findInNetworkd(options: BridgeOptions, devices: Devices, host: Host): OtherSetting[] {
  const { name } = options;
  const mac = bridgeMac(options, readMachineId(host));
  const own = new Set([...networkdPaths(name), encryptedPaths(name).unmanaged].map((path) => basename(path)));
  return [...firstFiles(NETWORK_DIRECTORIES, host)].flatMap(([file, path]) => {
    const kind = /\.(netdev|network)$/.exec(file)?.[1];
    if (kind === undefined || own.has(file)) return [];
    const content = readIfRegular(path, host);
    // An empty one is masked, with its drop-ins (null_or_empty() in network_load_one of systemd).
    const settings =
      content === "" ? [] : [...parseUnit([{ path, content }]), ...dropInSettings(file, NETWORK_DIRECTORIES, host)];
    return [...devices].flatMap(([device, deviceKind]): OtherSetting[] => {
      const found =
        kind === "netdev"
          ? nameIn(settings, device)
          : matchIn(settings, device, deviceKind, device === name ? mac : null);
      if (found === undefined) return [];
      const comesFirst = kind === "netdev" || file < basename(networkdPath(device, "network"));
      return [toOtherSetting("networkd", device, found, comesFirst)];
    });
  });
}

function nameIn(settings: readonly UnitSetting[], device: string): UnitSetting | undefined {
  const last = listSettings(settings, "NetDev", "Name").at(-1);
  return last?.value === device ? last : undefined;
}

/**
 * The setting by which a [Match] section matches a virtual device of this kind, if it does (systemd.network(5)). Conditions on
 * the host, such as Host=, are assumed to be true; OriginalName= is only for .link files. The lines of one key are one list
 * (config_parse_match_strv() of systemd).
 */
function matchIn(
  settings: readonly UnitSetting[],
  device: string,
  kind: DeviceKind,
  mac: string | null,
): UnitSetting | undefined {
  const keys = new Set(
    settings.flatMap(({ section, key }) => (section === "Match" && key !== "OriginalName" ? [key] : [])),
  );
  const conditions = [...keys].map((key) => listSettings(settings, "Match", key)).filter((list) => list.length > 0);
  const fits = conditions.every((list) => {
    const key = list[0]?.key ?? "";
    const words = list.flatMap(({ value }) => wordsOf(value));
    switch (key) {
      case "Name":
        return isInList(device, words);
      case "Kind":
      case "Driver":
        return isInList(kind, words);
      case "Type":
        // Without udev, networkd knows each of these devices as "ether" only.
        return [kind, "ether"].some((type) => isInList(type, words));
      case "MACAddress":
        return words.some((word) => digitsOf(word) === digitsOf(mac ?? "none"));
      default:
        return !HARDWARE_ONLY_KEYS.has(key);
    }
  });
  if (!fits) return undefined;
  const [first = []] = conditions;
  return first.find(({ value }) => isInList(device, wordsOf(value))) ?? first[0];
}

/** A MAC address may be written as 00:11:22:33:44:55, 00-11-22-33-44-55 or 0011.2233.4455. */
const digitsOf = (mac: string): string => mac.toLowerCase().replace(/[-.:]/g, "");

/** Keys of [Match] that no virtual device matches. */
const HARDWARE_ONLY_KEYS: ReadonlySet<string> = new Set([
  "PermanentMACAddress",
  "Path",
  "Property",
  "WLANInterfaceType",
  "SSID",
  "BSSID",
]);

/** The words of a list; "!" before the first one is before each. */
function wordsOf(value: string): string[] {
  const [, inverted = "", list = ""] = /^(!?)(.*)$/s.exec(value) ?? [];
  return list.split(/\s+/).map((word) => inverted + word);
}

/** Whether a list of patterns matches a text: a pattern that begins with "!" excludes what it matches. */
function isInList(text: string, patterns: readonly string[]): boolean {
  const excluding = patterns.filter((pattern) => pattern.startsWith("!"));
  return (
    !excluding.some((pattern) => matchesPattern(pattern.slice(1), text)) &&
    (excluding.length === patterns.length || patterns.some((pattern) => matchesPattern(pattern, text)))
  );
}
