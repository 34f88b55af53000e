/**
 * What the verbs of a `weave` script mean: `first` is 1.1 and older, where `launch` is the router alone; `second` is 1.2 to
 * 1.9, where it is router, proxy and plugin, and each has a verb of its own; `third` is 2.0 and newer, where one container
 * is all of them.
 */
export type Generation = "first" | "second" | "third";

/** A `weave` script, as far as its text tells. */
export interface WeaveScript {
  /** Such as 2.8.1; null for a build without a number. */
  readonly version: string | null;
  readonly generation: Generation;
  /** Whether it gives containers a restart policy unless told --no-restart. */
  readonly knowsNoRestart: boolean;
}

/**
 * Reads a script's text. Each release has its number written into it (`SCRIPT_VERSION="2.8.1"`, the script's own image tag);
 * a build without one is taken for the newest generation.
 */
export function readWeaveScript(text: string): WeaveScript {
  const [, version = null] = /^SCRIPT_VERSION="v?(\d+\.\d+[^"]*)"/m.exec(text) ?? [];
  return { version, generation: generationOf(version), knowsNoRestart: text.includes("--no-restart") };
}

/** The script of a version, as far as that tells; null is the newest. */
export function expectedScript(version: string | null): WeaveScript {
  const generation = generationOf(version);
  return { version, generation, knowsNoRestart: generation !== "first" };
}

function generationOf(version: string | null): Generation {
  const [major = 2, minor = 0] = version === null ? [] : version.split(".").map((part) => Number.parseInt(part, 10));
  if (major >= 2) return "third";
  return major === 1 && minor >= 2 ? "second" : "first";
}
