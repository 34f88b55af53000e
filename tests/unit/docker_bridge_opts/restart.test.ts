import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Try } from "../../../modules/core/change";
import type { ObservedDocker } from "../../../modules/docker_bridge_opts/observed";
import { plan } from "../../../modules/docker_bridge_opts/plan";
import { restorePreviousCommand } from "../../../modules/docker_bridge_opts/restart/previous_command";
import { parseSavedConfiguration } from "../../../modules/docker_bridge_opts/restart/rollback";
import { inWords, subjects } from "../support/changes";
import { userErrorOf } from "../support/user_error";
import {
  asked,
  FRESH,
  PATH,
  runningWith,
  STEADY,
  savedOf,
  USUAL_LINE,
  unitWith,
  usual,
  withCommand,
  withOptionsFile,
} from "./fixtures";

const RESTART = asked({ state: "restarted" });
const DAEMON = runningWith(USUAL_LINE);
const with_ = (daemon: Partial<NonNullable<ObservedDocker["daemon"]>>, more: Partial<ObservedDocker> = {}) => ({
  ...STEADY,
  daemon: { ...DAEMON, ...daemon },
  ...more,
});
const RESET = "systemctl reset-failed docker.s*";
const START = `${RESET}, systemctl daemon-reload, systemctl restart docker.service, await /_ping for 60 s`;
const KILL = "systemctl kill --signal=KILL --kill-who=main docker.service";
const BACK = `${RESET}, ${KILL}, systemctl restart docker.service, await /_ping for 60 s`;
const SAVE = "write /var/lib/apollo-weave/docker-previous.json 0600";
const FORGET = "remove /var/lib/apollo-weave/docker-previous.json";
const DROP_IN = "/etc/systemd/system/docker.service.d/zz-weave.conf";
const AS_IT_RAN = `write ${DROP_IN} 0600, systemctl daemon-reload, ${BACK}, ${FORGET}`;

test("Docker is restarted once: not if it has started since the module was called", () => {
  assert.equal(subjects(plan(RESTART, STEADY).changes), ["Docker"]);
  assert.equal(plan(RESTART, with_({ startedAt: 901 })).changes, []);
  assert.equal(subjects(plan(RESTART, { ...STEADY, daemon: null }).changes), ["Docker"]);
});

const tries = (observed: ObservedDocker): Try[] =>
  plan(RESTART, observed).changes.flatMap(({ actions }) =>
    actions.flatMap((action) => (action.do === "try" ? [action] : [])),
  );

test("if the restart fails, the saved files are restored, or else Docker gets its previous command line", () => {
  const previous = savedOf(DAEMON, {
    files: [
      { path: PATH, content: "A=1\n", mode: 0o600 },
      { path: "/etc/docker/daemon.json", content: null, mode: 0o644 },
    ],
  });
  const kept = "/var/lib/apollo-weave/replaced-etc-default-docker";
  const back = `write ${kept} 0600, write ${PATH} 0600, remove /etc/docker/daemon.json, systemctl daemon-reload, ${BACK}, ${FORGET}`;
  const [change] = inWords(plan(RESTART, { ...STEADY, previous }).changes);
  assert.equal(change?.steps, [`${START}; otherwise ${back}; otherwise ${AS_IT_RAN}`, FORGET]);
  const [attempt] = tries({ ...STEADY, previous });
  assert.equal(
    attempt?.rollback.map(({ result }) => result),
    [
      `The previous configuration was restored, and Docker runs with it again. What was in ${PATH} is kept in ${kept}. Correct the options and run again.`,
      `Docker does not start with its files as they were found, so ${DROP_IN} now gives it the command line that it ran with before, ` +
        `and it runs again. Correct ${PATH} and run again.`,
    ],
  );
});

