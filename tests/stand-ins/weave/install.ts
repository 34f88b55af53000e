/** Puts the Weave stand-in on a test host. */
import { readFile } from "node:fs/promises";
import path from "node:path";

/** Where router.js, frames.py and behaviour.json live on the host; under /usr, so that its container sees them. */
export const standInFolder = "/usr/local/lib/weave-stand-in";

/** What is needed of a host: to write a file, making its folder, with the given mode (0644 when not given). */
export interface WritableHost {
  write(path: string, content: string | Buffer, mode?: number): Promise<void>;
}

/** The router stand-in as CommonJS for node 16 and later. Throws when its source can't be transpiled. */
export async function transpileRouter(): Promise<string> {
  const source = await readFile(path.join(__dirname, "router.ts"), "utf8");
  // Here and not above, since loading the compiler takes longer than all the rest.
  const ts = require("typescript") as typeof import("typescript");
  const { outputText, diagnostics } = ts.transpileModule(source, {
    fileName: "router.ts",
    reportDiagnostics: true,
    compilerOptions: { target: ts.ScriptTarget.ES2021, module: ts.ModuleKind.CommonJS, esModuleInterop: true },
  });
  if (diagnostics !== undefined && diagnostics.length > 0) {
    throw new Error(diagnostics.map((found) => ts.flattenDiagnosticMessageText(found.messageText, "\n")).join("\n"));
  }
  return outputText;
}

/**
 * Writes the stand-in script, with the version that it plays (2.8.1 when not given), to /usr/local/bin/weave, and the
 * router stand-in to `standInFolder`. The host needs node at /usr/bin/node, python3 and, to launch, Docker.
 */
export async function installWeaveStandIn(host: WritableHost, options: { version?: string } = {}): Promise<void> {
  const script = await readFile(path.join(__dirname, "weave"), "utf8");
  const versioned = script.replace(/^SCRIPT_VERSION="[^"]*"/m, `SCRIPT_VERSION="${options.version ?? "2.8.1"}"`);
  await host.write(`${standInFolder}/router.js`, await transpileRouter(), 0o644);
  await host.write(`${standInFolder}/frames.py`, await readFile(path.join(__dirname, "frames.py"), "utf8"), 0o644);
  await host.write("/usr/local/bin/weave", versioned, 0o755);
}
