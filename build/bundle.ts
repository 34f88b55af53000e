import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { transformSync } from "esbuild";

const ROOT = join(__dirname, "..");

/**
 * What makes a file a module of Ansible's JSONARGS kind: it puts the arguments, as JSON, wherever the marker stands. The
 * first word of the first line is what `ansible_node_interpreter` replaces.
 */
const MARKER = "<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>";
const MODULE_HEAD = `#!/usr/bin/node\nglobalThis.__ANSIBLE_ARGS = ${MARKER};\n`;

/** What Ansible looks for, in this order, before or beside the marker; any of them in a bundle would be taken for another kind of module. */
const FOREIGN_MARKERS = [
  "from ansible.module_utils",
  "from ansible_collections",
  "#<<INCLUDE_ANSIBLE_MODULE_COMMON>>",
  "#Requires -Module",
  "#Requires -Version",
  "#AnsibleRequires",
  "# POWERSHELL_COMMON",
  "WANT_JSON",
  MARKER,
];

/** Takes the path of a TypeScript file under the project's root; returns it and all that it imports as one JavaScript text. */
export function bundle(entry: string): string {
  const out = mkdtempSync(join(tmpdir(), "apollo-weave-build-"));
  try {
    const ncc = require.resolve("@vercel/ncc/dist/ncc/cli.js");
    const options = ["--minify", "--transpile-only", "--no-cache", "--target", "es2022", "--quiet", "--out", out];
    execFileSync(process.execPath, [ncc, "build", join(ROOT, entry), ...options], {
      // Numbers in the bundle are made of the paths of its parts, as seen from here.
      cwd: ROOT,
      stdio: ["ignore", "ignore", "inherit"],
    });
    // ncc keeps all names and what is not called: a sixth of a file that is sent to each host for each task.
    const smaller = { minify: true, treeShaking: true, format: "iife", platform: "node", target: "node16" } as const;
    return transformSync(readFileSync(join(out, "index.js"), "utf8"), smaller).code;
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

/** Takes a module's bundle; returns the file that Ansible runs. Throws where the bundle itself has a marker in it. */
export function asAnsibleModule(code: string): string {
  const found = FOREIGN_MARKERS.find((marker) => code.includes(marker));
  if (found !== undefined) throw new Error(`the bundle contains ${found}, which Ansible would read as a marker`);
  return MODULE_HEAD + code;
}
