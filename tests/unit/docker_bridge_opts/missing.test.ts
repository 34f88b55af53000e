import { suite } from "uvu";
import * as assert from "uvu/assert";
import { NETWORK_RECORD } from "../../../modules/docker_bridge_opts/network";
import { observe } from "../../../modules/docker_bridge_opts/observe";
import { plan } from "../../../modules/docker_bridge_opts/plan";
import { DROP_IN_PATH } from "../../../modules/docker_bridge_opts/service/docker_service";
import { readUnit } from "../../../modules/docker_bridge_opts/service/read_unit";
import { CONFIG, UNIT } from "../support/fake_host/docker";
import { type FakeHost, fakeHost } from "../support/fake_host/fake_host";
import { done } from "../support/fake_host/part";
import { asked, DEBIAN_UNIT, DEFAULT_FILE, type Files, hostWith, PATH, USUAL_LINE, usual } from "./fixtures";

/** A host whose Docker was removed: its package leaves /etc/default/docker, and an init script of which systemd makes a unit. */
const test = suite("a host without dockerd");

const LEFT: Files = new Map([
  [UNIT, DEBIAN_UNIT],
  [PATH, `${DEFAULT_FILE}DOCKER_OPTS="${USUAL_LINE}"\n`],
]);

/** The host with these files, where systemd shows these properties of the unit. */
const without = (shown: string, files = LEFT): FakeHost =>
  hostWith(files).with({
    readdir: (path) => (path === "/usr/sbin" ? ["docker"] : undefined),
    run: ([program, ...words]) => {
      if (program === "dockerd") throw new Error("there is none");
      return words.join(" ").startsWith("show docker.service") ? done(shown) : undefined;
    },
  });
const starting = (program: string): string =>
  `LoadState=loaded\nFragmentPath=${UNIT}\nMainPID=0\nNeedDaemonReload=no\nExecStart={ path=${program} ; argv[]=${program} -H fd:// ; ignore_errors=no }`;

const WAYS: readonly [shown: string, says: string][] = [
  ["LoadState=not-found", "docker.service: must exist (found none). Install Docker first (apt install docker.io)."],
  [
    starting("/usr/sbin/dockerd"),
    "docker.service: must start a program that exists (found no /usr/sbin/dockerd). Install Docker first (apt install docker.io).",
  ],
  [
    starting("/etc/init.d/docker"),
    "docker.service: must start a program that exists (found no dockerd). Install Docker first (apt install docker.io).",
  ],
];

for (const [shown, says] of WAYS) {
  test(`is rejected, and what its options were is removed: ${says}`, async () => {
    const host = without(shown);
    for (const options of [usual(), asked({ state: "restarted" })]) {
      const rejected = await observe(options, host).catch((error: Error) => error.message);
      assert.is(String(rejected).slice(0, says.length), says);
    }
    const { changes, returns } = plan(asked({ state: "absent" }), await observe(asked({ state: "absent" }), host));
    assert.equal(
      changes.map(({ subject }) => subject),
      [PATH],
    );
    // Those that the module was not given are somebody else's.
    const others = "--dns=172.17.42.1 --dns=8.8.8.8 --dns-search=service.consul";
    assert.equal([returns["docker_opts"], returns["restart_required"]], [others, false]);
  });
}

test("a program that systemd finds by its name, and one that is there, are not missing", async () => {
  for (const program of ["docker", "/usr/sbin/docker"]) {
    assert.not((await observe(usual(), without(starting(program)))).service.missing);
  }
});

test("of a unit whose file is gone while systemd still has it loaded, no directory is read as its program", () => {
  const read: string[] = [];
  const host = fakeHost({}).with({
    readFile: (path) => {
      read.push(path);
      return undefined;
    },
  });
  assert.not(readUnit(UNIT, [], host).isScript);
  assert.ok(read.includes(UNIT));
  assert.equal(
    read.filter((path) => path.endsWith("/")),
    [],
  );
});

test("so are Apollo's lines, daemon.json, the drop-in and the record of a network, which Docker can't be asked for", async () => {
  const files: Files = new Map([
    [PATH, `DOCKER_OPTS="$DOCKER_OPTS --graph=/g"\nDOCKER_OPTS="$DOCKER_OPTS ${USUAL_LINE}"\n`],
    [CONFIG, '{"bridge": "weave", "debug": true}'],
    [DROP_IN_PATH, "[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd $DOCKER_OPTS\n"],
    [NETWORK_RECORD, "bridge weave\n"],
    [UNIT, DEBIAN_UNIT],
  ]);
  const options = asked({ state: "absent", network: "weave" });
  const { changes } = plan(options, await observe(options, without("LoadState=not-found", files)));
  assert.equal(changes.map(({ subject }) => subject).sort(), [CONFIG, PATH, DROP_IN_PATH, NETWORK_RECORD].sort());
  const after = Object.fromEntries(changes.map(({ subject, after: content }) => [subject, content]));
  assert.match(after[PATH] ?? "", "--graph=/g");
  assert.not.match(after[PATH] ?? "", "--bridge");
  assert.equal(JSON.parse(after[CONFIG] ?? ""), { debug: true });
  assert.is(after[DROP_IN_PATH], "");
});

test("where no systemd runs, a script without a program is no Docker", async () => {
  const host = hostWith(new Map([["/etc/init/docker.conf", "exec dockerd $DOCKER_OPTS"]]));
  const version = done("Docker version 26.1.5+dfsg1, build a72d7cd\n");
  for (const programs of [[], ["docker"]]) {
    const without = host.with({ readdir: () => programs, run: () => version });
    const rejected = await observe(usual(), without).catch((error: Error) => error.message);
    assert.is(rejected, "Docker: must be installed (found no program dockerd). Install it first.");
  }
});

test.run();
