import { test } from "uvu";
import * as assert from "uvu/assert";
import { resolveDesired } from "../../../modules/weave_service/desired";
import type { ObservedService } from "../../../modules/weave_service/observed";
import { plan } from "../../../modules/weave_service/plan";
import { DEFAULT_CONTROL } from "../../../modules/weave_service/router_api";
import { readWeaveScript, scriptOfVersion } from "../../../modules/weave_service/script";
import { inWords, subjects } from "../support/changes";
import { CONTAINER, down, ENV, FRESH, ROUTER, STATE, serviceOptions, steady, words } from "./fixtures";

test("a router that is down is started, and nothing else is touched", () => {
  const forgotten = ["systemctl reset-failed weave.service"];
  for (const [state, first] of [
    ["stopped", []],
    ["failed", forgotten],
    ["starting", []],
  ] as const) {
    assert.equal(words(serviceOptions(), down(state)), [
      {
        subject: STATE,
        before: `${state}\n`,
        after: "running\n",
        steps: [...first, "systemctl start weave.service", "await /status for 300 s"],
      },
    ]);
  }
});

test("between two tries a router is started at once, as one that has failed", () => {
  assert.equal(words(serviceOptions(), down("retrying")), words(serviceOptions(), down("failed")));
});

test("a unit on its way is stopped, and so is the container that a try may have left", () => {
  const options = serviceOptions({ state: "stopped" });
  for (const [state, before] of [
    ["retrying", "starting\n"],
    ["starting", "starting\n"],
    ["stopping", "stopping\n"],
  ] as const) {
    for (const running of [true, false]) {
      const observed = { ...down(state), container: { ...CONTAINER, running } };
      const [change] = words(options, observed);
      assert.equal(change, {
        subject: STATE,
        before,
        after: "stopped\n",
        steps: ["systemctl stop weave.service", "stop weave within 120 s"],
      });
      assert.equal(words(options, { ...observed, docker: "stopped", container: null })[0]?.steps, [
        "systemctl stop weave.service",
      ]);
    }
  }
  assert.equal(words(options, steady())[0]?.steps, ["systemctl stop weave.service"]);
});

test("a router that runs and does not answer is waited for", () => {
  const [change] = words(serviceOptions(), { ...steady(), router: null });
  assert.is(change?.before, "running, not answering\n");
  assert.is(change?.steps.at(-1), "await /status for 300 s");
});

test("from 1.2 to 1.4 the router is ready when its container runs: only that has the API's address", () => {
  for (const [version, path] of [
    ["1.2.1", "/containers/weave/top"],
    ["1.4.6", "/containers/weave/top"],
    ["1.5.0", "/status"],
  ] as const) {
    const { steps = [] } = words(serviceOptions(), { ...FRESH, script: scriptOfVersion(version) }).at(-1) ?? {};
    assert.is(steps.at(-1), `await ${path} for 300 s`, version);
  }
});

test("the router's API is asked where WEAVE_HTTP_ADDR says, now or after the restart that another address needs", () => {
  const env = { WEAVE_HTTP_ADDR: "127.0.0.2:7000" };
  const ready = (options: Record<string, unknown>, observed: ObservedService) =>
    plan(serviceOptions(options), observed)
      .changes.flatMap(({ actions }) => actions)
      .flatMap((action) => (action.do === "await" ? [action.request.to] : []));
  assert.equal(ready({ env }, FRESH), [{ address: "127.0.0.2", port: 7000 }]);
  assert.equal(ready({ env: { WEAVE_HTTP_ADDR: "0.0.0.0:7000" } }, FRESH), [{ address: "127.0.0.1", port: 7000 }]);
  const [, change] = plan(serviceOptions({ env }), steady()).changes;
  assert.is(change?.before, "running, with other WEAVE_HTTP_ADDR\n");
  assert.equal(ready({ env }, steady()), [{ address: "127.0.0.2", port: 7000 }]);

  const observed = { ...steady(serviceOptions({ env })), control: { address: "127.0.0.2", port: 7000 } };
  assert.equal(plan(serviceOptions({ env }), observed).changes, []);
  const requests = plan(serviceOptions({ env, peers: ["192.168.50.14"] }), observed)
    .changes.flatMap(({ actions }) => actions)
    .flatMap((action) => (action.do === "request" ? [action.request.to] : []));
  assert.equal(requests, [observed.control, observed.control]);
});

