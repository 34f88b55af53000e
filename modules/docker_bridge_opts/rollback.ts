import type { Action } from "../core/change";
import type { FileState } from "../core/host/host";
import { type Guard, isListOf, isNumber, isShape, isString, parseJson } from "../core/json";
import type { Previous } from "./observed";

export const PREVIOUS_PATH = "/var/lib/apollo-weave/docker-previous.json";

const isStringOrNull: Guard<string | null> = (value) => value === null || isString(value);

const isPrevious: Guard<Previous> = isShape({
  daemon: isStringOrNull,
  files: isListOf(isShape({ path: isString, content: isStringOrNull, mode: isNumber })),
});

/** The previous configuration as `savePrevious` wrote it; null where there is none, or the file is not one of this module's. */
export function parsePrevious(file: FileState | null): Previous | null {
  return file === null ? null : parseJson(file.content, isPrevious);
}

/** Whether the daemon with this id (null: none runs) still runs with it. A stopped Docker can be started with it. */
export function isCurrent(previous: Previous | null, daemon: string | null): previous is Previous {
  return previous !== null && (daemon === null || previous.daemon === daemon);
}

/** Saves these files, by path. There may be secrets in them, so only root may read the copy. */
export function savePrevious(daemon: string | null, files: ReadonlyMap<string, FileState | null>): Action {
  const previous: Previous = {
    daemon,
    files: [...files].map(([path, file]) => ({ path, content: file?.content ?? null, mode: file?.mode ?? 0o644 })),
  };
  return { do: "write", path: PREVIOUS_PATH, content: JSON.stringify(previous), mode: 0o600 };
}

/** Restores the saved files. */
export function restorePrevious({ files }: Previous): Action[] {
  return files.map(({ path, content, mode }) =>
    content === null ? { do: "remove", path } : { do: "write", path, content, mode },
  );
}

export const DELETE_PREVIOUS: Action = { do: "remove", path: PREVIOUS_PATH };
