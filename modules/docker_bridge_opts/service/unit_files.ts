import type { Host } from "../../core/host/host";
import { DROP_IN_PATH } from "./docker_service";

/** Where systemd searches units and their drop-ins, in the order of precedence (systemd.unit(5)). */
const FOLDERS = [
  "/etc/systemd/system.control",
  "/run/systemd/system.control",
  "/run/systemd/transient",
  "/run/systemd/generator.early",
  "/etc/systemd/system",
  "/etc/systemd/system.attached",
  "/run/systemd/system",
  "/run/systemd/system.attached",
  "/run/systemd/generator",
  "/usr/local/lib/systemd/system",
  "/usr/lib/systemd/system",
  "/lib/systemd/system",
  "/run/systemd/generator.late",
];

/**
 * The drop-ins that systemd will read for a unit once it reloads: of equally named ones only the first counts, and they are read in
 * the order of their names, wherever they are. Those of all names of the unit count. This module's own is left out.
 */
export function findDropIns(units: readonly string[], host: Host): string[] {
  // Those of all services come last; of the others the place counts more than how much of the name is given.
  const own = FOLDERS.flatMap((folder) => units.flatMap(foldersOf).map((name) => `${folder}/${name}`));
  const folders = [...own, ...FOLDERS.map((folder) => `${folder}/service.d`)];
  const byName = new Map<string, string>();
  for (const folder of folders) {
    for (const name of host.readdir(folder)) {
      const path = `${folder}/${name}`;
      if (name.endsWith(".conf") && path !== DROP_IN_PATH && !byName.has(name)) byName.set(name, path);
    }
  }
  // An empty one hides others of its name.
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path);
}

/** docker-ce.service has those of docker-.service too. */
function foldersOf(unit: string): string[] {
  const [, prefix = "", type = ""] = /^(.*)\.([^.]*)$/.exec(unit) ?? [];
  const parts = prefix.split("-");
  const shorter = parts.slice(1).map((_, index) => `${parts.slice(0, parts.length - 1 - index).join("-")}-.${type}.d`);
  return [`${unit}.d`, ...shorter];
}

/** The unit's own file that systemd will read once it reloads; null if there is none. */
export function findUnitFile(unit: string, host: Host): string | null {
  const folder = FOLDERS.find((each) => host.readdir(each).includes(unit));
  return folder === undefined ? null : `${folder}/${unit}`;
}
