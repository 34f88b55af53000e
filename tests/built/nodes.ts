import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { downloaded } from "./downloads";

/** The oldest Node.js that a managed host may have, the one of this machine, and the newest that there is. */
export const VERSIONS = ["16.20.2", "own", "latest"] as const;

/** One that is too old, as Ubuntu 18.04 has it. */
export const TOO_OLD = "8.17.0";

/** Returns the path of that Node.js, for a processor like this machine's by default. One that is not this machine's comes from npm, once. */
export function nodeOf(version: string, architecture: string = process.arch): string {
  if (version === "own") return process.execPath;
  const name = `node-linux-${architecture}`;
  const directory = downloaded(
    architecture === process.arch ? `node-${version}` : `node-${version}-${architecture}`,
    (prefix) => {
      console.error(`Getting Node.js ${version} from npm, once …`);
      // By force, as npm refuses a package for another processor.
      const quiet = ["--force", "--ignore-scripts", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
      const stdio = ["ignore", "ignore", "inherit"] as const;
      execFileSync("npm", ["install", ...quiet, "--prefix", prefix, `${name}@${version}`], { stdio: [...stdio] });
    },
  );
  return join(directory, "node_modules", name, "bin/node");
}
