import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { bootHosts } from "../e2e/hosts";
import { ansiblePlaybook } from "../e2e/playbook";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { installWeaveStandIn } from "../stand-ins/weave/install";
import { moduleSource, runModule } from "./module";

/** The Weave password is seen by root alone, whatever becomes of a run. */
const test = suite("secrets");
let cluster: Cluster;
let host: Host;

const SECRETS = ["hush-of-the-role", "hush-of-the-run", "hush-of-the-failure", "hush-of-the-kill"] as const;
const [OF_ROLE, OF_RUN, OF_FAILURE, OF_KILL] = SECRETS;
const SECRET = /hush-of-the/;

const sh = async (script: string, check = true): Promise<string> =>
  (await host.exec(["sh", "-c", script], { check })).stdout;

/** Looks, as a user without rights, at the command line and environment of every process again and again until it is stopped. */
const WATCH = `
const { readdirSync, readFileSync, writeFileSync } = require("fs");
let [rounds, cmdlines] = [0, 0];
const seen = new Set();
const look = () => {
  rounds++;
  for (const pid of readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name))) {
    for (const file of ["cmdline", "environ"]) {
      try {
        const text = readFileSync("/proc/" + pid + "/" + file, "latin1");
        if (file === "cmdline") cmdlines++;
        if (/hush-of-the/.test(text) && Number(pid) !== process.pid) seen.add(file + " " + text.replace(/\\0/g, " "));
      } catch {}
    }
  }
  writeFileSync("/tmp/watched", JSON.stringify({ rounds, cmdlines, seen: [...seen] }));
  setTimeout(look, 20);
};
look();
`;

test.before(async () => {
  cluster = await bootHosts(1);
  host = cluster.host("apollo1");
  await installWeaveStandIn(host);
  await host.write("/usr/local/lib/watch.js", WATCH);
  await host.exec([
    "systemd-run",
    "--quiet",
    "--unit=watch",
    "--uid=nobody",
    "/usr/bin/node",
    "/usr/local/lib/watch.js",
  ]);
});
test.after(() => cluster.down());

/** All that others than root can read of files and logs. */
async function assertHidden(): Promise<void> {
  const readable =
    "find / -xdev -type f -perm /044 -newer /usr/local/lib/watch.js -size -2000k -exec grep -ls hush-of-the {} +";
  assert.is(
    await sh(
      `${readable}; for at in /run /tmp /dev/shm; do find $at -xdev -type f -perm /044 -exec grep -ls hush-of-the {} +; done`,
      false,
    ),
    "",
  );
  assert.is(await sh("journalctl --no-pager --output=cat | grep hush-of-the", false), "");
}

test("by the role, with -vvv: in no output, no log, no file that others read", async () => {
  const folder = mkdtempSync(join(tmpdir(), "apollo-weave-secrets-"));
  try {
    const variables = join(folder, "variables.json");
    writeFileSync(variables, JSON.stringify({ weave_password: OF_ROLE, weave_env: { WEAVE_DEBUG: "1" } }), {
      mode: 0o600,
    });
    const { status, output } = await ansiblePlaybook(cluster.inventory, [
      "site.yml",
      "-vvv",
      "--diff",
      "--extra-vars",
      `@${variables}`,
    ]);
    assert.is(status, 0, output.slice(-2000));
    assert.not.match(output, SECRET);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  assert.is(await sh(`grep -c ${OF_ROLE} /etc/weave.env; stat -c %a /etc/weave.env`), "1\n600\n");
  assert.is(await sh(`docker inspect weave | grep -c ${OF_ROLE}`), "1\n", "the router has it");
  await assertHidden();
});

test("in a run by itself, and in one that fails: in no result", async () => {
  const run = await runModule(host, "weave_service", { password: OF_RUN });
  assert.not(run.failed, run.msg);
  assert.is(await sh(`docker inspect weave | grep -c ${OF_RUN}`), "1\n", "the router has it");
  const script = await sh("cat /usr/local/bin/weave");
  await host.write(
    "/usr/local/bin/weave",
    script.replace("\n", '\necho "no launch, password is $WEAVE_PASSWORD" >&2; exit 1\n'),
    0o755,
  );
  const failed = await runModule(host, "weave_service", { password: OF_FAILURE, timeout: 5 });
  await host.write("/usr/local/bin/weave", script, 0o755);
  assert.is(failed.failed, true);
  const refused = await runModule(host, "weave_service", { password: `${OF_FAILURE}\n` });
  const unknown = await runModule(host, "weave_service", { pasword: OF_FAILURE });
  assert.match(unknown.msg ?? "", "Unsupported parameters for (weave_service) module: pasword.");
  for (const result of [run, failed, refused, unknown]) assert.not.match(JSON.stringify(result), SECRET);
});

test("killed at any moment: nothing is left behind that others read", async () => {
  await sh("journalctl --rotate --vacuum-time=1s --quiet");
  for (const seconds of ["0.15", "0.25", "0.4", "0.7"]) {
    const input = moduleSource("weave_service", { password: OF_KILL, _ansible_diff: true });
    const killed = ["timeout", "--signal=KILL", seconds, "node", "-"];
    const { stdout, stderr } = await host.exec(killed, { input, check: false });
    assert.not.match(stdout + stderr, SECRET);
    await assertHidden();
  }
  const { msg, failed } = await runModule(host, "weave_service", { password: OF_KILL });
  assert.not(failed, msg);
  await assertHidden();
});

test("meanwhile a user without rights has seen it in no process", async () => {
  const { rounds, cmdlines, seen } = JSON.parse(await sh("cat /tmp/watched")) as {
    rounds: number;
    cmdlines: number;
    seen: string[];
  };
  assert.equal(seen, []);
  assert.ok(rounds > 100 && cmdlines > rounds, `${rounds} rounds, ${cmdlines} command lines`);
});

test.run();
