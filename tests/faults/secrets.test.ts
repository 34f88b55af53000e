import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { bootHosts } from "../e2e/hosts";
import { type ModuleRun, moduleSource, runModule } from "../e2e/module";
import { ansiblePlaybook } from "../e2e/playbook";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { installWeaveStandIn } from "../stand-ins/weave/install";

/** Only root can see the Weave password, whatever happens to a run. */
const test = suite("secrets");
let cluster: Cluster;
let host: Host;

const SECRETS = [
  "hush-of-the-role",
  "hush-of-the-run",
  "hush-of-the-failure",
  "hush-of-the-kill",
  "hush-of-the-quoted",
  "hush-of-the-bridge",
] as const;
const [OF_ROLE, OF_RUN, OF_FAILURE, OF_KILL, OF_QUOTED, OF_BRIDGE] = SECRETS;
/** A key of WireGuard's whose middle is kept, whatever it is clamped to. */
const KEY = `AAAAhushOfTheKey${"A".repeat(27)}=`;
const SECRET = /hush-of-the|hushOfTheKey/;
/** The same for grep, whose own command line the watcher must not take for a secret. */
const SECRET_FOR_GREP = "hush-of-the|hushOf[T]heKey";

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
        if (/hush-of-the-(role|run|failure|kill|quoted|bridge)|hushOfTheKey/.test(text)) seen.add(file + " " + text.replace(/\\0/g, " "));
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

const AS_NOBODY = "setpriv --reuid=nobody --regid=nogroup --clear-groups";

/** Fails where a user without rights finds a secret in a file, or anybody in the log. */
async function assertHidden(): Promise<void> {
  const directories = "/etc /run /tmp /var /dev/shm /root /home /opt /usr/local";
  const find = `find ${directories} -type f -newer /usr/local/lib/watch.js -readable -exec grep -lsE '${SECRET_FOR_GREP}' {} +`;
  assert.is(await sh(`${AS_NOBODY} ${find} 2>/dev/null`, false), "");
  assert.is(await sh(`journalctl --no-pager --output=cat | grep -E '${SECRET_FOR_GREP}'`, false), "");
}

/** Whether the router runs with this password. */
const routerHas = async (secret: string): Promise<boolean> =>
  (await sh("docker inspect weave")).includes(`=${secret}"`);

test("by the role, with -vvv: in no output, no log, no file that others read", async () => {
  const directory = mkdtempSync(join(tmpdir(), "apollo-weave-secrets-"));
  try {
    const variables = join(directory, "variables.json");
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
    rmSync(directory, { recursive: true, force: true });
  }
  assert.ok(await routerHas(OF_ROLE));
  assert.is(await sh("stat -c '%a %U' /etc/weave.env"), "600 root\n");
  await assertHidden();
});

test("in a run by itself, and in one that fails: in no result", async () => {
  const run = await runModule(host, "weave_service", { password: OF_RUN });
  assert.not(run.failed, run.msg);
  assert.ok(await routerHas(OF_RUN));
  const script = await sh("cat /usr/local/bin/weave");
  await host.write(
    "/usr/local/bin/weave",
    script.replace("\n", '\necho "no launch, password is $WEAVE_PASSWORD" >&2; exit 1\n'),
    0o755,
  );
  const failed = await runModule(host, "weave_service", { password: OF_FAILURE, timeout: 5 });
  assert.is(failed.failed, true);
  // The log still has the password before, and this one as a shell shows it.
  await host.write("/usr/local/bin/weave", script.replace("\n", `\nset -x; : "$WEAVE_PASSWORD"; exit 1\n`), 0o755);
  const quoted = await runModule(host, "weave_service", { password: `${OF_QUOTED} it's "1" $2 \\ \u00e9`, timeout: 5 });
  const log = await sh("journalctl --unit=weave --output=cat --lines=30");
  for (const secret of [OF_FAILURE, OF_QUOTED]) assert.match(log, secret);
  assert.is(quoted.failed, true);
  assert.match(quoted.msg ?? "", /printed: [\s\S]*\*{8}/);
  await host.write("/usr/local/bin/weave", script, 0o755);
  const rejected = await runModule(host, "weave_service", { password: `${OF_FAILURE}\n` });
  const unknown = await runModule(host, "weave_service", { pasword: OF_FAILURE });
  assert.match(unknown.msg ?? "", "Unsupported parameters for (weave_service) module: pasword.");
  for (const result of [run, failed, quoted, rejected, unknown]) assert.not.match(JSON.stringify(result), SECRET);
});

