/** Installs the Weave stand-in on a test host. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { build } from "esbuild";

/** Where router.js, frames.py and behaviour.json live on the host; under /usr, so that its container sees them. */
export const standInDirectory = "/usr/local/lib/weave-stand-in";

/** A host that files can be written to; creates the directory, and mode is 0644 by default. */
export interface WritableHost {
  write(path: string, content: string | Buffer, mode?: number): Promise<void>;
}

/** The router stand-in as one file of CommonJS for Node.js 16 and later. Throws if its source can't be read as TypeScript. */
export async function bundleRouter(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [path.join(__dirname, "router/main.ts")],
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node16",
    write: false,
  });
  return outputFiles[0]?.text ?? "";
}

/**
 * Writes the stand-in script, with the given version (by default 2.8.1), to /usr/local/bin/weave, and the router stand-in
 * to `standInDirectory`. The host needs /usr/bin/node, python3 and, to launch, Docker.
 */
export async function installWeaveStandIn(host: WritableHost, options: { version?: string } = {}): Promise<void> {
  const script = await readFile(path.join(__dirname, "weave"), "utf8");
  const version = options.version ?? "2.8.1";
  const versioned = withOptionsOf(version, script).replace(/^SCRIPT_VERSION="[^"]*"/m, `SCRIPT_VERSION="${version}"`);
  await host.write(`${standInDirectory}/router.js`, await bundleRouter(), 0o644);
  await host.write(`${standInDirectory}/frames.py`, await readFile(path.join(__dirname, "frames.py"), "utf8"), 0o644);
  await host.write("/usr/local/bin/weave", versioned, 0o755);
}

/** Before 1.5.0 the script has no option --no-restart: it passes it on to the router, which does not know it. */
function withOptionsOf(version: string, script: string): string {
  return /^(0|1\.[0-4])\./.test(version) ? script.replaceAll("--no-restart", "--not-before-1.5") : script;
}