test("what something else has written to a file is kept when the rollback replaces it, readable only by root", () => {
  const config = { content: '{"debug": true}', mode: 0o644 };
  const files = [{ path: "/etc/docker/daemon.json", content: "{}", mode: 0o644 }];
  const [attempt] = tries({ ...STEADY, config, previous: savedOf(DAEMON, { files }) });
  const copy = "/var/lib/apollo-weave/replaced-etc-docker-daemon.json";
  assert.equal(attempt?.rollback[0]?.steps[0], { do: "write", path: copy, content: config.content, mode: 0o600 });
  assert.match(attempt?.rollback[0]?.result ?? "", `What was in /etc/docker/daemon.json is kept in ${copy}.`);
  const same = tries({
    ...STEADY,
    config,
    previous: savedOf(DAEMON, { files: [{ ...files[0], ...config } as never] }),
  });
  assert.not.match(same[0]?.rollback[0]?.result ?? "", "kept");
});

test("settings of the unit that keep it from starting are undone where Docker gets its command line back", () => {
  const unit = unitWith(
    "[Unit]\nConditionPathExists=/nope\n[Service]\nUser=nosuch\nExecStartPre=/bin/false\nExecStartPre=+-/bin/true\nExecStart=/usr/sbin/dockerd -H fd:// $DOCKER_OPTS\n",
  );
  const [write] = restorePreviousCommand({ ...STEADY.service, unit }, savedOf(DAEMON))?.actions ?? [];
  assert.ok(write?.do === "write");
  assert.match(
    write.content,
    "[Unit]\nConditionPathExists=\n[Service]\nUser=\nExecStartPre=\nExecStartPre=-/bin/false\nExecStartPre=-+/bin/true\nExecStart=\nExecStart=/usr/sbin/dockerd ",
  );
});

test("where it is not known what Docker had read from daemon.json, the message says so", () => {
  const results = (configWasRead: boolean) =>
    tries({ ...STEADY, previous: savedOf(DAEMON, { configWasRead }) })[0]
      ?.rollback.map(({ result }) => result)
      .join();
  assert.match(results(false) ?? "", "it runs again. What was in daemon.json when it started is not known. Correct");
  assert.not.match(results(true) ?? "", "not known");
});

test("without saved files, or with those of an earlier daemon, it gets the command line that it runs with", () => {
  const earlier = savedOf(DAEMON, { daemon: "boot 700 400", files: [{ path: PATH, content: "A=1\n", mode: 0o600 }] });
  for (const previous of [null, earlier]) {
    const [change] = inWords(plan(RESTART, { ...STEADY, previous }).changes);
    assert.equal(change?.steps, [SAVE, `${START}; otherwise ${AS_IT_RAN}`, FORGET]);
  }
  const [stopped] = tries({ ...STEADY, daemon: null });
  assert.match(
    stopped?.rollback[0]?.result ?? "",
    "No earlier configuration of Docker is known, so it is left as it is.",
  );
  assert.equal(inWords(plan(RESTART, { ...STEADY, daemon: null }).changes)[0]?.steps, [`${START}; otherwise `, FORGET]);
});

test("whether Docker was restarted shows in its process; the rollback starts it only if it was replaced or stopped", () => {
  const attempt = (observed: ObservedDocker) => {
    const [action] = tries(observed);
    const steps = [...(action?.steps ?? []), ...(action?.rollback[0]?.steps ?? [])];
    const starts = steps.flatMap((step) => (step.do === "run" ? [step] : []));
    return starts.flatMap(({ replaces, skipIfRunning }) => [replaces ?? skipIfRunning ?? []].flat());
  };
  const present = { pidFile: "/var/run/docker.pid", startedAt: 500 };
  assert.equal(attempt({ ...STEADY, previous: savedOf(DAEMON) }), [present, present, present]);
  assert.equal(
    attempt({ ...STEADY, daemon: null, previous: savedOf(DAEMON, { daemon: null }) }),
    [{ ...present, startedAt: null }],
    "a Docker that was stopped is started",
  );
});