test("a router that goes on is asked where it is, whatever the next one will have", () => {
  const control = { address: "127.0.0.1", port: 7001 };
  const unit = { ...FRESH.unit, state: "stopped" as const };
  const startedByOthers = { ...FRESH, unit, container: CONTAINER, router: ROUTER, control };
  const awaited = plan(serviceOptions(), startedByOthers)
    .changes.flatMap(({ actions }) => actions)
    .flatMap((action) => (action.do === "await" ? [action.request.to] : []));
  assert.equal(awaited, [control]);
});

test("a change that the router's API can't make restarts it, which is reported as a disruption", () => {
  for (const [options, name] of [
    [{ args: ["--ipalloc-range=10.40.0.0/16"] }, "WEAVE_ARGS"],
    [{ mtu: 1400 }, "WEAVE_MTU"],
    [{ env: { WEAVE_DEBUG: "1" } }, "WEAVE_DEBUG"],
  ] as const) {
    const { changes } = plan(serviceOptions(options), steady());
    assert.equal(subjects(changes), [ENV, STATE]);
    assert.equal(inWords(changes)[1], {
      subject: STATE,
      before: `running, with other ${name}\n`,
      after: "running\n",
      steps: ["systemctl restart weave.service", "await /status for 300 s"],
    });
    assert.match(changes[1]?.disruption ?? "", "interrupts traffic between hosts");
  }
});

test("a restart that an interrupted run did not make is found just from the running router", () => {
  const startedWith = new Map([...steady().startedWith, ["WEAVE_ARGS", "--no-dns"]]);
  assert.equal(subjects(plan(serviceOptions(), { ...steady(), startedWith }).changes), [STATE]);
});

test("a router that answers and is not a process of the unit is not restarted for its environment", () => {
  assert.equal(plan(serviceOptions(), { ...steady(), startedWith: null }).changes, []);
});

test("a new, another or no password restarts the router, and is never shown", () => {
  const [one, two] = ["correct horse", "battery staple"];
  const has = (password: string | null): ObservedService => {
    return steady(serviceOptions({ password }));
  };
  const cases = [
    { desired: one, observed: FRESH },
    { desired: one, observed: has(null) },
    { desired: one, observed: has(two) },
    { desired: null, observed: has(two) },
    { desired: one, observed: { ...has(two), environment: has(one).environment } },
    { desired: one, observed: { ...has(one), environment: has(two).environment } },
  ];
  for (const { desired, observed } of cases) {
    for (const state of ["started", "stopped", "absent"]) {
      const { changes, returns, warnings } = plan(serviceOptions({ password: desired, state }), observed);
      const shown = changes.map(({ subject, before, after, disruption }) => ({ subject, before, after, disruption }));
      assert.not.match(JSON.stringify([shown, returns, warnings]), /horse|staple/);
      for (const { subject, before, after } of changes) assert.is.not(before, after, subject);
    }
  }
  assert.equal(subjects(plan(serviceOptions({ password: one }), has(one)).changes), []);
  assert.equal(subjects(plan(serviceOptions({ password: one }), has(two)).changes), [ENV, STATE]);
  assert.equal(subjects(plan(serviceOptions({ password: null }), has(two)).changes), [ENV, STATE]);
  assert.match(plan(serviceOptions({ password: one }), has(two)).changes[1]?.before ?? "", "WEAVE_PASSWORD");
});

test("the password is in the file that only root can read, and in no command or request", () => {
  const { changes } = plan(serviceOptions({ password: "correct horse" }), FRESH);
  const carrying = changes
    .flatMap(({ actions }) => actions)
    .filter((action) => JSON.stringify(action).includes("horse"));
  assert.equal(
    carrying.map((action) => action.do === "write" && [action.path, action.mode]),
    [[ENV, 0o600]],
  );
});

