import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync, statSync } from "node:fs";
import { isIPv4 } from "node:net";
import { networkInterfaces } from "node:os";
import { errorCode, fileError } from "../errno";
import { UserError } from "../errors";
import type { FileState, Host } from "./host";
import { request } from "./http";
import { writableByOthers } from "./paths";
import { resolveNames } from "./resolve";
import { run } from "./run";

/** The host that this process runs on. */
export const linuxHost: Host = {
  readFile,
  readStart,
  changedAt,
  writableByOthers: (path) => unlessAbsent(path, () => writableByOthers(path)),
  readText,
  readdir,
  readlink,
  addresses,
  resolveNames,
  run,
  request: (toSend) => request(toSend),
};

function readFile(path: string): FileState | null {
  return unlessAbsent(path, () => {
    const stat = statSync(path);
    if (!stat.isFile()) {
      const found = KINDS.find(([is]) => stat[is]())?.[1] ?? "something else";
      throw new UserError(`${path}: must be a regular file (found ${found}). Move it away and run again.`);
    }
    return { content: readFileSync(path, "latin1"), mode: stat.mode & 0o7777, owner: stat.uid };
  });
}

const KINDS = [
  ["isDirectory", "a directory"],
  ["isFIFO", "a pipe"],
  ["isSocket", "a socket"],
  ["isBlockDevice", "a device"],
  ["isCharacterDevice", "a device"],
] as const;

function readStart(path: string, bytes: number): string | null {
  return unlessAbsent(path, () => {
    const file = openSync(path, "r");
    try {
      const start = Buffer.alloc(bytes);
      return start.toString("latin1", 0, readSync(file, start, 0, bytes, 0));
    } finally {
      closeSync(file);
    }
  });
}

function changedAt(path: string): number | null {
  return unlessAbsent(path, () => statSync(path).ctimeMs);
}

function readText(path: string): string | null {
  return unlessAbsent(path, () => readFileSync(path, "latin1").trim());
}

function readdir(path: string): readonly string[] {
  return unlessAbsent(path, () => readdirSync(path).sort()) ?? [];
}

function readlink(path: string): string | null {
  return unlessAbsent(path, () => readlinkSync(path));
}

function addresses(): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  // The family is a text or a number, depending on the version of Node.
  return all.map(({ address }) => address).filter(isIPv4);
}

function unlessAbsent<T>(path: string, read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    const code = errorCode(error);
    // EINVAL: not a link, or an attribute that the device does not have. ESRCH: the process has ended.
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EINVAL" || code === "ESRCH") return null;
    throw fileError(path, "can't be read", error);
  }
}
