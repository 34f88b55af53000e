import { UserError, withFullStop } from "./errors";
import type { Host } from "./host/host";

/** A unit's properties, "" for one that is not set. Throws a UserError if systemd does not answer. */
export function unitProperties(unit: string, names: readonly string[], host: Host): (name: string) => string {
  try {
    const { stdout } = host.run(["systemctl", "show", unit, "-p", names.join(",")]);
    const properties = parseProperties(stdout);
    return (name) => properties.get(name) ?? "";
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(
      `${withFullStop(error.message)} Check that systemd answers on this host (systemctl status), or restart the host.`,
    );
  }
}

/** Parses the output of `systemctl show -p …`: values by property, "" if it is not set. */
export function parseProperties(output: string): ReadonlyMap<string, string> {
  return new Map(output.split("\n").map((row) => [row.replace(/=.*/, ""), row.replace(/^[^=]*=?/, "")]));
}
