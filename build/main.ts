import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readRecord } from "../tests/runner/suites";
import { asAnsibleModule, asCommand, bundles, withoutDescriptions } from "./bundle";
import { renderSidecar } from "./docs";
import { MODULES } from "./modules";
import { renderModules } from "./modules_page";
import { renderOptionNames } from "./option_names";
import { renderSupport } from "./support";
import { renderVariables } from "./variables";

/**
 * `npm run build`: builds the modules with their documentation into the role's library, the command and the example's service
 * into dist, the pages docs/modules.md, docs/variables.md and, in part, docs/support.md,
 * and the names of dockerd's options in the role's filter.
 */
const root = join(__dirname, "..");
const library = join(root, "roles/weave/library");
const dist = join(root, "dist");

const NEW = ".new";
const names = MODULES.map(({ module: { name } }) => name);
const [command = "", service = "", ...modules] = bundles([
  "modules/command/index.ts",
  "examples/nodejs-rest-api/server.ts",
  ...names.map((name) => `modules/${name}/index.ts`),
]);
const programs = new Map([
  ...MODULES.map(({ module: { name, options } }, index) => {
    const code = withoutDescriptions(modules[index] ?? "", options);
    return [join(library, name), asAnsibleModule(code)] as const;
  }),
  [join(dist, "apollo-weave"), asCommand("apollo-weave", command)],
  [join(dist, "nodejs-rest-api.js"), service],
]);
const specs = readFileSync(join(root, "roles/weave/meta/argument_specs.yml"), "utf8");
const filter = join(root, "roles/weave/filter_plugins/weave_invalid_docker_opts.py");
const support = readFileSync(join(root, "docs/support.md"), "utf8");
const texts = new Map([
  ...MODULES.map(({ module, docs }) => {
    return [join(library, `${module.name}.yml`), renderSidecar(module.name, module.options, docs)] as const;
  }),
  [join(root, "docs/variables.md"), renderVariables(specs)],
  [join(root, "docs/modules.md"), renderModules(MODULES)],
  [join(root, "docs/support.md"), renderSupport(support, readRecord())],
  [filter, renderOptionNames(readFileSync(filter, "utf8"))],
]);

for (const directory of [library, dist]) mkdirSync(directory, { recursive: true });
// Ansible would take what an earlier build has left for modules.
for (const name of readdirSync(library)) {
  const path = join(library, name);
  if (!programs.has(path) && !texts.has(path) && !name.endsWith(NEW)) rmSync(path);
}
for (const [path, text] of texts) put(path, text, 0o644);
for (const [path, code] of programs) {
  put(path, code, 0o755);
  console.log(`${path.slice(root.length + 1)}  ${(code.length / 1000).toFixed(1)} kB`);
}

/** Replaces the file at once, as a running play may read it. */
function put(path: string, content: string, mode: number): void {
  const written = `${path}.${process.pid}${NEW}`;
  writeFileSync(written, content, { mode });
  renameSync(written, path);
}
