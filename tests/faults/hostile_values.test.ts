import { suite } from "uvu";
import * as assert from "uvu/assert";
import { bootHosts } from "../e2e/hosts";
import { runModule } from "../e2e/module";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { installWeaveStandIn } from "../stand-ins/weave/install";
import { HOSTILE } from "../unit/support/hostile_values";

/** What modules take of hostile values reaches the programs as it is: asked of systemd, a shell, ifupdown and dockerd themselves. */
const test = suite("hostile values, as programs read them");
let cluster: Cluster;
let host: Host;

const sh = async (script: string): Promise<string> => (await host.exec(["sh", "-c", script])).stdout;

test.before(async () => {
  cluster = await bootHosts(1);
  host = cluster.host("apollo1");
  await installWeaveStandIn(host);
});
test.after(() => cluster.down());

/** The environment that a program printed, entries between NULs, without what systemd and the shell add. */
function environment(printed: string): Record<string, string> {
  const entries = printed.split("\0").filter((entry) => /^(HOSTILE|WEAVE_PASSWORD)/.test(entry));
  return Object.fromEntries(entries.map((entry) => [entry.replace(/=[\s\S]*/, ""), entry.replace(/^[^=]*=/, "")]));
}

test("variables and the password: what systemd passes on, and what a shell has that sources the file", async () => {
  // The kernel lets no word of an environment be longer than 128 KiB.
  const values = { ...HOSTILE, "a megabyte": "x".repeat(100_000) };
  // Control characters are rejected, and halves of letters, as tests/unit/properties/hostile_values.test.ts has it.
  const taken = Object.values(values).filter((value) => !/[\p{Cc}\p{Cs}]/u.test(value));
  const variables = Object.fromEntries(taken.map((value, index) => [`HOSTILE_${index}`, value]));
  const password = `  a"b'c \\ $(id) \`id\` %H # \u2028 \u00e9 `;
  const given = { state: "enabled", env: variables, password };
  const { msg, failed } = await runModule(host, "weave_service", given);
  assert.not(failed, msg);
  const expected = { ...variables, WEAVE_PASSWORD: password };
  const bySystemd = await sh(
    "systemd-run --quiet --wait --pipe --property=EnvironmentFile=/etc/weave.env /usr/bin/env -0",
  );
  assert.equal(environment(bySystemd), expected);
  assert.equal(environment(await sh("set -a; . /etc/weave.env; env -0")), expected);
  assert.is(
    await sh(
      "stat -c '%a %U' /etc/weave.env; systemd-analyze verify /etc/systemd/system/weave.service 2>&1 | grep weave || true",
    ),
    "600 root\n",
  );
  assert.is(await sh("ls /tmp/hostile 2>/dev/null || true"), "");
});

test("Docker's labels: dockerd runs with them, from DOCKER_OPTS and from daemon.json", async () => {
  const label = "k=%H%%n*?#;<<x>>{}[]()|&~!@^/-";
  const daemon = async (): Promise<unknown> => JSON.parse(await sh("docker info --format '{{json .Labels}}'"));
  await sh(
    `printf '%s\\n' 'A="it'"'"'s $HOME"' '# \\' '' 'DOCKER_OPTS="--log-level=\\"warn\\""' > /etc/default/docker`,
  );
  const others = await sh("sed '/DOCKER_OPTS/d' /etc/default/docker");
  for (const location of ["docker_opts", "daemon_json"]) {
    const given = { location, opts: { labels: [label] } };
    const { msg, failed } = await runModule(host, "docker_bridge_opts", given);
    assert.not(failed, msg);
    const restarted = await runModule(host, "docker_bridge_opts", { state: "restarted" });
    assert.not(restarted.failed, restarted.msg);
    assert.equal(await daemon(), [label], location);
    assert.is((await runModule(host, "docker_bridge_opts", given)).changed, false);
  }
  assert.is(await sh("sed '/DOCKER_OPTS/d' /etc/default/docker"), others);
  assert.match(await sh("tr '\\0' ' ' < /proc/$(cat /run/docker.pid)/cmdline"), "--log-level=warn");
  await sh("rm -f /etc/docker/daemon.json /etc/default/docker");
});

/** /etc/network/interfaces as it is found, each of which reads the files beside it or not. */
const INTERFACES: readonly string[] = [
  "",
  "source /etc/network/interfaces.d/*",
  "source interfaces.d/*.cfg\n",
  "source-directory /etc/network/interfaces.d/\n",
  "# source /etc/network/interfaces.d/*\n",
  "# \\\nsource /etc/network/interfaces.d/*\n",
  "source \\\n/etc/network/interfaces.d/*\n",
  "source /etc/network/interfaces.d/[!x-z]*\n",
  "source /etc/network/interfaces.d/we?a-v_e.cfg\n",
  "source /etc/network/interfaces.d/*.conf /etc/network/interfaces.d/*.cfg\n",
  "# Br\xfccke \xff\nauto lo",
  "auto lo \\\n",
];

test("whatever /etc/network/interfaces is like: ifupdown reads the bridge's file once, and the bridge comes up by it", async () => {
  for (const content of INTERFACES) {
    await host.write("/etc/network/interfaces", Buffer.from(content, "latin1"));
    const { msg, failed } = await runModule(host, "weave_bridge", { host_index: 1, name: "we.a-v_e" });
    const about = `${JSON.stringify(content)}: ${msg}`;
    assert.not(failed, about);
    assert.is(await sh("ifquery --list | grep -cx we.a-v_e"), "1\n", about);
    const absent = await runModule(host, "weave_bridge", { host_index: 1, name: "we.a-v_e", state: "absent" });
    assert.not(absent.failed, absent.msg);
    assert.is(
      (await sh("base64 -w0 /etc/network/interfaces")).trim(),
      Buffer.from(content, "latin1").toString("base64"),
      about,
    );
  }
});

test.run();
