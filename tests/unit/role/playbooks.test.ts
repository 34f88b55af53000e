import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parse } from "yaml";
import { ansiblePlaybook, failures, type PlaybookRun, ROOT } from "../../e2e/playbook";
import { playFrom, playWithoutHosts } from "../support/playbook";
import { inTemporaryDirectoryUntilDone } from "../support/temporary_directory";

/** playbooks/vars/group.yml: every playbook fails if its group has no hosts. No host is reached here. */
const test = suite("a group without hosts");
const PLAYBOOKS = join(__dirname, "../../../playbooks");

const WITHOUT = "[other]\ndocker1 ansible_connection=local\n";
const EMPTY = `[weave_servers]\n${WITHOUT}`;

function assertRejected({ status, output }: PlaybookRun, group: string): void {
  assert.is.not(status, 0, output);
  assert.match(
    output,
    `weave_server_group: must be a group with hosts (found none in the group ${group}). Add hosts to it in the inventory (-i), or set another group (-e weave_server_group=GROUP).`,
  );
  assert.not.match(output, /unhandled exception|Traceback/i);
  assert.not.match(output, "TASK [");
}

type Play = Readonly<Record<string, unknown>>;
const files = readdirSync(PLAYBOOKS).filter((name) => name.endsWith(".yml"));
const PLAYS = files.map((name) => [name, parse(readFileSync(join(PLAYBOOKS, name), "utf8")) as Play[]] as const);

test("every playbook begins with the group of vars/group.yml, or with a playbook that does", () => {
  assert.ok(PLAYS.length >= 6);
  for (const [name, [first]] of PLAYS) {
    const imported = first?.["import_playbook"];
    if (imported !== undefined) assert.ok(files.includes(String(imported)), name);
    else {
      assert.match(
        String(first?.["hosts"]),
        /^\{\{.*\b__weave_group\b.* __weave_none \| mandatory\(__weave_no_group\) \}\}$/,
        name,
      );
      assert.equal(first?.["vars_files"], ["vars/group.yml"], name);
    }
  }
});

test("the group as a play's hosts, in an imported playbook and in an expression: an unknown one is rejected", async () => {
  for (const playbook of ["playbooks/verify.yml", "site.yml", "playbooks/shrink.yml"]) {
    assertRejected(await playWithoutHosts(playbook, WITHOUT), "weave_servers");
  }
});

test("so is an empty group, an empty inventory, another group, and one outside a limit", async () => {
  assertRejected(await playWithoutHosts("playbooks/teardown.yml", EMPTY, "--limit", "docker1"), "weave_servers");
  assertRejected(await playWithoutHosts("playbooks/upgrade.yml", ""), "weave_servers");
  assertRejected(await playWithoutHosts("playbooks/grow.yml", WITHOUT, "-e", "weave_server_group=nobody"), "nobody");
});

test("so is a run without an inventory", async () => {
  assertRejected(await playWithoutHosts("playbooks/upgrade.yml", null), "weave_servers");
});

test("so is a limit that leaves no host of the group, whatever the playbook; one that leaves some passes", async () => {
  const inventory = "[weave_servers]\ndocker1\ndocker2\n[web]\nweb1\ndocker2\n[racks]\nweb1\n";
  const limited = (playbook: string, limit: string): Promise<PlaybookRun> =>
    playWithoutHosts(playbook, inventory, "--limit", limit, "--list-hosts");
  for (const playbook of ["site.yml", ...files.map((name) => `playbooks/${name}`)]) {
    const { status, output } = await limited(playbook, "web1");
    assert.is.not(status, 0, output);
    assert.match(
      output,
      '--limit: must match hosts of the group weave_servers (found none of them in "web1"). Correct it, or set another group (-e weave_server_group=GROUP).',
    );
  }
  assert.match((await limited("site.yml", "racks,!docker2")).output, 'found none of them in "racks,!docker2"');
  for (const limit of ["docker2", "web", "!docker1", "~docker.*", "all:&weave_servers"]) {
    const { status, output } = await limited("playbooks/verify.yml", limit);
    assert.is(status, 0, output);
    assert.match(output, "docker2", limit);
  }
});