test("whether it was replaced shows in the pid file that it has, and in the one that it gets", () => {
  const attempt = tries(with_({ pidFile: "/run/d2.pid" }, { previous: savedOf(DAEMON) }))[0];
  const files = [...(attempt?.steps ?? []), ...(attempt?.rollback[0]?.steps ?? [])].flatMap((step) =>
    step.do === "run" ? [(step.replaces ?? step.skipIfRunning)?.pidFile ?? []].flat() : [],
  );
  assert.equal(files, ["/var/run/docker.pid", "/run/d2.pid", "/run/d2.pid"]);
  assert.is(attempt?.daemon?.pidFile, "/run/d2.pid");
});

test("an answer is no longer waited for once Docker's unit has failed and no job starts it", () => {
  const awaited = tries(STEADY)[0]?.steps.find((step) => step.do === "await");
  const givesUp = (properties: string) => awaited?.giveUp?.pattern.test(properties);
  assert.is(givesUp("Job=0\nActiveState=failed\nSubState=failed\n"), true);
  assert.is(givesUp("ActiveState=activating\nSubState=auto-restart\n"), true);
  assert.is(givesUp("Job=512\nActiveState=failed\nSubState=failed\n"), false);
  assert.is(givesUp("ActiveState=failed\nSubState=failed\nJob=512\n"), false);
  assert.is(givesUp("ActiveState=activating\nSubState=start\n"), false);
  assert.is(givesUp("ActiveState=active\nSubState=running\n"), false);
  assert.is(givesUp(""), false);
});

test("the previous configuration is saved once, until another daemon runs", () => {
  const previous = savedOf(DAEMON);
  const steps = (observed: ObservedDocker) => inWords(plan(usual({ mtu: 1400 }), observed).changes)[0]?.steps.length;
  assert.is(steps(STEADY), 2);
  assert.is(steps({ ...STEADY, previous }), 1);
  assert.is(steps({ ...STEADY, previous: { ...previous, daemon: "boot 700 400" } }), 2);
  assert.is(steps({ ...STEADY, previous: { ...previous, daemon: null }, daemon: null }), 1);
});

const containers = (count: number) => [
  { id: "router", name: "weave", belongsToWeave: true },
  ...Array.from({ length: count }, (_, index) => ({ id: `c${index}`, name: `web${index}`, belongsToWeave: false })),
];

test("the disruption has the number of containers without Weave's own, and whether they keep running", () => {
  const disrupts = (count: number, liveRestore = false, options = RESTART) =>
    plan(options, with_({ containers: containers(count), liveRestore })).changes.at(-1)?.disruption ?? "";
  assert.is(disrupts(0), "Docker: its restart stops no running containers");
  assert.is(disrupts(1), "Docker: its restart stops 1 running container");
  assert.is(disrupts(12, false, usual({ mtu: 1400 })), "Docker: its restart stops 12 running containers");
  assert.match(disrupts(1, true), "leaves 1 running container running");
});

const NETWORK = new Map([
  ["bridge", ["docker0"]],
  ["fixed-cidr", []],
  ["mtu", ["1500"]],
]);
const LIVE = with_({ containers: containers(2), liveRestore: true, network: NETWORK });

test("containers that keep Docker on its network are stopped for another one, and started again, also if it fails", () => {
  const steps = inWords(plan(RESTART, LIVE).changes)[0]?.steps ?? [];
  const startAll = "then start web0 web1 within 60 s; then start weave within 60 s";
  const startOrSave = `then start web0 web1 within 60 s; otherwise ${SAVE}; then start weave within 60 s; otherwise ${SAVE}`;
  assert.equal(steps, [
    SAVE,
    `stop weave web0 web1 within 60 s; otherwise ; ${startAll}`,
    `${START}; otherwise ${AS_IT_RAN}; ${startOrSave}`,
    "start web0 web1 within 60 s; otherwise ",
    FORGET,
  ]);
  const [stop, restart] = tries(LIVE);
  assert.match(
    stop?.rollback[0]?.result ?? "",
    /^Docker was not restarted.* were started again, except those that are named/,
  );
  const afterwards = [stop, restart].map((attempt) =>
    (attempt?.afterwards ?? []).flatMap((step) => (step.do === "try" ? step.steps : [step])),
  );
  for (const starts of afterwards) {
    const weaves = starts.find((step) => step.do === "start" && step.onlyIfRunning);
    assert.ok(weaves, "once Docker has been restarted, Weave's own are their service's");
  }
  assert.equal(subjects(plan(usual(), LIVE).changes), ["running dockerd"], "its command line alone is not enough");
});

