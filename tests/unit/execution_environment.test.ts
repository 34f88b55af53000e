import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { parse } from "yaml";

/** examples/execution-environment, as far as it can be told without ansible-builder. */
const ROOT = join(__dirname, "../..");
const DIRECTORY = "examples/execution-environment";
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const definition = parse(read(`${DIRECTORY}/execution-environment.yml`)) as {
  options?: { package_manager_path?: string };
  dependencies: { galaxy: string; python_interpreter: object; system: string[] };
  additional_build_files: { src: string; dest: string }[];
};

test("the archive has package.json's version, and is where requirements.yml names it when ansible-galaxy runs", () => {
  const { version } = JSON.parse(read("package.json")) as { version: string };
  const { collections } = parse(read(`${DIRECTORY}/${definition.dependencies.galaxy}`)) as {
    collections: { name: string }[];
  };
  const copied = definition.additional_build_files.map(({ src, dest }) => join(dest, basename(src)));
  assert.equal(copied, [`apollo-weave-${version}.tar.gz`]);
  assert.equal(
    collections.map(({ name }) => name),
    copied,
  );
});

test("Python comes with the image, and all packages are of its distribution, whose package manager is dnf", () => {
  const { options, dependencies } = definition;
  assert.is(options?.package_manager_path, undefined);
  assert.equal(Object.keys(dependencies.python_interpreter), ["package_system", "python_path"]);
  for (const name of dependencies.system) assert.match(name, /^[\w-]+ \[platform:rpm\]$/);
});

test.run();
