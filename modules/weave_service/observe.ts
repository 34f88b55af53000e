import type { FileState, Host } from "../core/host";
import { Refusal } from "../core/refusal";
import { parseProperties } from "../formats/unit";
import type { ServiceOptions } from "./options";
import { observeTargets } from "./router_api";
import { ENVIRONMENT_PATH, UNIT, UNIT_PATH, WANTS_PATH } from "./systemd";

/** The host as weave_service finds it. */
export interface ObservedService {
  /** The text of the weave script, which tells what it understands; "" where it is not there and not needed. */
  readonly script: string;
  readonly unit: FileState | null;
  readonly environment: FileState | null;
  /** Whether the unit is started along with Docker. */
  readonly enabled: boolean;
  /** Whether systemd holds another unit than the one in the file. */
  readonly needsReload: boolean;
  /** systemd's word: active, activating, inactive, failed … */
  readonly activeState: string;
  /** The environment that the running unit was started with; null where it does not run. */
  readonly startedWith: ReadonlyMap<string, string> | null;
  /** The peers that the running router was told of; null where none answers. */
  readonly targets: readonly string[] | null;
}

/** Looks at the unit, its files and the running router. */
export async function observe({ state, script }: ServiceOptions, host: Host): Promise<ObservedService> {
  const scriptFile = host.file(script);
  if (state === "started" && scriptFile === null) {
    throw new Refusal(`script: there is no ${script} on this host; put the weave script there, or say where it is`);
  }
  const { stdout } = host.run(["systemctl", "show", UNIT, "-p", "ActiveState,NeedDaemonReload,MainPID"]);
  const properties = parseProperties(stdout);
  const activeState = properties.get("ActiveState") ?? "";
  return {
    script: scriptFile?.content ?? "",
    unit: host.file(UNIT_PATH),
    environment: host.file(ENVIRONMENT_PATH),
    enabled: host.link(WANTS_PATH) !== null,
    needsReload: properties.get("NeedDaemonReload") === "yes",
    activeState,
    startedWith: environmentOf(Number(properties.get("MainPID")), host),
    targets: activeState === "active" ? await observeTargets(host) : null,
  };
}

function environmentOf(pid: number, host: Host): ReadonlyMap<string, string> | null {
  const environment = pid > 0 ? host.kernel(`/proc/${pid}/environ`) : null;
  if (environment === null) return null;
  return new Map(environment.split("\0").map((entry) => [entry.replace(/=[\s\S]*/, ""), entry.replace(/^[^=]*=/, "")]));
}
