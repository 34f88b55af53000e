import { UserError } from "./errors";
import type { Host } from "./host/host";

/** Asks systemd for a unit's properties, "" for one that is not set. Throws a UserError with what to do where it gives no answer. */
export function unitProperties(unit: string, names: readonly string[], host: Host): (name: string) => string {
  try {
    const { stdout } = host.run(["systemctl", "show", unit, "-p", names.join(",")]);
    const properties = parseProperties(stdout);
    return (name) => properties.get(name) ?? "";
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(
      `${error.message}. See that this host's systemd answers (systemctl status), or restart the host`,
    );
  }
}
/** Reads the output of `systemctl show -p …`: property to value, "" where it is not set. */
export function parseProperties(output: string): ReadonlyMap<string, string> {
  return new Map(output.split("\n").map((row) => [row.replace(/=.*/, ""), row.replace(/^[^=]*=?/, "")]));
}
