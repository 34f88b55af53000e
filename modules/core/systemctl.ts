import { runAction } from "./change";
import { UserError, withFullStop } from "./errors";
import type { Host } from "./host/host";
import { splitAtEquals } from "./text";

/** Makes systemd read its units' files again. */
export const DAEMON_RELOAD = runAction(["systemctl", "daemon-reload"]);

/** Whether systemd runs this host, as sd_booted(3) finds out. */
export function isSystemdBooted(host: Host): boolean {
  return host.readdir("/run/systemd").includes("system");
}

/**
 * For each unit, a function from a property's name to its value, "" if it is not set. One systemctl reads all. Throws a UserError if
 * systemd does not answer.
 */
export function unitProperties(
  units: readonly string[],
  names: readonly string[],
  host: Host,
): readonly ((name: string) => string)[] {
  const outputs = showUnits(units, names, host).split(/\n\n+/);
  return units.map((_, index) => {
    const properties = parseProperties(outputs[index] ?? "");
    return (name) => properties.get(name) ?? "";
  });
}

function showUnits(units: readonly string[], names: readonly string[], host: Host): string {
  try {
    return host.run(["systemctl", "show", ...units, "-p", names.join(",")]).stdout;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(
      `${withFullStop(error.message)} Check that systemd answers on this host (systemctl status), or restart the host.`,
    );
  }
}

/**
 * Parses the output of `systemctl show -p …`: values by property, "" if it is not set. A property that is shown several times, such as
 * Listen, has a line for each value.
 */
export function parseProperties(output: string): ReadonlyMap<string, string> {
  const properties = new Map<string, string>();
  for (const [name, value] of output.split("\n").map(splitAtEquals)) {
    const before = properties.get(name);
    properties.set(name, before === undefined ? value : `${before}\n${value}`);
  }
  return properties;
}
