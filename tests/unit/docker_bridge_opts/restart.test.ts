import { test } from "uvu";
import * as assert from "uvu/assert";
import type { ObservedDocker } from "../../../modules/docker_bridge_opts/observed";
import { plan } from "../../../modules/docker_bridge_opts/plan";
import { inWords, subjects } from "../support/changes";
import { userErrorOf } from "../support/user_error";
import { asked, FRESH, PATH, runningWith, STEADY, USUAL_LINE, usual, withCommand } from "./fixtures";

const RESTART = asked({ state: "restarted" });
const DAEMON = runningWith(USUAL_LINE);
const with_ = (daemon: Partial<NonNullable<ObservedDocker["daemon"]>>, more: Partial<ObservedDocker> = {}) => ({
  ...STEADY,
  daemon: { ...DAEMON, ...daemon },
  ...more,
});
const START = "systemctl reset-failed docker.s*, systemctl restart docker.service, await /_ping for 60 s";

test("Docker is restarted once: not if it has started since the module was called", () => {
  assert.equal(subjects(plan(RESTART, STEADY).changes), ["Docker"]);
  assert.equal(plan(RESTART, with_({ startedAt: 901 })).changes, []);
  assert.equal(subjects(plan(RESTART, { ...STEADY, daemon: null }).changes), ["Docker"]);
});

test("if the restart fails, the saved files are restored, and Docker is started with them", () => {
  const previous = {
    daemon: DAEMON.id,
    files: [
      { path: PATH, content: "A=1\n", mode: 0o600 },
      { path: "/etc/docker/daemon.json", content: null, mode: 0o644 },
    ],
  };
  const forget = "remove /var/lib/apollo-weave/docker-previous.json";
  const back = `write ${PATH} 0600, remove /etc/docker/daemon.json, systemctl daemon-reload, ${START}, ${forget}`;
  const [change] = inWords(plan(RESTART, { ...STEADY, previous }).changes);
  assert.equal(change?.steps, [`${START}; otherwise ${back}`, forget]);

  const other = { ...previous, daemon: "boot 700 400" };
  const [stale] = inWords(plan(RESTART, { ...STEADY, previous: other }).changes);
  assert.equal(stale?.steps, [`${START}; otherwise `, forget], "files of an earlier daemon are not restored");
});

test("whether Docker was restarted shows in its process; the rollback starts it only if it was replaced or stopped", () => {
  const attempt = (observed: ObservedDocker) => {
    const [action] = plan(RESTART, observed).changes[0]?.actions ?? [];
    assert.ok(action?.do === "try");
    const starts = [...action.steps, ...action.rollback].filter((step) => step.do === "run");
    return starts.flatMap(({ replaces, skipIfRunning }) => [replaces ?? skipIfRunning ?? []].flat());
  };
  const present = { pidFile: "/var/run/docker.pid", startedAt: 500 };
  const previous = { daemon: DAEMON.id, files: [] };
  assert.equal(attempt({ ...STEADY, previous }), [present, present]);
  assert.equal(
    attempt({ ...STEADY, daemon: null, previous: { ...previous, daemon: null } }),
    [{ ...present, startedAt: null }],
    "a Docker that was stopped is started",
  );
});

test("the previous configuration is saved once, until another daemon runs", () => {
  const previous = { daemon: DAEMON.id, files: [] };
  const steps = (observed: ObservedDocker) => inWords(plan(usual({ mtu: 1400 }), observed).changes)[0]?.steps.length;
  assert.is(steps(STEADY), 2);
  assert.is(steps({ ...STEADY, previous }), 1);
  assert.is(steps({ ...STEADY, previous: { ...previous, daemon: "boot 700 400" } }), 2);
  assert.is(steps({ ...STEADY, previous: { daemon: null, files: [] }, daemon: null }), 1);
});

const containers = (count: number) => [
  { id: "router", belongsToWeave: true },
  ...Array.from({ length: count }, (_, index) => ({ id: `c${index}`, belongsToWeave: false })),
];

test("the disruption has the number of containers without Weave's own, and whether they keep running", () => {
  const disrupts = (count: number, liveRestore = false, options = RESTART) =>
    plan(options, with_({ containers: containers(count), liveRestore })).changes.at(-1)?.disruption ?? "";
  assert.is(disrupts(0), "Docker: its restart stops no running containers");
  assert.is(disrupts(1), "Docker: its restart stops 1 running container");
  assert.is(disrupts(12, false, usual({ mtu: 1400 })), "Docker: its restart stops 12 running containers");
  assert.match(disrupts(1, true), "leaves 1 running container running");
});

test("containers that would keep Docker on its network are stopped for another one, and started again", () => {
  const network = new Map([
    ["bridge", ["docker0"]],
    ["fixed-cidr", []],
    ["mtu", ["1500"]],
  ]);
  const observed = with_({ containers: containers(1), liveRestore: true, network });
  const [change] = inWords(plan(RESTART, observed).changes);
  assert.match(
    change?.steps[0] ?? "",
    /^POST \/containers\/router\/stop\?t=5, POST \/containers\/c0\/stop\?t=5, .* 60 s, POST \/containers\/c0\/start; otherwise/,
  );
  assert.equal(subjects(plan(usual(), observed).changes), ["running dockerd"], "its command line alone is not enough");
});

