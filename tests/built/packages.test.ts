/** Holds the packages against what Ansible asks of them: run `npm run build` first. */
import { execFileSync, spawnSync } from "node:child_process";
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { readFiles } from "../../build/files";
import { makePackages, type Packages } from "./packages";

const ROOT = join(__dirname, "../..");
const test = suite("the packages");
const scratch = mkdtempSync(join(tmpdir(), "apollo-weave-packages-"));
const installed = join(scratch, "collections");
const collection = join(installed, "ansible_collections/apollo/weave");
let packages: Packages;

test.before(() => {
  packages = makePackages();
  run("ansible-galaxy", "collection", "install", packages.collection, "-p", installed);
});
test.after(() => rmSync(scratch, { recursive: true, force: true }));

/** Runs a program without a network, as all that is installed has to be in the archive; returns what it printed. */
function run(...argv: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync("unshare", ["--net", "--", ...argv], {
    cwd: scratch,
    encoding: "utf8",
    env: {
      ...process.env,
      LC_ALL: "C.UTF-8",
      ANSIBLE_NOCOLOR: "1",
      PAGER: "cat",
      ANSIBLE_COLLECTIONS_PATH: installed,
    },
  });
  assert.is(status, 0, `${argv.join(" ")}: ${stdout}${stderr}`);
  return stdout;
}

test("another build of the same sources in another directory, by a user with other rights, has the same bytes", () => {
  const elsewhere = join(scratch, "a directory/further down");
  // With npm's packages, as bundles have numbers made of where these are.
  const left = [".git", "dist", "roles/weave/library", "node_modules/.cache"];
  cpSync(ROOT, elsewhere, { recursive: true, filter: (path) => !left.includes(relative(ROOT, path)) });
  const before = process.umask(0o077);
  try {
    execFileSync(process.execPath, ["-r", "tsx/cjs", "build/main.ts"], { cwd: elsewhere, stdio: "ignore" });
    const [here, there] = [ROOT, elsewhere].map((root) => readFiles(join(root, "roles/weave/library")));
    for (const [path, file] of here ?? []) {
      assert.ok(
        there?.get(path)?.content.equals(file.content),
        `${path}: another build differs; run \`npm run build\``,
      );
    }
    assert.is(makePackages(elsewhere).sums, packages.sums);
  } finally {
    process.umask(before);
  }
});

test("the time of their files is what the environment says, and the checksums are the archives'", () => {
  assert.is.not(makePackages(ROOT, 1_500_000_000).sums, packages.sums);
  assert.is(makePackages().sums, packages.sums);
  execFileSync("sha256sum", ["--check", "--quiet", "--strict", "SHA256SUMS"], { cwd: join(ROOT, "dist") });
});

test("the collection's manifests say what `ansible-galaxy collection build` would", () => {
  const directory = join(scratch, "again");
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
  cpSync(collection, directory, { recursive: true });
  for (const name of ["MANIFEST.json", "FILES.json"]) rmSync(join(directory, name));
  cpSync(join(ROOT, "build/collection/galaxy.yml"), join(directory, "galaxy.yml"));
  appendFileSync(join(directory, "galaxy.yml"), `version: ${version}\n`);
  run("ansible-galaxy", "collection", "build", directory, "--output-path", scratch);
  const theirs = join(scratch, "theirs");
  mkdirSync(theirs);
  run("tar", "-xzf", `apollo-weave-${version}.tar.gz`, "-C", theirs);

  const read = (root: string, name: string) => JSON.parse(readFileSync(join(root, name), "utf8"));
  assert.equal(read(collection, "MANIFEST.json").collection_info, read(theirs, "MANIFEST.json").collection_info);
  const files = (root: string): string[] =>
    read(root, "FILES.json")
      .files.map((file: object) => JSON.stringify(Object.entries(file).sort()))
      .sort();
  assert.equal(files(collection), files(theirs));
});

test("what is installed is whole, and its checksums are right", () => {
  assert.match(run("ansible-galaxy", "collection", "verify", "--offline", "apollo.weave"), "Successfully verified");
});

test("ansible-doc shows its modules by their full names, which examples have too, and its role", () => {
  for (const name of ["weave_bridge", "weave_service", "docker_bridge_opts"]) {
    const page = run("ansible-doc", `apollo.weave.${name}`);
    assert.match(page, `> APOLLO.WEAVE.${name.toUpperCase()} `);
    assert.match(page, `\n  apollo.weave.${name}:\n`);
    assert.not.match(page, `\n  ${name}:\n`);
  }
  const role = run("ansible-doc", "-t", "role", "apollo.weave.weave");
  for (const entry of ["main", "teardown", "verify"]) assert.match(role, `ENTRY POINT: ${entry} - `);
});

test("ansible-doc shows the role of a checkout", () => {
  const role = run("ansible-doc", "-t", "role", "-r", join(ROOT, "roles"), "weave");
  for (const entry of ["main", "teardown", "verify"]) assert.match(role, `ENTRY POINT: ${entry} - `);
  assert.match(role, "- weave_datapath\n");
});

test("its modules take defaults as a group", () => {
  const args = ["-i", "localhost,", "-c", "local", "--check"];
  const play = join(scratch, "group.yml");
  appendFileSync(
    play,
    `- hosts: all
  gather_facts: false
  module_defaults:
    group/apollo.weave.weave: {state: such_as_none_has}
  tasks:
${["weave_bridge", "weave_service", "docker_bridge_opts"]
  .map(
    (name) =>
      `    - apollo.weave.${name}: {}\n      register: it\n      failed_when: "'such_as_none_has' not in it.msg"\n`,
  )
  .join("")}`,
  );
  assert.match(run("ansible-playbook", ...args, play), "failed=0");
});

test.run();