test("a container that Docker removes when it stops is named, and neither started nor saved as one to be started", () => {
  const [, web0, web1] = containers(2);
  const removed = { ...web0, autoRemove: true } as never;
  const paused = { ...web1, paused: true } as never;
  const observed = with_({ containers: [removed, paused], liveRestore: true, network: NETWORK });
  const [change] = plan(RESTART, observed).changes;
  const lost = "Docker removes what docker run --rm started as soon as that stops, so it can't be started again: web0";
  assert.is(
    change?.disruption,
    `Docker: its restart stops 2 running containers and starts them again, as live-restore would keep them on the previous network. ${lost}`,
  );
  assert.match(tries(observed)[0]?.rollback[0]?.result ?? "", `and run again. ${lost}.`);
  const [save, stop] = change?.actions ?? [];
  const stopped = parseSavedConfiguration({ content: save?.do === "write" ? save.content : "", mode: 0o600 })?.stopped;
  assert.equal(
    stopped?.map(({ name, paused }) => [name, paused]),
    [["web1", true]],
  );
  assert.match(stop?.do === "try" ? JSON.stringify(stop.steps) : "", "web0");
  assert.match(inWords(plan(RESTART, observed).changes)[0]?.steps.join() ?? "", ",start web1 within 60 s; otherwise ,");
});

test("containers that an earlier restart has stopped are started by the next run", () => {
  const stopped = containers(1);
  const said = (observed: ObservedDocker, options = usual()) => inWords(plan(options, observed).changes)[0];
  const same = said({ ...STEADY, previous: savedOf(DAEMON, { stopped }) });
  assert.is(same?.before, "stopped: weave, web0\n");
  assert.equal(same?.steps, [`start weave web0 within 60 s; otherwise ${SAVE}`, SAVE]);
  const restarted = said({ ...STEADY, previous: savedOf(DAEMON, { daemon: "boot 700 400", stopped }) });
  assert.equal(restarted?.steps, [`start web0 within 60 s; otherwise ${FORGET}`, FORGET]);
  const handler = said(
    { ...LIVE, previous: savedOf(DAEMON, { stopped: [{ ...containers(1)[1], id: "c9", name: "db" } as never] }) },
    RESTART,
  );
  assert.is(handler?.steps.at(-2), "start web0 web1 db within 60 s; otherwise ");
  const since = said({ ...with_({ startedAt: 901 }), previous: savedOf(DAEMON, { stopped }) }, RESTART);
  assert.is(since?.before, "stopped: weave, web0\n");
});

test("of these, running ones are not started: before the restart they stay saved, after it they are forgotten", () => {
  const stopped = containers(2);
  const running = with_({ containers: stopped.slice(0, 2) });
  const said = (observed: ObservedDocker) => plan(usual(), observed).changes;
  const [change] = said({ ...running, previous: savedOf(DAEMON, { stopped }) });
  assert.is(change?.before, "stopped: web1\n");
  const save = change?.actions.at(-1);
  assert.equal(
    parseSavedConfiguration({ content: save?.do === "write" ? save.content : "", mode: 0o600 })?.stopped,
    stopped.slice(0, 2),
  );
  assert.equal(said({ ...running, previous: savedOf(DAEMON, { stopped: stopped.slice(0, 2) }) }), []);

  const earlier = { daemon: "boot 700 400", stopped: stopped.slice(0, 2) };
  const [since] = inWords(said({ ...running, previous: savedOf(DAEMON, earlier) }));
  assert.equal([since?.before, since?.steps], ["started since: web0\n", [FORGET]]);
});

