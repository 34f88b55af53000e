import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(__dirname, "../..");

export interface Packages {
  /** The paths of the archives. */
  readonly collection: string;
  readonly role: string;
  /** The text of SHA256SUMS. */
  readonly sums: string;
}

/** Makes the packages of what is built in a checkout (this one by default), all files of the given time in seconds since 1970. */
export function makePackages(root = ROOT, time = 1_433_116_800): Packages {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  execFileSync(process.execPath, ["-r", "tsx/cjs", "build/package.ts"], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, SOURCE_DATE_EPOCH: String(time) },
  });
  return {
    collection: join(root, `dist/apollo-weave-${version}.tar.gz`),
    role: join(root, `dist/apollo-weave-role-${version}.tar.gz`),
    sums: readFileSync(join(root, "dist/SHA256SUMS"), "utf8"),
  };
}
