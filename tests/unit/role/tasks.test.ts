import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { failures, type PlaybookRun } from "../../e2e/playbook";
import { playFrom, playWithoutHosts } from "../support/playbook";
import { inTemporaryDirectoryUntilDone } from "../support/temporary_directory";

/** What single tasks of the role do. This machine stands for the hosts, and nothing on it changes. */
const test = suite("tasks of the role");
const ROLE = join(__dirname, "../../../roles/weave");
const LOCAL = { ansible_connection: "local", ansible_become: false };

interface Play {
  readonly tasks: string;
  readonly hosts: object;
  readonly args?: readonly string[];
  /** Of files in the play's directory, by name: programs, which are on its PATH. */
  readonly programs?: Readonly<Record<string, string>>;
}

/** Runs tasks with the role's variables, and returns also what a file `log` in the play's directory has then. */
async function play({ tasks, hosts, args = [], programs = {} }: Play): Promise<PlaybookRun & { log: string }> {
  let result: (PlaybookRun & { log: string }) | undefined;
  await inTemporaryDirectoryUntilDone(async (directory) => {
    const [path, log, bin] = [join(directory, "play.yml"), join(directory, "log"), join(directory, "bin")];
    const roles = "  roles: [{role: weave, tags: [never]}]\n";
    writeFileSync(path, `- hosts: weave_servers\n  gather_facts: false\n${roles}  tasks:\n${tasks}`);
    mkdirSync(bin);
    for (const [name, text] of Object.entries(programs)) {
      writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
      chmodSync(join(bin, name), 0o755);
    }
    const inventory = JSON.stringify({ weave_servers: { hosts, vars: LOCAL } });
    const env = { ANSIBLE_ROLES_PATH: join(ROLE, ".."), PATH: `${bin}:${process.env["PATH"]}`, LOG: log };
    const run = await playFrom(directory, [path, ...args], inventory, env);
    result = { ...run, log: existsSync(log) ? readFileSync(log, "utf8") : "" };
  });
  assert.ok(result);
  return result;
}

/** The registered result of a probe. */
const probed = (answer: object): object => {
  return { stdout: JSON.stringify({ host_index: 1, keeps_host_index: true, address: "", ...answer }) };
};
const tasksFrom = (file: string): string => `    - import_role: {name: weave, tasks_from: ${file}}\n`;

test("a check asks no stopped Docker for its images: the request would start it through docker.socket", async () => {
  const check = (docker: string): Promise<PlaybookRun & { log: string }> => {
    const archives = { weave_image_archives: [{ image: "a:1", file: __filename }] };
    const programs = { docker: 'echo "$@" >>"$LOG"; exit 1' };
    const hosts = { h1: { ...archives, __weave_probe: probed({ docker }) } };
    return play({ tasks: tasksFrom("images"), hosts, args: ["--check"], programs });
  };
  const stopped = await check("stopped");
  assert.is(stopped.status, 0, stopped.output);
  assert.is(stopped.log, "");
  assert.match(stopped.output, "weave_image_archives: Docker must run to show which images it has (found it stopped");
  const running = await check("running");
  assert.is(running.status, 0, running.output);
  assert.match(running.log, "image inspect");
  assert.match(running.output, "Load the image");
  assert.not.match(running.output, "must run to show");
});

test("a script from the controller has its own version, which a check on a fresh host goes by", async () => {
  await inTemporaryDirectoryUntilDone(async (directory) => {
    const [weave, scope] = [join(directory, "weave"), "https://example.com/v1.6.5/scope"];
    writeFileSync(weave, '#!/bin/sh\nSCRIPT_VERSION="1.9.7"\n');
    const passed = ["router.yml", "proxy_plugin_scope.yml"]
      .flatMap((file) => readFileSync(join(ROLE, "tasks", file), "utf8").split("\n"))
      .flatMap((line) => /^ *script_version: (.*)$/.exec(line)?.[1] ?? []);
    assert.is(passed.length, 3);
    const tasks = passed.map((template) => `    - debug: {msg: ${template}}\n`).join("");
    const vars = { weave_script_file: weave, weave_scope_url: scope, weave_scope_sha256: "0".repeat(64) };
    const { results } = await play({ tasks, hosts: { h1: vars } });
    const printed = results.filter(({ action }) => action === "debug").map(({ result }) => result.msg as unknown);
    assert.equal(printed, ["1.9.7", "1.9.7", "1.6.5"]);
  });
});

test("hosts that are not ready are left out by a limit that Ansible reads so, whatever the limit was", async () => {
  const tasks = `    - fail: {msg: not ready}\n      when: inventory_hostname == "h2"\n${tasksFrom("remove_services")}`;
  const vars = { weave_datapath: "router", weave_mode: "proxy", __weave_probe: probed({ datapath: "vxlan" }) };
  const host = { ...vars, __weave_cluster: { hosts: '{"unreachable": []}' } };
  const hosts = { h1: host, h2: host };
  for (const [args, suggested] of [
    [[], "weave_servers,!h2"],
    [["--limit", "h1,h2"], "h1,h2,!h2"],
    [["--limit", "weave_servers:h[1:2]"], "weave_servers,h[1:2],!h2"],
  ] as const) {
    const run = await play({ tasks, hosts, args });
    assert.match(failures(run)["h1"] ?? run.output, `which are cut off then (--limit '${suggested}').`);
  }
});

test("to skip the tag scope would skip the checks, too, so it is rejected before anything changes", async () => {
  const inventory = `[weave_servers]\ndocker1 ansible_connection=local ansible_become=false\n`;
  const run = (...tags: string[]): Promise<PlaybookRun> => playWithoutHosts("site.yml", inventory, "--check", ...tags);
  const skipped = await run("--skip-tags", "scope");
  assert.equal(failures(skipped), {
    docker1:
      "--skip-tags: must not have scope, which the role's checks have as a tag, too (found scope). Leave it out; without weave_scope_enabled: true Scope does not run.",
  });
  for (const tags of [
    ["--skip-tags", "weave,scope"],
    ["--skip-tags", "weave"],
    ["--tags", "none", "--skip-tags", "scope"],
  ]) {
    const { status, output, results } = await run(...tags);
    assert.is(status, 0, output);
    assert.equal(
      results.filter(({ outcome }) => outcome !== "skipped"),
      [],
      tags.join(" "),
    );
  }
});

test.run();