test("a limit that is read from files is one, too", async () => {
  const inventory = "[weave_servers]\ndocker1\ndocker2\n[web]\nweb1\n";
  await inTemporaryDirectoryUntilDone(async (directory) => {
    const fileOf = (name: string, ...hosts: string[]): string => {
      writeFileSync(join(directory, name), hosts.map((host) => `${host}\n`).join(""));
      return `@${join(directory, name)}`;
    };
    const [inside, outside] = [fileOf("in", "web1", "docker2"), fileOf("out", "web1")];
    const limited = (limit: string): Promise<PlaybookRun> =>
      playWithoutHosts("playbooks/verify.yml", inventory, "--limit", limit, "--list-hosts");
    for (const limit of [outside, `web1,${outside}`, `web:${outside}`, `${inside},!docker2`]) {
      const { status, output } = await limited(limit);
      assert.is.not(status, 0, `${limit}: ${output}`);
      assert.match(output, `found none of them in "${limit}")`);
    }
    for (const limit of [inside, `${outside},docker2`, `${outside}:docker2`, `!docker1,${inside}`]) {
      const { status, output } = await limited(limit);
      assert.is(status, 0, output);
      assert.match(output, "docker2", limit);
    }
    const args = [join(PLAYBOOKS, "verify.yml"), "--limit", "@out", "--list-hosts"];
    assert.match((await playFrom(directory, args, inventory)).output, 'found none of them in "@out")');
  });
});

test("each of the role's tags that a playbook is run with runs its verification and teardown, too", async () => {
  const tasks = async (playbook: string, ...tags: string[]): Promise<string[]> => {
    const { status, output } = await playWithoutHosts(playbook, "[weave_servers]\ndocker1\n", "--list-tasks", ...tags);
    assert.is(status, 0, output);
    return output.split("\n").flatMap((line) => /^ {6}(\S.*?)\tTAGS: /.exec(line)?.[1] ?? []);
  };
  for (const playbook of ["site.yml", ...files.map((name) => `playbooks/${name}`)]) {
    const all = await tasks(playbook);
    assert.ok(all.length > 5, playbook);
    assert.equal(await tasks(playbook, "--tags", "weave"), all, playbook);
    const ofScope = await tasks(playbook, "--tags", "scope");
    const verifies = all.some((task) => task.includes("Probe the network"));
    assert.is(
      ofScope.some((task) => task.includes("Probe the network")),
      verifies,
      playbook,
    );
  }
});

test("a teardown whose tags leave it out is rejected", async () => {
  const inventory = "[weave_servers]\ndocker1 ansible_connection=local\n";
  for (const tags of [
    ["--tags", "scope"],
    ["--skip-tags", "weave"],
  ]) {
    const { status, output } = await playWithoutHosts("playbooks/teardown.yml", inventory, ...tags);
    assert.is(status, 2, output);
    assert.match(
      output,
      /--tags: must select weave, .* \(found --tags (scope|all --skip-tags weave)\)\. Run without tags\./,
    );
  }
});

test("whatever tags select, a playbook that verifies does so: it must not succeed without a test", async () => {
  const inventory = "[weave_servers]\ndocker1\n";
  for (const playbook of ["verify", "grow", "upgrade"]) {
    for (const tags of [
      ["--skip-tags", "scope"],
      ["--skip-tags", "weave"],
      ["--tags", "verify"],
    ]) {
      const { status, output } = await playWithoutHosts(
        `playbooks/${playbook}.yml`,
        inventory,
        "--list-tasks",
        ...tags,
      );
      assert.is(status, 0, output);
      assert.match(output, "Probe the network", `${playbook} ${tags.join(" ")}`);
    }
  }
});

test("a playbook whose result depends on all hosts of a play does not run by ansible.cfg's strategy", () => {
  const plays = PLAYS.flatMap(([name, of]) => of.map((play) => [name, play] as const));
  const needLinear = plays.filter(
    ([name, play]) => "any_errors_fatal" in play || "max_fail_percentage" in play || name === "verify.yml",
  );
  assert.is(needLinear.length, 3);
  for (const [name, play] of needLinear) assert.is(play["strategy"], "linear", name);
});

