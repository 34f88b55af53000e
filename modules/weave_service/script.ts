import { UserError } from "../core/errors";
import type { ServiceOptions } from "./options";

/**
 * Releases of the `weave` script by what their verbs do, each series named by its first one. Up to 1.1, `launch` runs only the
 * router. From 1.2 to 1.9 it runs router, proxy and plugin, each of which also has its own verb. Since 2.0, one container runs all
 * three.
 */
export type Series = "1.0" | "1.2" | "2.0";

/** What is known of a `weave` script. */
export interface WeaveScript {
  /** Such as 2.8.1; null for a build without one. */
  readonly version: string | null;
  readonly series: Series;
  /** Whether the router reports its peers and state (/report). */
  readonly hasReport: boolean;
  /** Whether it gives containers a restart policy unless it is given --no-restart. */
  readonly knowsNoRestart: boolean;
  /** Whether the router serves its API where WEAVE_HTTP_ADDR says; before, it may be on its container's own address. */
  readonly knowsHttpAddress: boolean;
}

/**
 * Reads a script's text. Each release contains its version (`SCRIPT_VERSION="2.8.1"`, also the tag of its images); a build
 * without one is assumed to be the newest.
 */
export function readWeaveScript(text: string): WeaveScript {
  const [, version = null] = /^SCRIPT_VERSION="v?(\d+\.\d+[^"]*)"/m.exec(text) ?? [];
  return { ...scriptOfVersion(version), knowsNoRestart: text.includes("--no-restart") };
}

/** What is known of a script from its version only; null, or a tag that is no version (latest), is the newest. */
export function scriptOfVersion(version: string | null): WeaveScript {
  const [major = 2, minor = 0] =
    version === null || !/^\d+\.\d/.test(version) ? [] : version.split(".").map((part) => Number.parseInt(part, 10));
  const number = major * 1000 + minor;
  const series = number >= 2000 ? "2.0" : number >= 1002 ? "1.2" : "1.0";
  return {
    version,
    series,
    hasReport: number >= 1002,
    knowsNoRestart: number >= 1005,
    knowsHttpAddress: number >= 1005,
  };
}

/** The verbs of the script that launch and stop a component. */
export interface Verbs {
  readonly launch: string;
  readonly stop: string;
}

const ALL: Verbs = { launch: "launch", stop: "stop" };
const ROUTER: Verbs = { launch: "launch-router", stop: "stop-router" };
const PROXY: Verbs = { launch: "launch-proxy", stop: "stop-proxy" };
const PLUGIN: Verbs = { launch: "launch-plugin", stop: "stop-plugin" };

const VERBS: Readonly<Record<ServiceOptions["component"], Readonly<Record<Series, Verbs | null>>>> = {
  router: { "1.0": ALL, "1.2": ROUTER, "2.0": ALL },
  proxy: { "1.0": PROXY, "1.2": PROXY, "2.0": null },
  plugin: { "1.0": null, "1.2": PLUGIN, "2.0": null },
  scope: { "1.0": ALL, "1.2": ALL, "2.0": ALL },
};

/** The verbs for a component in a script of this series. Throws a UserError if the script can't run the component. */
export function verbsOf(component: ServiceOptions["component"], series: Series): Verbs {
  const verbs = VERBS[component][series];
  if (verbs !== null) return verbs;
  throw new UserError(
    series === "2.0"
      ? `component: the ${component} runs within the router since Weave 2.0 (found a script of 2.0 or newer). Set I(component): ` +
          `router with I(mode): ${component}, and remove this component with I(state): absent.`
      : `component: the ${component} needs the weave script 1.4 or newer (found an older one on this host). Install a newer script.`,
  );
}
