import { test } from "uvu";
import * as assert from "uvu/assert";
import type { ObservedDocker } from "../../../modules/docker_bridge_opts/observed";
import { plan } from "../../../modules/docker_bridge_opts/plan";
import { restorePreviousCommand } from "../../../modules/docker_bridge_opts/restart/previous_command";
import { inWords, subjects } from "../support/changes";
import { asked, FRESH, PATH, STEADY, savedOf, unitWith, usual, withCommand, withOptionsFile } from "./fixtures";
import { AS_IT_RAN, BACK, DAEMON, DROP_IN, FORGET, RESTART, SAVE, START, tries, with_ } from "./restarts";

test("Docker is restarted once: not if it has started since the module was called", () => {
  assert.equal(subjects(plan(RESTART, STEADY).changes), ["Docker"]);
  assert.equal(plan(RESTART, with_({ startedAt: 901 })).changes, []);
  assert.equal(subjects(plan(RESTART, { ...STEADY, daemon: null }).changes), ["Docker"]);
});

test("if the restart fails, the saved files are restored, or else Docker gets its previous command line", () => {
  const saved = savedOf(DAEMON, {
    files: [
      { path: PATH, content: "A=1\n", mode: 0o600 },
      { path: "/etc/docker/daemon.json", content: null, mode: 0o644 },
    ],
  });
  const kept = "/var/lib/apollo-weave/replaced-etc-default-docker";
  const back = `write ${kept} 0600, write ${PATH} 0600, remove /etc/docker/daemon.json, systemctl daemon-reload, ${BACK}, ${FORGET}`;
  const [change] = inWords(plan(RESTART, { ...STEADY, saved }).changes);
  assert.equal(change?.steps, [`${START}; otherwise ${back}; otherwise ${AS_IT_RAN}`, FORGET]);
  const [attempt] = tries({ ...STEADY, saved });
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
  const [attempt] = tries({ ...STEADY, config, saved: savedOf(DAEMON, { files }) });
  const copy = "/var/lib/apollo-weave/replaced-etc-docker-daemon.json";
  assert.equal(attempt?.rollback[0]?.steps[0], { do: "write", path: copy, content: config.content, mode: 0o600 });
  assert.match(attempt?.rollback[0]?.result ?? "", `What was in /etc/docker/daemon.json is kept in ${copy}.`);
  const same = tries({
    ...STEADY,
    config,
    saved: savedOf(DAEMON, { files: [{ ...files[0], ...config } as never] }),
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
    tries({ ...STEADY, saved: savedOf(DAEMON, { configWasRead }) })[0]
      ?.rollback.map(({ result }) => result)
      .join();
  assert.match(results(false) ?? "", "it runs again. What was in daemon.json when it started is not known. Correct");
  assert.not.match(results(true) ?? "", "not known");
});

test("without saved files, or with those of an earlier daemon, it gets the command line that it runs with", () => {
  const earlier = savedOf(DAEMON, { daemon: "boot 700 400", files: [{ path: PATH, content: "A=1\n", mode: 0o600 }] });
  for (const saved of [null, earlier]) {
    const [change] = inWords(plan(RESTART, { ...STEADY, saved }).changes);
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
  assert.equal(attempt({ ...STEADY, saved: savedOf(DAEMON) }), [present, present, present]);
  assert.equal(
    attempt({ ...STEADY, daemon: null, saved: savedOf(DAEMON, { daemon: null }) }),
    [{ ...present, startedAt: null }],
    "a Docker that was stopped is started",
  );
});

test("whether it was replaced shows in the pid file that it has, and in the one that it gets", () => {
  const attempt = tries(with_({ pidFile: "/run/d2.pid" }, { saved: savedOf(DAEMON) }))[0];
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
  const saved = savedOf(DAEMON);
  const steps = (observed: ObservedDocker) => inWords(plan(usual({ mtu: 1400 }), observed).changes)[0]?.steps.length;
  assert.is(steps(STEADY), 2);
  assert.is(steps({ ...STEADY, saved }), 1);
  assert.is(steps({ ...STEADY, saved: { ...saved, daemon: "boot 700 400" } }), 2);
  assert.is(steps({ ...STEADY, saved: { ...saved, daemon: null }, daemon: null }), 1);
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

test.run();