test("the playbooks find the role from any directory", async () => {
  const playbooks = ["../site.yml", ...files].map((name) => join(PLAYBOOKS, name));
  const { status, output } = await playFrom("/", [...playbooks, "--syntax-check"], "[weave_servers]\ndocker1\n");
  assert.is(status, 0, output);
});

test("from another directory, the tasks that no host needs are shown unless ANSIBLE_CONFIG names the checkout's", async () => {
  const vars = "ansible_connection=local ansible_become=false weave_datapath=router weave_bin=/nowhere/weave";
  const inventory = `[weave_servers]\ndocker1 ${vars}\n`;
  const play = (env: Readonly<Record<string, string>>): Promise<PlaybookRun> =>
    playFrom("/", [join(PLAYBOOKS, "../site.yml"), "--check"], inventory, env);
  assert.match((await play({ ANSIBLE_CONFIG: "/nowhere/ansible.cfg" })).output, "skipping: [docker1]");
  const { output } = await play({ ANSIBLE_CONFIG: join(ROOT, "ansible.cfg") });
  assert.match(output, "weave_bin: must be the weave script on docker1");
  assert.not.match(output, "skipping");
  assert.not.match(output, "Check the role's variables");
});

test("a teardown does not check the Docker options that it removes", async () => {
  const vars = "ansible_connection=local ansible_become=false weave_mode=proxy consul_domain=my_consul";
  const { output } = await playWithoutHosts("playbooks/teardown.yml", `[weave_servers]\ndocker1 ${vars}\n`, "--check");
  assert.match(output, "Probe the host");
  assert.not.match(output, "weave_docker_opts");
});

/** Runs a playbook of a checkout that is not built. */
async function playUnbuilt(playbook: string, inventory: string, ...args: string[]): Promise<PlaybookRun> {
  let run: PlaybookRun | undefined;
  await inTemporaryDirectoryUntilDone(async (directory) => {
    const isCopied = (path: string): boolean => !/\/weave\/library|\/playbooks\/roles/.test(path);
    for (const name of ["roles", "playbooks", "site.yml"]) {
      cpSync(join(PLAYBOOKS, "..", name), join(directory, name), { recursive: true, filter: isCopied });
    }
    const env = { ANSIBLE_ROLES_PATH: join(directory, "roles") };
    run = await ansiblePlaybook(inventory, [playbook, ...args], { directory, env });
  });
  assert.ok(run);
  return run;
}

test("a checkout that is not built says how to build it, for every host, before any is reached", async () => {
  for (const playbook of ["site.yml", "playbooks/teardown.yml"]) {
    const run = await playUnbuilt(playbook, "docker1,docker2,", "-e", "weave_server_group=all");
    assert.is.not(run.status, 0, run.output);
    const rejections = Object.values(failures(run));
    assert.is(rejections.length, 2, run.output);
    for (const rejection of rejections) {
      assert.match(
        rejection,
        /^weave_bridge: must be built first, as the role runs it on the hosts \(found no module of this name in \S+\/roles\/weave\/library\)\. Run npm ci && npm run build in the checkout, /,
      );
    }
    assert.not.match(run.output, "Probe");
  }
});

test("in such a checkout the missing group, which is the commoner mistake, comes first", async () => {
  for (const playbook of ["site.yml", "playbooks/shrink.yml", "playbooks/verify.yml"]) {
    assertRejected(await playUnbuilt(playbook, "/dev/null"), "weave_servers");
  }
});

test("no rejection prints its condition, as assert does", () => {
  const directories = ["roles/weave/tasks", "roles/weave/handlers", "playbooks", "examples/nodejs-rest-api"];
  for (const directory of directories) {
    for (const file of readdirSync(join(ROOT, directory)).filter((name) => name.endsWith(".yml")))
      assert.not.match(readFileSync(join(ROOT, directory, file), "utf8"), /\bassert:/, file);
  }
});

test("a group with hosts passes", async () => {
  const args = ["-e", "weave_server_group=other", "--list-hosts"];
  const { status, output } = await playWithoutHosts("playbooks/teardown.yml", WITHOUT, ...args);
  assert.is(status, 0, output);
  assert.match(output, "docker1");
});

test.run();