test("killed at any moment: nothing is left behind that others read", async () => {
  // The script that failed has written to the log, which only root can read.
  await sh("journalctl --rotate; sleep 2; journalctl --quiet --vacuum-time=1s");
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

const WIREGUARD = "/etc/wireguard/weave-wg.conf";

/** The keys in WireGuard's file, as no other output may have them. */
async function assertKeysHidden(...outputs: string[]): Promise<void> {
  const keys = (await sh(`sed -n 's/^\\(PrivateKey\\|PresharedKey\\) = //p' ${WIREGUARD}`)).trim().split("\n");
  assert.ok(keys.length >= 2);
  for (const output of [...outputs, await sh("journalctl --no-pager --output=cat")]) {
    for (const key of keys) assert.not.ok(output.includes(key));
  }
}

test("a bridge's password and the keys from it: by the role with -vvv, a run, a crash and a kill", async () => {
  const directory = mkdtempSync(join(tmpdir(), "apollo-weave-secrets-"));
  try {
    const variables = join(directory, "variables.json");
    const values = { weave_datapath: "vxlan", weave_password: OF_BRIDGE, weave_launch_peers: "192.168.50.99" };
    writeFileSync(variables, JSON.stringify(values), { mode: 0o600 });
    const args = ["site.yml", "-vvv", "--diff", "--extra-vars", `@${variables}`];
    const { status, output } = await ansiblePlaybook(cluster.inventory, args);
    assert.is(status, 0, output.slice(-2000));
    assert.not.match(output, SECRET);
    await assertKeysHidden(output);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  assert.is(await sh(`stat -c '%a %U' ${WIREGUARD}`), "600 root\n");
  await assertHidden();

  const options = { host_index: 1, datapath: "vxlan", underlay: "eth0", peers: "192.168.50.99", _ansible_verbosity: 3 };
  const bridge = (more: object): Promise<ModuleRun> => runModule(host, "weave_bridge", { ...options, ...more });
  const peerKeys = { "192.168.50.99": `${"B".repeat(42)}A=` };
  const given = await bridge({ password: OF_BRIDGE, wireguard_key: KEY, wireguard_peer_keys: peerKeys });
  assert.not(given.failed, given.msg);
  assert.match(await sh(`cat ${WIREGUARD}`), "hushOfTheKey");
  // A program that fails may print the file it was to read.
  const real = await sh("readlink -f /usr/bin/wg");
  await sh(`mv ${real.trim()} /usr/bin/real-wg`);
  await host.write(
    "/usr/bin/wg",
    `#!/bin/sh\n[ "$1" != syncconf ] || { cat "$3" >&2; exit 1; }\nexec real-wg "$@"\n`,
    0o755,
  );
  const failed = await bridge({ password: `${OF_BRIDGE} anew`, wireguard_key: KEY, wireguard_peer_keys: peerKeys });
  await sh(`mv /usr/bin/real-wg ${real.trim()}`);
  assert.is(failed.failed, true);
  assert.match(failed.msg ?? "", /PrivateKey = \*{8}/);
  const rejected = [
    await bridge({ password: "hush-of-the" }),
    await bridge({ password: `${OF_BRIDGE}\n` }),
    await bridge({ password: OF_BRIDGE, wireguard_key: "hushOfTheKey" }),
    await bridge({ password: OF_BRIDGE, wireguard_keys: KEY }),
  ];
  for (const result of [given, failed, ...rejected]) {
    assert.not.match(JSON.stringify(result), SECRET);
    await assertKeysHidden(JSON.stringify(result));
  }
  for (const result of rejected) assert.is(result.failed, true);
  for (const seconds of ["0.2", "0.35", "0.5"]) {
    const input = moduleSource("weave_bridge", { ...options, password: OF_BRIDGE + seconds, _ansible_diff: true });
    const { stdout, stderr } = await host.exec(["timeout", "--signal=KILL", seconds, "node", "-"], {
      input,
      check: false,
    });
    assert.not.match(stdout + stderr, SECRET);
    await assertHidden();
  }
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
