import { test } from "uvu";
import * as assert from "uvu/assert";
import { renderRouterEnvironment } from "../../../modules/weave_service/environment";
import type { ObservedService } from "../../../modules/weave_service/observe";
import { plan } from "../../../modules/weave_service/plan";
import { inWords, subjects } from "../support/changes";
import { asked, FRESH, SCRIPT, steady } from "./hosts";

const ENV = "/etc/weave.env";
const UNIT = "/etc/systemd/system/weave.service";
const ENABLED = "weave.service: starts with Docker";
const STATE = "weave.service: state";

const words = (options: ReturnType<typeof asked>, observed: ObservedService) =>
  inWords(plan(options, observed).changes);

test("on a fresh host files, start with Docker and the router are planned, in this order", () => {
  const changes = words(asked({ timeout: 300 }), FRESH);
  assert.equal(
    changes.map(({ subject, steps }) => ({ subject, steps })),
    [
      { subject: ENV, steps: [`write ${ENV} 0600`] },
      { subject: UNIT, steps: [`write ${UNIT} 0644`, "systemctl daemon-reload"] },
      { subject: ENABLED, steps: ["systemctl enable weave.service"] },
      { subject: STATE, steps: ["systemctl start weave.service", "await /status for 300 s"] },
    ],
  );
  assert.equal([changes[3]?.before, changes[3]?.after], ["inactive\n", "running\n"]);
});

test("on a host that is as wanted nothing is planned", () => {
  assert.equal(plan(asked(), steady()).changes, []);
  assert.equal(plan(asked({ peers: ["192.168.50.13", "192.168.50.12", "192.168.50.13"] }), steady()).changes, []);
});

test("what is reported are state, unit and peers", () => {
  assert.equal(plan(asked({ peers: ["b", "a", "b"] }), FRESH).facts, {
    state: "started",
    unit: "weave.service",
    peers: ["a", "b"],
  });
});

test("a new peer is told to the running router, and restarts nothing", () => {
  const options = asked({ peers: ["192.168.50.12", "192.168.50.13", "192.168.50.14"] });
  const { changes } = plan(options, steady());
  assert.equal(subjects(changes), [ENV, "router: peers"]);
  assert.equal(inWords(changes)[1], {
    subject: "router: peers",
    before: "192.168.50.12\n192.168.50.13\n",
    after: "192.168.50.12\n192.168.50.13\n192.168.50.14\n",
    steps: ["POST /connect peer=192.168.50.14"],
  });
  for (const change of changes) assert.is(change.disrupts, undefined);
});

test("peers that come and go are told in two requests", () => {
  const options = asked({ peers: ["192.168.50.14", "192.168.50.15"] });
  assert.equal(words(options, steady())[1]?.steps, [
    "POST /connect peer=192.168.50.14&peer=192.168.50.15",
    "POST /forget peer=192.168.50.12&peer=192.168.50.13",
  ]);
});

test("a peer that the running router has lost is one change", () => {
  assert.equal(words(asked(), { ...steady(), targets: ["192.168.50.13"] }), [
    {
      subject: "router: peers",
      before: "192.168.50.13\n",
      after: "192.168.50.12\n192.168.50.13\n",
      steps: ["POST /connect peer=192.168.50.12"],
    },
  ]);
});

test("a router that is down is started, and nothing else is touched", () => {
  for (const activeState of ["inactive", "failed", "activating"]) {
    assert.equal(words(asked(), { ...steady(), activeState, startedWith: null, targets: null }), [
      {
        subject: STATE,
        before: `${activeState}\n`,
        after: "running\n",
        steps: ["systemctl start weave.service", "await /status for 120 s"],
      },
    ]);
  }
});

test("a router that runs without an answer is waited for", () => {
  const [change] = words(asked(), { ...steady(), targets: null });
  assert.is(change?.before, "running, without an answer\n");
  assert.is(change?.steps.at(-1), "await /status for 120 s");
});

test("a unit that does not start with Docker is enabled", () => {
  assert.equal(words(asked(), { ...steady(), enabled: false }), [
    { subject: ENABLED, before: "no\n", after: "yes\n", steps: ["systemctl enable weave.service"] },
  ]);
});

test("a unit that was changed by hand is written and read again, the router left running", () => {
  const changes = words(asked(), { ...steady(), unit: { content: "[Unit]\n", mode: 0o644 } });
  assert.equal(changes[0]?.steps, [`write ${UNIT} 0644`, "systemctl daemon-reload"]);
  assert.is(changes.length, 1);
});

test("a unit that systemd has not read since it was written is read, by one reload", () => {
  assert.equal(words(asked(), { ...steady(), needsReload: true }), [
    {
      subject: "weave.service, as systemd has it",
      before: "an older one\n",
      after: "the file's\n",
      steps: ["systemctl daemon-reload"],
    },
  ]);
  const both = words(asked(), { ...steady(), needsReload: true, unit: null });
  assert.is(both.flatMap(({ steps }) => steps).filter((step) => step === "systemctl daemon-reload").length, 1);
});

