import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { makePackages, type Packages } from "../built/packages";
import type { Cluster } from "../hosts/cluster";
import { bootHosts } from "./hosts";
import { hostIndexOf } from "./members";
import { type AnsibleOptions, ansiblePlaybook, changedTasks, complaints, type PlaybookRun } from "./playbook";

/** Both packages, each unpacked into an empty directory and used from there on a machine that has no Node. Each test starts
 * from the state that the one before left. */
const test = suite("the packages on hosts");
let cluster: Cluster;
let packages: Packages;
let path: string;

test.before(async () => {
  cluster = await bootHosts(2);
  packages = makePackages();
  path = pathWithoutNode(join(cluster.directory, "programs"));
});
test.after(() => cluster.down());

/** Makes a directory of all programs of this machine but Node.js's; returns it. */
function pathWithoutNode(directory: string): string {
  mkdirSync(directory);
  const programs = new Map<string, string>();
  for (const searched of (process.env["PATH"] ?? "").split(":").reverse()) {
    // npm puts directories there that need not be.
    if (!existsSync(searched)) continue;
    for (const name of readdirSync(searched)) programs.set(name, join(searched, name));
  }
  for (const name of ["node", "nodejs", "npm", "npx"]) programs.delete(name);
  for (const [name, program] of programs) symlinkSync(program, join(directory, name));
  return directory;
}

function emptyDirectory(name: string): string {
  const directory = join(cluster.directory, name);
  mkdirSync(directory);
  return directory;
}

const environment = (): Record<string, string> => ({
  PATH: path,
  ANSIBLE_COLLECTIONS_PATH: join(cluster.directory, "with-collection/collections"),
});

async function play(directory: string, args: readonly string[], options: AnsibleOptions = {}): Promise<PlaybookRun> {
  const vxlan = ["--diff", "--extra-vars", "weave_datapath=vxlan"];
  const run = await ansiblePlaybook(cluster.inventory, [...args, ...vxlan], {
    directory,
    env: environment(),
    ...options,
  });
  assert.is(run.status, 0, run.output);
  assert.equal(
    complaints(run).filter((line) => !line.includes("running playbook inside collection apollo.weave")),
    [],
  );
  return run;
}

test("the collection is installed without a network, and its playbook provisions hosts", async () => {
  const directory = emptyDirectory("with-collection");
  const install = ["ansible-galaxy", "collection", "install", packages.collection, "-p", "collections"];
  execFileSync("unshare", ["--net", "--", ...install], {
    cwd: directory,
    stdio: "pipe",
    env: { ...process.env, ...environment() },
  });
  const run = await play(directory, ["apollo.weave.weave"]);
  assert.is(changedTasks(run).filter((task) => task.endsWith("restart docker")).length, 2, run.output);
  for (const host of cluster.hosts) assert.is(await hostIndexOf(host), host.number);
});

test("its playbook verify finds that every path works", async () => {
  const run = await play(join(cluster.directory, "with-collection"), ["apollo.weave.verify"]);
  assert.match(run.output, /apollo2/);
});

test("its role in another play changes nothing, by the newest ansible-core", async () => {
  const directory = join(cluster.directory, "with-collection");
  writeFileSync(
    join(directory, "site.yml"),
    "- hosts: weave_servers\n  gather_facts: false\n  roles:\n    - role: apollo.weave.weave\n",
  );
  const run = await play(directory, ["site.yml"], { ansible: "newest" });
  assert.equal(changedTasks(run), []);
  assert.ok(run.results.some(({ action }) => action.endsWith("weave_bridge")));
});

test("the role of the other package is the same: it changes nothing and verifies", async () => {
  const directory = emptyDirectory("with-role");
  execFileSync("tar", ["-xzf", packages.role], { cwd: directory });
  writeFileSync(
    join(directory, "site.yml"),
    "- hosts: weave_servers\n  gather_facts: false\n  roles:\n    - role: weave\n",
  );
  const run = await play(directory, ["site.yml"]);
  assert.equal(changedTasks(run), []);
  assert.ok(run.results.some(({ action }) => action === "weave_bridge"));
  const verify = ["-i", cluster.inventory, "-m", "include_role", "-a", "name=weave tasks_from=verify"];
  const env = { ...process.env, ...environment() };
  execFileSync("ansible", ["weave_servers", ...verify], { cwd: directory, stdio: "pipe", env });
});

test.run();