test("an init script gets the command line from before as DOCKER_OPTS, without what it gives itself", () => {
  const command = ["/usr/bin/dockerd", "-p", "/var/run/docker.pid", "--label=a=b", "-H", "fd://"];
  const files = [{ path: PATH, content: 'A=1\nDOCKER_OPTS="--nope"', mode: 0o640 }];
  const byScript = (words: readonly string[]) =>
    restorePreviousCommand({ ...STEADY.service, init: "script" }, savedOf(DAEMON, { command: words, files }));
  assert.equal(byScript(command), {
    path: PATH,
    actions: [
      {
        do: "write",
        path: PATH,
        content: 'A=1\nDOCKER_OPTS="--nope"\nDOCKER_OPTS="--label=a=b --host=fd://"\n',
        mode: 0o640,
      },
    ],
  });
  assert.is(byScript(["/usr/bin/dockerd", "--label=a b"]), null, "it would be split");
  assert.is(byScript([]), null);
});

test("the next run still knows that this module's drop-in has Docker read DOCKER_OPTS", () => {
  const content =
    "[Service]\nEnvironmentFile=-/etc/default/docker\nExecStart=\nExecStart=/usr/bin/dockerd $DOCKER_OPTS\n";
  const previous = savedOf(DAEMON, { files: [{ path: DROP_IN, content, mode: 0o644 }] });
  const [write] = restorePreviousCommand(STEADY.service, previous)?.actions ?? [];
  assert.ok(write?.do === "write");
  assert.match(
    write.content,
    /\n# Here was: ExecStart=\/usr\/bin\/dockerd \$DOCKER_OPTS\n\[Service\]\nEnvironmentFile=-\/etc\/default\/docker\nExecStart=\nExecStart=\/usr\/sbin\/dockerd -H fd:/,
  );
});

test("systemd gets the words of that command line as they were", () => {
  const words = [
    "/usr/bin/dockerd",
    "--label=a b",
    '--label="\\x"',
    "--label=$HOME 100%",
    "--label=\t'",
    "--label=caf\xc3\xa9",
  ];
  const [write] = restorePreviousCommand(STEADY.service, savedOf(DAEMON, { command: words }))?.actions ?? [];
  assert.ok(write?.do === "write");
  assert.match(
    write.content,
    'ExecStart=\nExecStart=/usr/bin/dockerd "--label=a b" "--label=\\"\\\\x\\"" "--label=$$HOME 100%%" "--label=\\x09\'" "--label=caf\xc3\xa9"\n',
  );
});

test("a program whose path systemd does not take gives no such command line", () => {
  for (const path of ['/opt/do"cker/dockerd', "/opt/do\\cker/dockerd", "/opt/do\ncker/dockerd", "dockerd"]) {
    assert.is(restorePreviousCommand(STEADY.service, savedOf(DAEMON, { command: [path, "-H", "fd://"] })), null, path);
  }
  const command = ["/opt/a b/docker%d$", "--label=one\ntwo"];
  const [write] = restorePreviousCommand(STEADY.service, savedOf(DAEMON, { command }))?.actions ?? [];
  assert.match(write?.do === "write" ? write.content : "", 'ExecStart="/opt/a b/docker%%d$" "--label=one\\x0atwo"\n');
});

test("a unit that changed on disk is reloaded before the restart; a changed drop-in reloads it anyway", () => {
  const observed = { ...STEADY, service: { ...STEADY.service, needsReload: true } };
  const reload = "docker.service: loaded files";
  assert.equal(subjects(plan(RESTART, observed).changes), [reload, "Docker"]);
  assert.equal(subjects(plan(usual({ mtu: 1400 }), observed).changes), [PATH, reload, "running dockerd"]);
  const hardCoded = withCommand(observed, "/usr/sbin/dockerd --bridge=br9 $DOCKER_OPTS");
  assert.equal(subjects(plan(usual(), hardCoded).changes), ["/etc/systemd/system/docker.service.d/zz-weave.conf"]);
});

