import type { Action } from "../core/change";
import type { FileState } from "../core/host/host";

/**
 * The configuration from before the first change that the running daemon has not been restarted for. It is on the disk
 * before that change is, so an interrupted run leaves it behind, and goes when a restart has worked. Root alone reads it.
 */
export interface Previous {
  /** The id of the daemon that runs with it; null where none ran. */
  readonly daemon: string | null;
  readonly files: readonly PreviousFile[];
}

interface PreviousFile {
  readonly path: string;
  /** One character a byte; null where there was no such file. */
  readonly content: string | null;
  readonly mode: number;
}

export const PREVIOUS_PATH = "/var/lib/apollo-weave/docker-previous.json";

/** Reads what `keep` wrote; null where there is none, or where it is of a daemon that another has followed. */
export function readPrevious(file: FileState | null): Previous | null {
  if (file === null) return null;
  try {
    return JSON.parse(file.content) as Previous;
  } catch {
    return null; // Not written by this module, as that replaces it whole.
  }
}

/** Whether it still is from before the daemon that runs (null: none does) was last started. */
export function isCurrent(previous: Previous | null, daemon: string | null): previous is Previous {
  return previous !== null && (daemon === null || previous.daemon === daemon);
}

/** Keeps these files as they are. */
export function keep(daemon: string | null, files: ReadonlyMap<string, FileState | null>): Action {
  const previous: Previous = {
    daemon,
    files: [...files].map(([path, file]) => ({ path, content: file?.content ?? null, mode: file?.mode ?? 0o644 })),
  };
  return { do: "write", path: PREVIOUS_PATH, content: JSON.stringify(previous), mode: 0o600 };
}

/** Puts the files back as they were. */
export function putBack({ files }: Previous): Action[] {
  return files.map(({ path, content, mode }) =>
    content === null ? { do: "remove", path } : { do: "write", path, content, mode },
  );
}

/** Once a restart has worked, it is of no use. */
export const FORGET: Action = { do: "remove", path: PREVIOUS_PATH };
