import { readFileSync } from "node:fs";
import { join } from "node:path";
import { routerEnvironment } from "../../../modules/weave_service/environment";
import type { ObservedService } from "../../../modules/weave_service/observe";
import { options, type ServiceOptions } from "../../../modules/weave_service/options";
import { optionsOf } from "../support/options";

export const golden = (name: string): string => join(__dirname, "golden", name);

export const asked = (more: Record<string, unknown> = {}): ServiceOptions =>
  optionsOf(options, { peers: ["192.168.50.12", "192.168.50.13"], ...more });

/** A script of a version that knows of --no-restart, in short. */
export const SCRIPT = "#!/bin/sh\n# weave launch [--no-restart] [--password <pass>] <peer> ...\n";

/** A host with the script and nothing else. */
export const FRESH: ObservedService = {
  script: SCRIPT,
  unit: null,
  environment: null,
  enabled: false,
  needsReload: false,
  activeState: "inactive",
  startedWith: null,
  targets: null,
};

/** The same host as `wanted` has it. */
export function steady(
  wanted: ServiceOptions = asked(),
): ObservedService & { startedWith: ReadonlyMap<string, string> } {
  return {
    ...FRESH,
    unit: { content: readFileSync(golden("weave.service"), "latin1"), mode: 0o644 },
    environment: { content: readFileSync(golden("weave.env"), "latin1"), mode: 0o600 },
    enabled: true,
    activeState: "active",
    startedWith: new Map([...routerEnvironment(wanted, SCRIPT), ["PATH", "/usr/bin"]]),
    targets: ["192.168.50.12", "192.168.50.13"],
  };
}
