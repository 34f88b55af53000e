import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

/** Where what tests get from registries is kept. */
export const CACHE = join(__dirname, "../../node_modules/.cache");

/** The oldest Node that a managed host may have, the one of this machine, and the newest that there is. */
export const VERSIONS = ["16.20.2", "own", "latest"] as const;

/** One that is too old, as Ubuntu 18.04 has it. */
export const TOO_OLD = "8.17.0";

/** Returns the path of that Node, for a processor like this machine's unless told. One that is not this machine's comes from npm, once. */
export function nodeOf(version: string, architecture: string = process.arch): string {
  if (version === "own") return process.execPath;
  const name = `node-linux-${architecture}`;
  const folder = join(CACHE, architecture === process.arch ? `node-${version}` : `node-${version}-${architecture}`);
  const program = join(folder, "node_modules", name, "bin/node");
  if (!existsSync(program)) {
    console.error(`Getting Node ${version} from npm, once …`);
    // By force, as npm refuses a package for another processor.
    const quiet = ["--force", "--ignore-scripts", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
    mkdirSync(CACHE, { recursive: true });
    const fresh = mkdtempSync(`${folder}-`);
    execFileSync("npm", ["install", ...quiet, "--prefix", fresh, `${name}@${version}`], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    try {
      renameSync(fresh, folder);
    } catch (error) {
      // Test files run side by side: another has been quicker.
      if (!existsSync(program)) throw error;
      rmSync(fresh, { recursive: true });
    }
  }
  return program;
}
