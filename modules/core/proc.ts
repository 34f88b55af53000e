import type { Host } from "./host/host";
import { splitAtEquals } from "./text";

/** The kernel's directory of network devices. */
export const NET_DEVICES = "/sys/class/net";

/** When a process was started, in clock ticks since the machine's boot; null if the process does not exist. */
export function startTicks(pid: number | "self", host: Host): number | null {
  const stat = host.readText(`/proc/${pid}/stat`);
  return stat === null ? null : parseStartTicks(stat);
}

/**
 * The start time in /proc/PID/stat (proc(5)): field 22, which is the 20th after the name in parentheses. That name can contain
 * any text. Null if the field is missing.
 */
export function parseStartTicks(stat: string): number | null {
  const field = stat
    .replace(/^.*\)\s+/s, "")
    .split(" ")
    .at(19);
  return field === undefined ? null : Number(field);
}

/** The arguments of a process, its program first; null if the process does not exist. */
export function commandLineOf(pid: number, host: Host): readonly string[] | null {
  const text = pid > 0 ? host.readText(`/proc/${pid}/cmdline`) : null;
  return text === null ? null : text.replace(/\0$/, "").split("\0");
}

/** The environment that a process was started with; null if the process does not exist. */
export function environmentOfProcess(pid: number, host: Host): ReadonlyMap<string, string> | null {
  const text = pid > 0 ? host.readText(`/proc/${pid}/environ`) : null;
  return text === null ? null : parseEnvironment(text.split("\0"));
}

/** Entries `NAME=value`, as a process and a container's configuration have them, by name. */
export function parseEnvironment(entries: readonly string[]): ReadonlyMap<string, string> {
  return new Map(entries.map(splitAtEquals));
}

/** This process's effective user id; null if the kernel does not report it. */
export function effectiveUid(host: Host): number | null {
  const [, uid] = /^Uid:\s+\d+\s+(\d+)/m.exec(host.readText("/proc/self/status") ?? "") ?? [];
  return uid === undefined ? null : Number(uid);
}