test("another image than the script's restarts the router", () => {
  const [change] = plan(serviceOptions(), {
    ...steady(),
    container: { ...CONTAINER, image: "weaveworks/weave:2.8.0" },
  }).changes;
  assert.is(change?.before, "running, with the image weaveworks/weave:2.8.0, not 2.8.1\n");
});

test("the image is the script's: of its own version, or else of WEAVE_VERSION, before 1.2 of VERSION", () => {
  const tagOf = (version: string, env: Record<string, string>): string | null => {
    const script = readWeaveScript(`#!/bin/sh\nSCRIPT_VERSION="${version}"\n--no-restart\n`);
    return resolveDesired(serviceOptions({ env }), { ...FRESH, script }).tag;
  };
  const both = { VERSION: "1.0.2", WEAVE_VERSION: "2.7.0" };
  assert.equal([tagOf("2.8.1", both), tagOf("1.2.0", both), tagOf("1.1.2", both)], ["2.7.0", "2.7.0", "1.0.2"]);
  assert.equal([tagOf("2.8.1", { VERSION: "2.7.0" }), tagOf("1.1.2", { WEAVE_VERSION: "1.0.2" })], ["2.8.1", "1.1.2"]);
  assert.is(tagOf("2.8.1", { WEAVE_VERSION: "" }), "2.8.1");
});

const STARTED_BY_OTHERS: ObservedService = {
  ...FRESH,
  container: { ...CONTAINER, restartPolicy: "always" },
  router: { ...ROUTER, targets: ["192.168.50.12"] },
  control: DEFAULT_CONTROL,
};
const POLICY = "container weave: restart policy";

test("a matching router that something else has launched is adopted without a restart", () => {
  const changes = words(serviceOptions(), STARTED_BY_OTHERS).slice(3);
  assert.equal(
    changes.map(({ subject, steps }) => [subject, ...steps]),
    [
      [POLICY, "docker update --restart=no weave"],
      [STATE, "write /run/weave.adopt 0600", "systemctl start weave.service", "await /status for 300 s"],
      ["router: peers", "POST /connect peer=192.168.50.13"],
    ],
  );
  for (const { disruption } of plan(serviceOptions(), STARTED_BY_OTHERS).changes) assert.is(disruption, undefined);
});

test("one that does not match is launched again, with the reason, without secrets", () => {
  const cases = [
    [{ password: "horse" }, "it has another password"],
    [{ args: ["--trusted-subnets=192.168.50.0/24"] }, "it was launched without --trusted-subnets=192.168.50.0/24"],
    [{ env: { WEAVE_VERSION: "2.8.2" } }, "its image is weaveworks/weave:2.8.1, not 2.8.2"],
  ] as const;
  for (const [options, why] of cases) {
    const change = plan(serviceOptions(options), STARTED_BY_OTHERS).changes.at(-1);
    assert.match(change?.disruption ?? "", why);
    assert.not.match(JSON.stringify(inWords(change ? [change] : [])), "adopt");
  }
});

test("a router that something else has launched is stopped, not restarted by Docker, and removed", () => {
  assert.equal(
    words(serviceOptions({ state: "stopped" }), STARTED_BY_OTHERS).map(({ subject, steps }) => [subject, ...steps]),
    [
      [STATE, "docker stop weave"],
      [POLICY, "docker update --restart=no weave"],
    ],
  );
  assert.equal(subjects(plan(serviceOptions({ state: "absent" }), STARTED_BY_OTHERS).changes), [
    STATE,
    "container weave",
  ]);
  const stopped = {
    ...STARTED_BY_OTHERS,
    container: { ...CONTAINER, running: false, restartPolicy: "always" },
    router: null,
  };
  const [removal] = plan(serviceOptions({ state: "absent" }), stopped).changes;
  assert.is(removal?.disruption, "the container weave, which Docker would start again");
});

test.run();