test("a unit that changed on disk is reloaded before the restart; a changed drop-in reloads it anyway", () => {
  const observed = { ...STEADY, service: { ...STEADY.service, needsReload: true } };
  const reload = "docker.service, as loaded by systemd";
  assert.equal(subjects(plan(RESTART, observed).changes), [reload, "Docker"]);
  assert.equal(subjects(plan(usual({ mtu: 1400 }), observed).changes), [PATH, reload, "running dockerd"]);
  const hardCoded = withCommand(observed, "/usr/sbin/dockerd --bridge=br9 $DOCKER_OPTS");
  assert.equal(subjects(plan(usual(), hardCoded).changes), ["/etc/systemd/system/docker.service.d/zz-weave.conf"]);
});

test("a daemon that listens on another address only is not asked there", () => {
  const observed = withCommand(STEADY, "/usr/sbin/dockerd -H tcp://127.0.0.1:2376 $DOCKER_OPTS");
  assert.not.match(inWords(plan(RESTART, observed).changes)[0]?.steps[0] ?? "", "await");
});

test("without systemd the init script restarts it", () => {
  const observed = { ...STEADY, service: { ...STEADY.service, init: "script" as const, unit: null } };
  assert.match(inWords(plan(RESTART, observed).changes)[0]?.steps[0] ?? "", /^service docker restart, await/);
});

test("a dockerd with --validate validates the whole configuration before any file is written", () => {
  const config = { content: '{"debug": true, "mtu": 1500}', mode: 0o644 };
  const observed = { ...FRESH, config, version: "26.1.5+dfsg1" };
  const { changes } = plan(asked({ bridge: "weave", mtu: 1400 }), observed);
  const [first] = inWords(changes);
  assert.is(first?.subject, "/etc/docker/daemon.json");
  assert.is(first?.steps[0], "/usr/sbin/dockerd -H fd:// --bridge=weave --validate --config-file %s");
  const validate = changes[0]?.actions[0];
  assert.is(validate?.do === "validate" && validate.content, '{"debug": true, "mtu": 1400}');
});

test("options that dockerd would not start with are rejected before anything is planned", () => {
  const rejected = (opts: unknown, config = "{}", version = "20.10.24"): string =>
    userErrorOf(() => plan(asked({ opts }), { ...FRESH, version, config: { content: config, mode: 0o644 } }));
  assert.match(rejected("--brige=weave"), "opts: unknown option --brige. Correct its name");
  assert.match(rejected("--dns=nowhere"), 'opts: --dns has an invalid value ("nowhere")');
  assert.match(rejected("--mtu=large"), 'opts: --mtu has an invalid value ("large")');
  assert.match(rejected("--debug=maybe"), 'opts: --debug has an invalid value ("maybe")');
  assert.match(rejected({ runtimes: {} }), 'opts: the key "runtimes" is not supported with this value');
  assert.match(rejected("-b weave", '{"bip": "10.9.0.1/24"}'), "You specified -b & --bip, mutually exclusive options");
  assert.match(
    rejected("", '{"hosts": ["tcp://127.0.0.1:1"], "debug": true}'),
    "specified both as a flag and in the configuration file: hosts: (from flag: [fd://], from file: [tcp://127.0.0.1:1])",
  );
  assert.ok(plan(asked({ opts: "--brand-new=1" }), { ...FRESH, version: "29.0.0" }), "dockerd itself judges there");
});

test("passwords in the files are redacted", () => {
  const config = {
    content: '{"proxies": {"http-proxy": "http://me:hush@proxy:1"}, "log-opts": {"splunk-token": "hush"}}',
    mode: 0o600,
  };
  const { changes, facts } = plan(asked({ place: "daemon_json", mtu: 1450 }), { ...FRESH, config });
  const shown = changes.map(({ before, after, subject }) => before + after + subject).join() + JSON.stringify(facts);
  assert.match(shown, "http://me:********@proxy:1");
  assert.not.match(shown, "hush");
});

test("absent removes options that have the given values, and with the bridge its subnet and MTU", () => {
  const line = `-D ${USUAL_LINE} --label=a`;
  const observed = { ...STEADY, optionsFile: { content: `DOCKER_OPTS="${line}"\n`, mode: 0o644 } };
  const absent = (more: Record<string, unknown>, on: ObservedDocker = observed) =>
    plan(asked({ state: "absent", ...more }), on).facts["docker_opts"];
  assert.is(absent({}), "-D --dns=172.17.42.1 --dns=8.8.8.8 --dns-search=service.consul --label=a");
  assert.is(
    absent({ dns: ["172.17.42.1", "8.8.8.8"], dns_search: ["x"], opts: "--label=b" }),
    "-D --dns-search=service.consul --label=a",
  );
  assert.is(absent({ bridge: "br9" }), line);
  const stopped = plan(asked({ state: "absent" }), { ...FRESH, daemon: null });
  assert.equal(stopped.changes, [], "a stopped Docker is not started for that");
  const running = plan(asked({ state: "absent" }), { ...FRESH, daemon: DAEMON });
  assert.equal(subjects(running.changes), ["running dockerd"]);
});

test.run();
