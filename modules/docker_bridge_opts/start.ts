import type { Specifiers } from "../formats/systemd_expand";
import type { TextFile } from "../formats/systemd_unit";

/** All that decides which arguments systemd passes to dockerd, beside this module's drop-in. */
export interface UnitStart {
  /** The unit's file and its drop-ins in systemd's order, without this module's. */
  readonly files: readonly TextFile[];
  /** The existing files of each EnvironmentFile=, by its path or pattern with specifiers expanded. */
  readonly environmentFiles: ReadonlyMap<string, readonly TextFile[]>;
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

/** systemd reads drop-ins in the order of their names, so that this one comes after most others. */
export const DROP_IN_PATH = "/etc/systemd/system/docker.service.d/zz-weave.conf";
