import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { transformSync } from "esbuild";
import { readFiles } from "./files";

const ROOT = join(__dirname, "..");

/**
 * What makes a file a module of Ansible's JSONARGS kind: it puts the arguments, as JSON, wherever the marker stands. The
 * first word of the first line is what `ansible_node_interpreter` replaces.
 */
const MARKER = "<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>";
const MODULE_HEAD = `#!/usr/bin/node\nglobalThis.__ANSIBLE_ARGS = ${MARKER};\n`;

/** Markers that Ansible looks for before its own; any of them in a bundle would make it another kind of module. */
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

/** Bundles of the present sources: making them all takes half a minute, and the demo and the tests build each time. */
const CACHE = join(ROOT, "dist/.bundles");

/**
 * Bundles TypeScript files, given by their paths under the project's root, each with all its imports. A bundle of the same
 * sources is taken from the cache.
 */
export function bundles(entries: readonly string[]): string[] {
  const sources = sourcesHash();
  mkdirSync(CACHE, { recursive: true });
  for (const name of readdirSync(CACHE)) if (!name.startsWith(sources)) rmSync(join(CACHE, name));
  return entries.map((entry) => {
    const kept = join(CACHE, `${sources}-${entry.replaceAll("/", "-")}.js`);
    try {
      return readFileSync(kept, "utf8");
    } catch {
      const code = bundle(entry);
      writeFileSync(`${kept}.${process.pid}`, code);
      renameSync(`${kept}.${process.pid}`, kept);
      return code;
    }
  });
}

/** A hash of all that a bundle depends on: the sources and the versions of the tools. */
function sourcesHash(): string {
  const hash = createHash("sha256")
    .update(process.version)
    .update(readFileSync(join(ROOT, "package-lock.json")));
  for (const directory of ["build", "examples", "modules"]) {
    for (const [path, { content }] of [...readFiles(join(ROOT, directory))].sort(([a], [b]) => (a < b ? -1 : 1))) {
      hash.update(`${directory}/${path}\0`).update(content);
    }
  }
  return hash.digest("hex");
}

function bundle(entry: string): string {
  const out = mkdtempSync(join(tmpdir(), "apollo-weave-build-"));
  try {
    const ncc = require.resolve("@vercel/ncc/dist/ncc/cli.js");
    const options = ["--minify", "--transpile-only", "--no-cache", "--target", "es2022", "--quiet", "--out", out];
    execFileSync(process.execPath, [ncc, "build", join(ROOT, entry), ...options], {
      // Numbers in the bundle are made of the paths of its parts, as seen from here.
      cwd: ROOT,
      stdio: ["ignore", "ignore", "inherit"],
    });
    return smaller(readFileSync(join(out, "index.js"), "utf8"));
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

/**
 * ncc keeps all names and unused functions, a quarter of a file that is sent to each host for each task. esbuild drops only
 * what is unused at the top level of a file, so the function that ncc puts around a program is removed first.
 */
function smaller(code: string): string {
  // Node.js 16.0 has optional chaining, but for calls with spread arguments (`f?.(...all)`), which the modules don't have.
  const supported = { "optional-chain": true };
  const options = {
    minify: true,
    treeShaking: true,
    platform: "node",
    target: "node16",
    supported,
  } as const;
  const [, body] = /^\(\(\)=>\{"use strict";([\s\S]*);module\.exports=\w+\}\)\(\);\s*$/.exec(code) ?? [];
  if (body === undefined) return transformSync(code, { ...options, format: "iife" }).code;
  const once = transformSync(body.replace(PURE_CALLS, "/* @__PURE__ */ $&"), { ...options, format: "iife" }).code;
  // What it has inlined leaves more that is unused.
  const twice = transformSync(once, options).code.replace(/^\(\(\)=>\{/, '(()=>{"use strict";');
  // Where ncc puts the files that a program reads; the modules have none.
  return twice.replace(/typeof (\w+)<"u"&&\(\1\.ab=__dirname\+"\/"\);/, "");
}

/** Calls without side effects that make constants, so that esbuild drops a constant that nothing uses. */
const PURE_CALLS = /(?<!function )\b(?:isShape|isOptional|isListOf|isMapOf|dockerRequest|runAction)\(/g;

/** An option's description, the first member of an object that is an argument. */
const DESCRIPTION = /([(,]\{)description:(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\$]|\\.)*`),?/g;

/**
 * A module's bundle without the descriptions of its options, which the command and the documentation show. Throws unless it has as
 * many as the module has options.
 */
export function withoutDescriptions(code: string, options: object): string {
  const found = code.match(DESCRIPTION)?.length ?? 0;
  const count = Object.keys(options).length;
  if (found !== count) throw new Error(`the bundle has ${found} descriptions of options, not ${count}`);
  return code.replace(DESCRIPTION, "$1");
}

const OLDEST_NODE = 16;

/** Where the role puts a Node.js on a host that has none: __weave_nodejs_home. The names are those of distributions. */
const NODES = "/var/lib/apollo-weave/node-*/bin/node node nodejs";

/**
 * The program that is run by hand, made of its bundle, whose first line is replaced. A shell reads it first and runs the Node.js that the
 * host has; to Node.js, what the shell reads is a text and a comment. A Node.js that is too old to run the program can still read it
 * (from 8 on), and says so.
 */
export function asCommand(name: string, code: string): string {
  const { code: readable } = transformSync(code, { minify: true, target: "es2017", logLevel: "error" });
  const program = readable.replace(/^#!.*\n/, "");
  const must = `${name}: Node.js must be ${OLDEST_NODE} or newer (found `;
  const remedy = (what: string): string => `Install ${what}, or name one: /PATH/node /PATH/${name}.`;
  const find =
    `":" //; for node in ${NODES}; do command -v "$node" >/dev/null && exec "$node" "$0" "$@"; done; ` +
    `echo "${must}none). ${remedy("it")}" >&2; exit 1`;
  const message = `"${must}"+process.versions.node+", "+process.execPath+"). ${remedy("a newer one")}"`;
  const check = `;if(parseInt(process.versions.node,10)<${OLDEST_NODE}){console.error(${message});process.exit(1)}`;
  return ["#!/bin/sh", find, check, program].join("\n");
}

/** The file that Ansible runs, made of a module's bundle. Throws if the bundle contains a marker of Ansible's. */
export function asAnsibleModule(code: string): string {
  const found = FOREIGN_MARKERS.find((marker) => code.includes(marker));
  if (found !== undefined) throw new Error(`the bundle contains ${found}, which Ansible would read as a marker`);
  return MODULE_HEAD + code;
}