test("a restart passes the options of all lines as they are now, unless the drop-in is not for them or nothing changes", () => {
  const chain = (level: string) =>
    withOptionsFile(FRESH, `DOCKER_OPTS="$DOCKER_OPTS --log-level=${level}"\nDOCKER_OPTS="$DOCKER_OPTS --mtu=1400"\n`);
  const written = plan(asked({ mtu: 1400 }), chain("warn")).changes.find(({ subject }) => subject === DROP_IN)?.after;
  const dropIn = { content: written ?? "", mode: 0o644 };
  assert.equal(subjects(plan(RESTART, { ...chain("warn"), dropIn }).changes), ["Docker"]);
  const { changes } = plan(RESTART, { ...chain("error"), dropIn });
  assert.equal(subjects(changes), [DROP_IN, "Docker"]);
  assert.match(changes[0]?.after ?? "", "ExecStart=/usr/sbin/dockerd -H fd:// --log-level=error --mtu=1400\n");
  const asItRan = { ...dropIn, content: "[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd --log-level=warn\n" };
  assert.equal(subjects(plan(RESTART, { ...chain("error"), dropIn: asItRan }).changes), ["Docker"]);
});

test("a daemon that listens on another address only is not asked there", () => {
  const observed = withCommand(STEADY, "/usr/sbin/dockerd -H tcp://127.0.0.1:2376 $DOCKER_OPTS");
  assert.not.match(inWords(plan(RESTART, observed).changes)[0]?.steps.join() ?? "await", "await");
});

test("without systemd the init script restarts it", () => {
  const observed = { ...STEADY, service: { ...STEADY.service, init: "script" as const, unit: null } };
  assert.match(inWords(plan(RESTART, observed).changes)[0]?.steps[1] ?? "", /^service docker restart, await/);
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
  assert.match(
    rejected("--brige=weave"),
    "opts: must have options of dockerd only, or dockerd does not start (found --brige). Correct or remove it.",
  );
  assert.match(rejected("--dns=nowhere"), /^opts: --dns must be .* \(found "nowhere"\)\. Correct it\.$/);
  assert.match(rejected("--mtu=large"), /^opts: --mtu must be .* \(found "large"\)\. Correct it\.$/);
  assert.match(rejected("--debug=maybe"), /^opts: --debug must be .* \(found "maybe"\)\. Correct it\.$/);
  assert.match(
    rejected({ runtimes: {} }),
    'opts: "runtimes" must have a value that this module supports (found another)',
  );
  assert.match(
    rejected("-b weave", '{"bip": "10.9.0.1/24"}'),
    "opts: bip and bridge must not both be set, or dockerd does not start (found --bip=10.9.0.1/24 and --bridge=weave)",
  );
  assert.match(
    rejected("", '{"hosts": ["tcp://127.0.0.1:1"], "debug": true}'),
    "must not have options of dockerd's command line, or dockerd does not start (found hosts: (from flag: [fd://], from file: [tcp://127.0.0.1:1]))",
  );
  assert.ok(plan(asked({ opts: "--brand-new=1" }), { ...FRESH, version: "29.0.0" }), "dockerd itself judges there");
});

test("passwords in the files are redacted", () => {
  const config = {
    content:
      '{"proxies": {"http-proxy": "http://me:hush@proxy:1"}, "log-driver": "splunk", "log-opts": {"splunk-token": "hush"}}',
    mode: 0o600,
  };
  const { changes, returns } = plan(asked({ location: "daemon_json", mtu: 1450 }), {
    ...FRESH,
    version: "28.5.2",
    config,
  });
  const shown = changes.map(({ before, after, subject }) => before + after + subject).join() + JSON.stringify(returns);
  assert.match(shown, "http://me:********@proxy:1");
  assert.not.match(shown, "hush");
});

test("absent removes options that have the given values, and with the bridge its subnet and MTU", () => {
  const line = `-D ${USUAL_LINE} --label=a`;
  const observed = { ...STEADY, optionsFile: { content: `DOCKER_OPTS="${line}"\n`, mode: 0o644 } };
  const absent = (more: Record<string, unknown>, on: ObservedDocker = observed) =>
    plan(asked({ state: "absent", ...more }), on).returns["docker_opts"];
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
