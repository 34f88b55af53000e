import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { PlaybookRun } from "../../e2e/playbook";
import { playWithoutHosts } from "../support/playbook";

/** roles/weave/handlers: what they do for other roles, and after other plays. This machine is the host, in check mode. */
const test = suite("the role's handlers");
const PLAYS = "tests/e2e/plays";

const play = (name: string, vars = "", ...args: string[]): Promise<PlaybookRun> => {
  const inventory = `[weave_servers]\ndocker1 ansible_connection=local ansible_become=false weave_datapath=vxlan ${vars}\n`;
  return playWithoutHosts(`${PLAYS}/${name}.yml`, inventory, "--check", ...args);
};

const tasksOf = (run: PlaybookRun): string[] =>
  run.results.flatMap(({ task, outcome }) => (outcome === "skipped" ? [] : task.replace(/^weave : /, "")));

test("where the role has not run, another role's restart of Docker is a plain one, whatever the host lacks", async () => {
  const run = await play("notified_by_another", "", "--tags", "docker");
  assert.equal(tasksOf(run), ["Change it", "Restart Docker through its service"], run.output);
});

test("a restart that weave_docker_restart leaves to the operator is reported to other roles, too", async () => {
  const run = await play("notified_by_another", "weave_docker_restart=false", "--tags", "docker");
  assert.is(run.status, 0, run.output);
  assert.equal(tasksOf(run), ["Change it", "Report that Docker must restart for another role"]);
  assert.match(run.output, "(found weave_docker_restart: false). Restart it when its containers may stop");
});

for (const restart of ["true", "false"]) {
  test(`another role's own handler is the only one that runs, with weave_docker_restart ${restart}`, async () => {
    const run = await play("handler_of_another", `weave_docker_restart=${restart}`, "--tags", "docker");
    assert.is(run.status, 0, run.output);
    assert.equal(tasksOf(run), ["Change it", "restart docker"], run.output);
    assert.match(run.output, "the play's own");
  });
}

test("a play that follows a teardown restarts Docker by the module again", async () => {
  const run = await play("after_teardown");
  assert.is(run.status, 0, run.output);
  assert.match(run.output, "modules: True, temporary: False, /usr/bin/node");
});

test.run();
