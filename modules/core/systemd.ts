import { parseProperties } from "../formats/unit";
import type { Host } from "./host";
import { Refusal } from "./refusal";

/** Asks systemd for a unit's properties, "" for one that is not set. Throws a Refusal with what to do where it gives no answer. */
export function unitProperties(unit: string, names: readonly string[], host: Host): (name: string) => string {
  try {
    const { stdout } = host.run(["systemctl", "show", unit, "-p", names.join(",")]);
    const properties = parseProperties(stdout);
    return (name) => properties.get(name) ?? "";
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new Refusal(`${error.message}. See that this host's systemd answers (systemctl status), or restart the host`);
  }
}