test("the files' modes are put right, the environment's to root alone", () => {
  const { unit, environment } = steady();
  const observed = {
    ...steady(),
    unit: { content: unit?.content ?? "", mode: 0o755 },
    environment: { content: environment?.content ?? "", mode: 0o644 },
  };
  assert.equal(words(asked(), observed), [
    { subject: `${ENV}: mode`, before: "0644\n", after: "0600\n", steps: [`chmod ${ENV} 0600`] },
    { subject: `${UNIT}: mode`, before: "0755\n", after: "0644\n", steps: [`chmod ${UNIT} 0644`] },
  ]);
});

test("what a router can't be told live restarts it, which is said to interrupt traffic", () => {
  for (const [options, name] of [
    [{ args: ["--no-dns"] }, "WEAVE_ARGS"],
    [{ mtu: 1400 }, "WEAVE_MTU"],
    [{ bridge: "br0" }, "DOCKER_BRIDGE"],
  ] as const) {
    const { changes } = plan(asked(options), steady());
    assert.equal(subjects(changes), [ENV, STATE]);
    assert.equal(inWords(changes)[1], {
      subject: STATE,
      before: `running with other ${name}\n`,
      after: "running\n",
      steps: ["systemctl restart weave.service", "await /status for 120 s"],
    });
    assert.match(changes[1]?.disrupts ?? "", "interrupts traffic between hosts");
  }
});

test("a restart that an interrupted run still owes is found from the running router alone", () => {
  const startedWith = new Map([...steady().startedWith, ["WEAVE_ARGS", "--no-dns"]]);
  assert.equal(subjects(plan(asked(), { ...steady(), startedWith }).changes), [STATE]);
});

test("a router that answers and is no process of the unit is not restarted for its environment", () => {
  assert.equal(plan(asked(), { ...steady(), startedWith: null }).changes, []);
});

test("a new, another or no password restarts the router, and is in nothing that is shown", () => {
  const [one, two] = ["correct horse", "battery staple"];
  const has = (password: string | null): ObservedService => {
    const options = asked({ password });
    return { ...steady(options), environment: { content: renderRouterEnvironment(options, SCRIPT), mode: 0o600 } };
  };
  const cases = [
    { wanted: one, observed: FRESH },
    { wanted: one, observed: has(null) },
    { wanted: one, observed: has(two) },
    { wanted: null, observed: has(two) },
    { wanted: one, observed: { ...has(two), environment: has(one).environment } },
    { wanted: one, observed: { ...has(one), environment: has(two).environment } },
  ];
  for (const { wanted, observed } of cases) {
    for (const state of ["started", "stopped", "absent"]) {
      const { changes, facts, warnings } = plan(asked({ password: wanted, state }), observed);
      const shown = changes.map(({ subject, before, after, disrupts }) => ({ subject, before, after, disrupts }));
      assert.not.match(JSON.stringify([shown, facts, warnings]), /horse|staple/);
      for (const { subject, before, after } of changes) assert.is.not(before, after, subject);
    }
  }
  assert.equal(subjects(plan(asked({ password: one }), has(one)).changes), []);
  assert.equal(subjects(plan(asked({ password: one }), has(two)).changes), [ENV, STATE]);
  assert.equal(subjects(plan(asked({ password: null }), has(two)).changes), [ENV, STATE]);
  assert.match(plan(asked({ password: one }), has(two)).changes[1]?.before ?? "", "WEAVE_PASSWORD");
});

test("the password reaches the file that root alone reads, and no command or request", () => {
  const { changes } = plan(asked({ password: "correct horse" }), FRESH);
  const carrying = changes
    .flatMap(({ actions }) => actions)
    .filter((action) => JSON.stringify(action).includes("horse"));
  assert.equal(
    carrying.map((action) => action.do === "write" && [action.path, action.mode]),
    [[ENV, 0o600]],
  );
});

test("stopped: the router is stopped and no longer starts with Docker, its files stay", () => {
  const { changes } = plan(asked({ state: "stopped" }), steady());
  assert.equal(inWords(changes), [
    { subject: ENABLED, before: "yes\n", after: "no\n", steps: ["systemctl disable weave.service"] },
    { subject: STATE, before: "active\n", after: "stopped\n", steps: ["systemctl stop weave.service"] },
  ]);
  assert.match(changes[1]?.disrupts ?? "", "traffic between hosts ends");
  const stopped = { ...steady(), enabled: false, activeState: "inactive", startedWith: null, targets: null };
  assert.equal(plan(asked({ state: "stopped" }), stopped).changes, []);
  assert.equal(plan(asked({ state: "stopped" }), { ...stopped, activeState: "failed" }).changes, []);
});

test("absent: stopped, disabled and its files removed, in this order; nothing where nothing is", () => {
  const changes = words(asked({ state: "absent" }), steady());
  assert.equal(
    changes.map(({ subject, steps }) => [subject, ...steps]),
    [
      [STATE, "systemctl stop weave.service"],
      [ENABLED, "systemctl disable weave.service"],
      [UNIT, `remove ${UNIT}`, "systemctl daemon-reload"],
      [ENV, `remove ${ENV}`],
    ],
  );
  assert.equal(plan(asked({ state: "absent" }), FRESH).changes, []);
});

test.run();
