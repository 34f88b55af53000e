import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { inTemporaryFolder } from "../support/temporary_folder";

/** playbooks/vars/group.yml: every playbook fails if its group has no hosts. No host is reached here. */
const test = suite("a group without hosts");
const ROOT = join(__dirname, "../../..");

interface Run {
  readonly status: number | null;
  readonly output: string;
}

function play(playbook: string, inventory: string, ...args: string[]): Run {
  let run: Run | undefined;
  inTemporaryFolder((folder) => {
    const path = join(folder, "inventory.ini");
    writeFileSync(path, inventory);
    const { status, stdout, stderr } = spawnSync("ansible-playbook", ["-i", path, playbook, ...args], {
      cwd: ROOT,
      encoding: "utf8",
    });
    run = { status, output: stdout + stderr };
  });
  assert.ok(run);
  return run;
}

const WITHOUT = "[other]\ndocker1 ansible_connection=local\n";
const EMPTY = `[weave_servers]\n${WITHOUT}`;

function assertRefused({ status, output }: Run, group: string): void {
  assert.is.not(status, 0, output);
  assert.match(
    output,
    `weave_server_group: must be a group with hosts (found none in the group ${group}). Add hosts to it, or set another group (-e weave_server_group=GROUP).`,
  );
  assert.not.match(output, "TASK [");
}

for (const name of ["weave", "verify", "grow", "shrink", "upgrade", "teardown"]) {
  test(`${name}.yml fails without the group, and says what to do`, () => {
    assertRefused(play(`playbooks/${name}.yml`, WITHOUT), "weave_servers");
  });
}

test("site.yml fails, too", () => assertRefused(play("site.yml", WITHOUT), "weave_servers"));

test("so does an empty group, an empty inventory, and a run with a limit or another group", () => {
  assertRefused(play("playbooks/teardown.yml", EMPTY), "weave_servers");
  assertRefused(play("playbooks/upgrade.yml", ""), "weave_servers");
  assertRefused(play("playbooks/teardown.yml", WITHOUT, "--limit", "docker1"), "weave_servers");
  assertRefused(play("playbooks/weave.yml", WITHOUT, "-e", "weave_server_group=nobody"), "nobody");
});

test("a group with hosts passes", () => {
  const { status, output } = play("playbooks/teardown.yml", WITHOUT, "-e", "weave_server_group=other", "--list-hosts");
  assert.is(status, 0, output);
  assert.match(output, "docker1");
});

test.run();
