import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Files, writeFiles } from "./files";

/**
 * Takes files and the time that all of them get, in seconds since 1970; returns a compressed archive (tar.gz) whose bytes
 * depend on nothing else. The flags are those of https://reproducible-builds.org/docs/archives/.
 */
export function archive(files: Files, time: number): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "apollo-weave-archive-"));
  try {
    writeFiles(folder, files);
    const sameForAll = ["--owner=0", "--group=0", "--numeric-owner", "--mode=u=rwX,go=rX", `--mtime=@${time}`];
    const argv = ["--create", "--format=ustar", "--sort=name", ...sameForAll, "--use-compress-program=gzip --no-name"];
    return execFileSync("tar", [...argv, "--directory", folder, ...readdirSync(folder).sort()], {
      maxBuffer: 64 * 1024 * 1024,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
