import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import { bootHosts } from "./hosts";
import { ansiblePlaybook, changedTasks, ROOT } from "./playbook";

/** Checkouts by a Git that has core.autocrlf=true, as on Windows, from where a controller in WSL takes them. */
const test = suite("checkouts with CRLF");
let cluster: Cluster;
test.before(async () => {
  cluster = await bootHosts(1);
});
test.after(() => cluster.down());

const AUTOCRLF = ["-c", "core.autocrlf=true"];
const git = (directory: string, ...args: string[]): string =>
  execFileSync("git", ["-C", directory, "-c", "user.name=test", "-c", "user.email=test", ...args], {
    encoding: "utf8",
  });

/** The paths of the text files in a checkout that have CRLF but not in the repository, by `git ls-files --eol`. */
const withCrlf = (directory: string): string[] =>
  git(directory, "ls-files", "--eol")
    .split("\n")
    .filter((line) => /^i\/lf +w\/(crlf|mixed) /.test(line))
    .map((line) => line.replace(/.*\t/, ""));

test("a clone of this repository has none", () => {
  const directory = join(cluster.directory, "clone");
  execFileSync("git", ["clone", "--quiet", "--no-local", ...AUTOCRLF, ROOT, directory]);
  assert.equal(withCrlf(directory), []);
});

test("another repository that has the role, and checks it out with CRLF, provisions and verifies a host with it", async () => {
  const origin = join(cluster.directory, "origin");
  mkdirSync(origin);
  for (const name of ["roles", "playbooks", "site.yml", "ansible.cfg"]) {
    cpSync(join(ROOT, name), join(origin, name), { recursive: true });
  }
  git(origin, "init", "--quiet");
  git(origin, "add", "--force", ".");
  git(origin, "commit", "--quiet", "--message", "Add the role");
  const directory = join(cluster.directory, "checkout");
  execFileSync("git", ["clone", "--quiet", "--no-local", ...AUTOCRLF, origin, directory]);
  for (const path of ["roles/weave/files/probe.sh", "roles/weave/library/weave_bridge", "site.yml"]) {
    assert.ok(withCrlf(directory).includes(path), path);
  }

  const args = ["--extra-vars", "weave_datapath=vxlan"];
  const check = await ansiblePlaybook(cluster.inventory, ["site.yml", "--check", ...args], { directory });
  const run = await ansiblePlaybook(cluster.inventory, ["site.yml", ...args], { directory });
  assert.is(run.status, 0, run.output);
  assert.equal(changedTasks(run), changedTasks(check));
  const verified = await ansiblePlaybook(cluster.inventory, ["playbooks/verify.yml", ...args], { directory });
  assert.is(verified.status, 0, verified.output);
  // What it leaves on the host is as from any checkout.
  const again = await ansiblePlaybook(cluster.inventory, ["site.yml", ...args]);
  assert.equal(changedTasks(again), [], again.output);
});

test.run();
