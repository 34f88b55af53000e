import { DOCKER_PID_FILE } from "../../core/docker";
import type { DockerFlags } from "../../formats/docker_options";
import type { Specifiers } from "../../formats/systemd_expand";
import type { TextFile } from "../../formats/systemd_unit";

/** How this host starts dockerd. */
export interface DockerService {
  readonly init: "systemd" | "script";
  /** Whether Docker is not installed, so that its options can only be removed. */
  readonly missing: boolean;
  /** What decides which arguments systemd passes; null if a script starts dockerd. */
  readonly unit: UnitStart | null;
  /** Whether DOCKER_OPTS of the file below reaches dockerd without the drop-in. */
  readonly readsFile: boolean;
  /** Why it does not; "" if it does. */
  readonly whyNot: string;
  readonly filePath: string;
  /** What that leads to, where it is a link to a file that is not Docker's own or does not last; null otherwise. */
  readonly sharedTarget: string | null;
  /** Whether the unit has failed, rather than been stopped. */
  readonly failed: boolean;
  /** The socket that docker.socket listens on, where that is active and the file is gone: dockerd can't be reached by it. */
  readonly lostSocket: string | null;
  /** Whether the unit was changed on disk after systemd loaded it. */
  readonly needsReload: boolean;
  /** The process id of the daemon; 0 where none runs. */
  readonly pid: number;
}

/** All that decides which arguments systemd passes to dockerd, besides this module's drop-in. */
export interface UnitStart {
  /** The unit's file and its drop-ins in systemd's order, without those of this module. */
  readonly files: readonly TextFile[];
  /** The existing files of each EnvironmentFile=, by its path or pattern with specifiers expanded. */
  readonly environmentFiles: ReadonlyMap<string, readonly TextFile[]>;
  /** Where those of these files lead that are links to a file which is not Docker's own, or which a boot clears. */
  readonly sharedTargets: ReadonlyMap<string, string>;
  readonly specifiers: Specifiers;
  /** The variables in systemd's own environment that ExecStart= refers to and that the unit does not set. */
  readonly inherited: ReadonlySet<string>;
  /** Whether the program of ExecStart= is a script. */
  readonly isScript: boolean;
}

/** Where an argument or a variable is set. */
export interface Origin {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  /** The variable that it is part of, if any. */
  readonly variable: string | null;
}

/** An origin as messages name it. */
export function nameOrigin({ path, line, variable }: Origin): string {
  return `${variable === null ? "" : `${variable}, `}${path}, line ${line}`;
}

/** What is about to be written. A path that is not listed is as it was read. */
export interface Written {
  /** This module's drop-in; null without it. */
  readonly dropIn: string | null;
  /** Contents of environment files by path; null for one that does not exist. */
  readonly files: ReadonlyMap<string, string | null>;
}

export const NOTHING_WRITTEN: Written = { dropIn: null, files: new Map() };

/** The file that a daemon with these options writes its process id to. */
export function pidFileOf(options: DockerFlags): string {
  return options.get("pidfile")?.at(-1) ?? DOCKER_PID_FILE;
}

/** systemd reads drop-ins in the order of their names, so that this one comes after most others. */
export const DROP_IN_PATH = "/etc/systemd/system/docker.service.d/zz-weave.conf";
