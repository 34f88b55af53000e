import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import { installPackages } from "./host_packages";
import { bootHosts } from "./hosts";
import { addPlainUser } from "./plain_user";
import { type AnsibleOptions, ansiblePlaybook, changedTasks, type PlaybookRun } from "./playbook";

/** Hosts whose login shell is not a Bourne shell: Debian's packages of csh, tcsh and fish. */
const test = suite("login shells");
let cluster: Cluster;

const SHELLS: Readonly<Record<string, { shell: string; package: string }>> = {
  apollo1: { shell: "/bin/csh", package: "csh" },
  apollo2: { shell: "/bin/tcsh", package: "tcsh" },
  apollo3: { shell: "/usr/bin/fish", package: "fish" },
};

/** Returns a directory with Debian's copy of the collection ansible.posix, which has the shell plugins for csh and fish. */
function collections(): string {
  const directory = join(cluster.directory, "collections");
  if (existsSync(directory)) return directory;
  mkdirSync(directory);
  execFileSync("apt-get", ["download", "--quiet", "ansible"], {
    cwd: directory,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const unpack =
    'dpkg-deb --fsys-tarfile "$0"/ansible_*.deb | tar -x -C "$0" --strip-components=5 --wildcards "*/ansible_collections/ansible/posix/*"';
  execFileSync("sh", ["-c", unpack, directory]);
  return directory;
}

test.before(async () => {
  cluster = await bootHosts(3);
  for (const [name, { shell, package: named }] of Object.entries(SHELLS)) {
    const host = cluster.host(name);
    await installPackages([host], cluster.suite, [named], []);
    await addPlainUser(host);
    for (const user of ["root", "deploy"]) await host.exec(["usermod", "--shell", shell, user]);
  }
});
test.after(() => cluster.down());

async function play(args: readonly string[], options: AnsibleOptions = {}): Promise<PlaybookRun> {
  const run = await ansiblePlaybook(cluster.inventory, ["--extra-vars", "weave_datapath=vxlan", ...args], options);
  assert.is(run.status, 0, run.output);
  return run;
}

test("the login shells are what they are meant to be", async () => {
  for (const [name, { shell }] of Object.entries(SHELLS)) {
    const { stdout } = await cluster.host(name).exec(["getent", "passwd", "root", "deploy"]);
    assert.is([...stdout.matchAll(/:([^:\s]+)$/gm)].map(([, program]) => program).join(), `${shell},${shell}`, name);
  }
});

test("fresh hosts: a run makes what its check announced, and all paths work", async () => {
  const check = await play(["site.yml", "--check"]);
  const run = await play(["site.yml"]);
  assert.equal(changedTasks(run).sort(), changedTasks(check).sort());
  await play(["playbooks/verify.yml"]);
});

test("a second run changes nothing, and all paths work, as a plain user, with the newest ansible-core", async () => {
  const args = ["--extra-vars", "ansible_user=deploy"];
  assert.equal(changedTasks(await play(["site.yml", ...args], { ansible: "newest" })), []);
  await play(["playbooks/verify.yml", ...args], { ansible: "newest" });
});

test("ansible_shell_type: csh, as the collection ansible.posix has it", async () => {
  const env = { ANSIBLE_COLLECTIONS_PATHS: collections() };
  const args = ["--extra-vars", "ansible_shell_type=csh", "--limit", "apollo1,apollo2"];
  assert.equal(changedTasks(await play(["site.yml", ...args], { env })), []);
  await play(["playbooks/verify.yml", ...args], { env });
});

test("without pipelining", async () => {
  assert.equal(changedTasks(await play(["site.yml"], { env: { ANSIBLE_PIPELINING: "false" } })), []);
});

test("the network is removed from them", async () => {
  await play(["playbooks/teardown.yml"]);
});

test.run();
