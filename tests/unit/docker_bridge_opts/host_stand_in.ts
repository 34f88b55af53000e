import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Action, Change } from "../../../modules/core/change";
import type { Host } from "../../../modules/core/host/host";
import { type Contents, memoryHost } from "../support/memory_host";

/** Files by their absolute paths. */
export type Files = ReadonlyMap<string, string>;

const UNIT = "/lib/systemd/system/docker.service";
export const SHOW = "systemctl show docker.service -p LoadState,FragmentPath,DropInPaths,NeedDaemonReload,MainPID,Job";

/** Reads a tree of files; their paths start at its root. */
export function readTree(root: string, folder = "/"): Files {
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  return new Map(
    entries.flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory()
        ? [...readTree(root, path)]
        : [[path, readFileSync(join(root, path), "latin1")] as const];
    }),
  );
}

/** What a daemon that runs shows of itself: its command line's words, and what its API answers by path. */
export interface Daemon {
  readonly words: readonly string[];
  readonly api?: Readonly<Record<string, unknown>>;
}

/** A host in memory that has just these files. It runs systemd if Docker's unit is among them. */
export function standInHost(files: Files, daemon: Daemon | null = null, more: Partial<Contents> = {}): Host {
  const dropIns = [...files.keys()].filter((path) => path.startsWith("/etc/systemd/system/docker.service.d/")).sort();
  const stat = (pid: number, started: number): string =>
    `${pid} (a program) S 1 7 7 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 9 0 ${started} 0 0`;
  return memoryHost({
    files: Object.fromEntries(files),
    names: files.has(UNIT) ? { "/run/systemd": ["notify", "system"] } : {},
    kernel: {
      "/proc/self/stat": stat(9, 900),
      "/proc/sys/kernel/random/boot_id": "boot",
      ...(daemon && {
        "/proc/812/cmdline": `${daemon.words.join("\0")}\0`,
        "/proc/812/stat": stat(812, 500),
        "/var/run/docker.pid": "812",
      }),
    },
    programs: {
      [SHOW]: [
        "LoadState=loaded",
        `FragmentPath=${UNIT}`,
        `DropInPaths=${dropIns.join(" ")}`,
        "NeedDaemonReload=no",
        `MainPID=${daemon ? 812 : 0}`,
      ].join("\n"),
      "dockerd --version": "Docker version 20.10.24+dfsg1, build 297e128",
      "ip -o -4 addr show": String.raw`4: weave    inet 10.2.0.1/16 brd 10.2.255.255 scope global weave\       valid_lft forever`,
    },
    services: Object.fromEntries(
      Object.entries(daemon?.api ?? {}).map(([path, answer]) => [
        `GET /var/run/docker.sock${path}`,
        { status: 200, body: JSON.stringify(answer), server: "Docker/20.10.24 (linux)" },
      ]),
    ),
    ...more,
  });
}

/** The files as they are after the changes, without the module's own state. */
export function withChanges(files: Files, changes: readonly Change[]): Files {
  const after = new Map(files);
  const apply = (action: Action): void => {
    if (action.do === "write") after.set(action.path, action.content);
    if (action.do === "remove") after.delete(action.path);
  };
  for (const { actions } of changes) actions.forEach(apply);
  after.delete("/var/lib/apollo-weave/docker-previous.json");
  return after;
}
