import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { PlaybookRun } from "../../e2e/playbook";
import { playFrom } from "../support/playbook";
import { inTemporaryDirectoryUntilDone } from "../support/temporary_directory";
import { has } from "../support/verify_results";

/** roles/weave/tasks/verify.yml, where this machine stands for all hosts. They answer what is set here. */
const test = suite("the verification");

const ANSWERS = {
  h1: has(1, { subnet: "10.2.1.0/24" }),
  h2: has(2, { subnet: "10.2.2.0/24" }),
  h3: has(3, { docker: "stopped" }),
  h4: has(4, { bridge: { state: "missing", address: null } }),
};
const VARS = {
  ansible_connection: "local",
  ansible_become: false,
  weave_datapath: "vxlan",
  weave_password: "a password of 16 characters",
  weave_verify_timeout: 1,
  weave_verify_format: "prometheus",
  __weave_answers: ANSWERS,
};
const EXTRA_VARS = JSON.stringify({
  weave_leaving: "h4",
  __weave_verify_probe_script: "echo '{{ __weave_answers[item | default(inventory_hostname)] | to_json }}'",
});

const OWN_PLAY = `
- hosts: weave_servers
  gather_facts: false
  tasks:
    - import_role: {name: weave, tasks_from: verify}
`;

/** Runs a playbook; returns also the metrics that it wrote to a file of the default name, "" if none. */
async function verify(
  playbook: string,
  hosts: object,
  ...args: string[]
): Promise<{ run: PlaybookRun; metrics: string }> {
  let result: { run: PlaybookRun; metrics: string } | undefined;
  await inTemporaryDirectoryUntilDone(async (directory) => {
    const [own, written] = [join(directory, "own.yml"), join(directory, "apollo_weave_verify.prom")];
    writeFileSync(own, OWN_PLAY);
    const inventory = JSON.stringify({ weave_servers: { hosts, vars: VARS } });
    const env = { ANSIBLE_ROLES_PATH: join(__dirname, "../../../roles") };
    const path = playbook === "own.yml" ? own : join(__dirname, "../../../playbooks", playbook);
    const run = await playFrom(directory, [path, "--extra-vars", EXTRA_VARS, ...args], inventory, env);
    result = { run, metrics: existsSync(written) ? readFileSync(written, "utf8") : "" };
  });
  assert.ok(result);
  return result;
}

test("what it finds wrong, of which hosts, and where it writes that", async () => {
  const h2 = { weave_firewal: "manage" };
  const { run, metrics } = await verify("own.yml", { h1: {}, h2, h3: { weave_verify_excused: "h3" }, h4: {} });
  assert.is(run.status, 2, run.output);
  const { result } = run.results.at(-1) ?? assert.unreachable(run.output) ?? {};
  const problems = result?.msg as unknown as readonly string[];
  const about = (text: string): readonly string[] => problems.filter((line) => line.includes(text));
  // The host whose variables are wrong.
  assert.is(about("h2: no path could be tested (found: it failed earlier in the run)").length, 1, run.output);
  assert.is(about("weave_password: WireGuard must encrypt the VXLAN of each host").length, 1);
  assert.equal(about("h3: Docker must run"), [], "the inventory excuses it, though not by the first host");
  assert.equal(about("h4"), [], "it leaves");
  assert.match(metrics, `apollo_weave_verify_problems ${problems.length}\n`);
  assert.not.match(metrics, "h4");
});

test("upgrade.yml writes no report, which would be of one host after another", async () => {
  const vars = { weave_verify_report: "apollo_weave_verify.prom", weave_verify_excused: "all" };
  const { run, metrics } = await verify("upgrade.yml", { h1: vars, h3: vars }, "--tags", "none");
  assert.match(run.output, "Ping the other hosts");
  assert.is(metrics, "");
});

test.run();
