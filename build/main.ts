import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { asAnsibleModule, bundle } from "./bundle";
import { renderSidecar } from "./docs";
import { MODULES } from "./modules";
import { renderModules } from "./modules_page";
import { renderVariables } from "./variables";

/**
 * `npm run build`: the modules and their documentation into the role's library, the command by hand and the example's service
 * into dist, and the pages of the modules and of the role's variables.
 */
const root = join(__dirname, "..");
const library = join(root, "roles/weave/library");
const dist = join(root, "dist");

for (const folder of [library, dist]) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
}
for (const { module, docs } of MODULES) {
  writeProgram(join(library, module.name), asAnsibleModule(bundle(`modules/${module.name}/index.ts`)));
  writeFileSync(join(library, `${module.name}.yml`), renderSidecar(module.name, module.options, docs));
}
writeProgram(join(dist, "apollo-weave"), bundle("modules/command/index.ts"));
writeProgram(join(dist, "nodejs-rest-api.js"), bundle("examples/nodejs-rest-api/server.ts"));
const specs = readFileSync(join(root, "roles/weave/meta/argument_specs.yml"), "utf8");
writeFileSync(join(root, "docs/variables.md"), renderVariables(specs));
writeFileSync(join(root, "docs/modules.md"), renderModules(MODULES));

function writeProgram(path: string, code: string): void {
  writeFileSync(path, code, { mode: 0o755 });
  console.log(`${path.slice(root.length + 1)}  ${(code.length / 1000).toFixed(1)} kB`);
}
