import type { Action, Change } from "../../../../modules/core/change";
import type { FileState, HttpRequest, HttpResponse, RunOutput } from "../../../../modules/core/host/host";

/**
 * A part of a fake host: files, a network, Docker, the router. Each method returns undefined for what belongs to another part, and
 * null for what does not exist on the host.
 */
export interface Part {
  readFile?(path: string): FileState | null | undefined;
  changedAt?(path: string): number | null | undefined;
  writableByOthers?(path: string): string | null | undefined;
  readText?(path: string): string | null | undefined;
  readdir?(path: string): readonly string[] | undefined;
  readlink?(path: string): string | null | undefined;
  addresses?(): readonly string[];
  /** The IPv4 addresses of one name. */
  resolveName?(name: string): readonly string[] | undefined;
  run?(argv: readonly string[]): RunOutput | undefined;
  request?(request: HttpRequest): HttpResponse | null | undefined;
  /** Carries out a step that changes a file or a kernel setting. */
  change?(change: Change, action: FileAction): Promise<void> | undefined;
  /** All files and links with their modes, by path. */
  listFiles?(): Map<string, string>;
  /** All that is not in a file, for comparisons. */
  state?(): object;
}

export type FileAction = Extract<Action, { do: "write" | "chmod" | "remove" | "set" }>;

/** A part whose files another part can read. */
export interface Files {
  readFile(path: string): FileState | null;
  readdir(path: string): readonly string[];
}

/** The output of a program that succeeds or fails. */
export const done = (stdout = ""): RunOutput => ({ status: 0, stdout, stderr: "" });
export const failed = (stderr: string): RunOutput => ({ status: 1, stdout: "", stderr });

/** The text of /proc/PID/stat of a process that was started that many clock ticks after the boot (proc(5)). */
export const processStat = (startedAt: number): string => `1 (a (b) c) S${" 0".repeat(18)} ${startedAt} 0`;
