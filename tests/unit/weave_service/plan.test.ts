import { test } from "uvu";
import * as assert from "uvu/assert";
import { resolveDesired } from "../../../modules/weave_service/desired";
import { variablesOf } from "../../../modules/weave_service/environment";
import type { ObservedService } from "../../../modules/weave_service/observed";
import { plan } from "../../../modules/weave_service/plan";
import { DEFAULT_CONTROL } from "../../../modules/weave_service/router_api";
import { readWeaveScript, scriptOfVersion } from "../../../modules/weave_service/script";
import { inWords, subjects } from "../support/changes";
import { userErrorOf } from "../support/user_error";
import { CONTAINER, FRESH, ROUTER, serviceOptions, steady } from "./fixtures";

const ENV = "/etc/weave.env";
const UNIT = "/etc/systemd/system/weave.service";
const ENABLED = "weave.service: starts with";
const STATE = "weave.service: state";

const words = (options: ReturnType<typeof serviceOptions>, observed: ObservedService) =>
  inWords(plan(options, observed).changes);

test("on a fresh host files, start with Docker and the router are planned, in this order", () => {
  const changes = words(serviceOptions({ timeout: 300 }), FRESH);
  assert.equal(
    changes.map(({ subject, steps }) => ({ subject, steps })),
    [
      { subject: ENV, steps: [`write ${ENV} 0600`] },
      { subject: UNIT, steps: [`write ${UNIT} 0644`, "systemctl daemon-reload"] },
      { subject: ENABLED, steps: ["systemctl enable weave.service"] },
      { subject: STATE, steps: ["systemctl start weave.service", "await /status for 300 s"] },
    ],
  );
  assert.equal([changes[3]?.before, changes[3]?.after], ["stopped\n", "running\n"]);
});

test("on a host that matches nothing is planned", () => {
  assert.equal(plan(serviceOptions(), steady()).changes, []);
  assert.equal(
    plan(serviceOptions({ peers: ["192.168.50.13", "192.168.50.12", "192.168.50.13"] }), steady()).changes,
    [],
  );
});

test("state, unit, script version and router are reported", () => {
  assert.equal(plan(serviceOptions(), FRESH).returns, {
    state: "started",
    unit: "weave.service",
    script_version: "2.8.1",
    router: null,
    expose_pending: false,
  });
  assert.equal(plan(serviceOptions(), steady()).returns["router"], ROUTER);
});

test("this host itself among the peers, by address or name, makes no difference", () => {
  const all = ["192.168.50.12", "host1", "192.168.50.11", "192.168.50.13"];
  assert.equal(
    plan(serviceOptions({ component: "scope", peers: all }), FRESH),
    plan(serviceOptions({ component: "scope" }), FRESH),
  );
  for (const more of [{}, { state: "absent" }]) {
    for (const observed of [FRESH, steady(), { ...steady(), router: { ...ROUTER, targets: [] } }]) {
      assert.equal(plan(serviceOptions({ ...more, peers: all }), observed), plan(serviceOptions(more), observed));
    }
  }
  const old = { ...FRESH, script: scriptOfVersion("1.0.3") };
  const options = { mode: "proxy" };
  assert.equal(
    plan(serviceOptions({ ...options, peers: all }), { ...steady(serviceOptions(options), old), router: null }).changes,
    [],
  );
});

test("a router that has its own host as a target forgets it", () => {
  const targets = ["192.168.50.11", ...ROUTER.targets];
  const [change] = words(serviceOptions({ peers: targets }), { ...steady(), router: { ...ROUTER, targets } });
  assert.equal(change?.steps, ["POST /forget peer=192.168.50.11"]);
});

test("a new peer is added to the running router without a restart", () => {
  const options = serviceOptions({ peers: ["192.168.50.12", "192.168.50.13", "192.168.50.14"] });
  const { changes } = plan(options, steady());
  assert.equal(subjects(changes), [ENV, "router: peers"]);
  assert.equal(inWords(changes)[1], {
    subject: "router: peers",
    before: "192.168.50.12\n192.168.50.13\n",
    after: "192.168.50.12\n192.168.50.13\n192.168.50.14\n",
    steps: ["POST /connect peer=192.168.50.14"],
  });
  for (const change of changes) assert.is(change.disruption, undefined);
});

test("added and removed peers are sent in two requests", () => {
  const options = serviceOptions({ peers: ["192.168.50.14", "192.168.50.15"] });
  assert.equal(words(options, steady())[1]?.steps, [
    "POST /connect peer=192.168.50.14&peer=192.168.50.15",
    "POST /forget peer=192.168.50.12&peer=192.168.50.13",
  ]);
});

test("a peer that the running router has lost is one change", () => {
  assert.equal(words(serviceOptions(), { ...steady(), router: { ...ROUTER, targets: ["192.168.50.13"] } }), [
    {
      subject: "router: peers",
      before: "192.168.50.13\n",
      after: "192.168.50.12\n192.168.50.13\n",
      steps: ["POST /connect peer=192.168.50.12"],
    },
  ]);
});

const down = (state: ObservedService["unit"]["state"], observed: ObservedService = steady()): ObservedService => ({
  ...observed,
  unit: { ...observed.unit, state, pid: 0 },
  container: null,
  startedWith: null,
  startedBefore: false,
  router: null,
});

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

test("without Docker running, a container is not said to be removed; one that is only stopped is warned about", () => {
  const unseen = { ...down("stopped"), docker: "stopped" as const };
  assert.is(
    userErrorOf(() => plan(serviceOptions({ state: "absent" }), unseen)),
    "Docker: must run to show the container weave (found it stopped). Start it (systemctl start docker) and run again.",
  );
  const { warnings, changes } = plan(serviceOptions({ state: "stopped" }), unseen);
  assert.equal(subjects(changes), [ENABLED]);
  assert.match(String(warnings), "so that container may have a restart policy. Run again when Docker runs.");
  for (const docker of ["running", "not installed"] as const) {
    assert.ok(plan(serviceOptions({ state: "absent" }), { ...unseen, docker }).changes.length > 0);
    assert.equal(plan(serviceOptions({ state: "stopped" }), { ...unseen, docker }).warnings, []);
  }
  assert.equal(plan(serviceOptions(), unseen).warnings, []);
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

test("a WEAVE_HTTP_ADDR that is not honoured is rejected", () => {
  const rejected = (value: string, version = "2.8.1"): string =>
    userErrorOf(() =>
      plan(serviceOptions({ env: { WEAVE_HTTP_ADDR: value } }), { ...FRESH, script: scriptOfVersion(version) }),
    );
  for (const value of ["", ":6784", "6784", "localhost:6784", "/var/run/weave.sock", "127.0.0.1:99999"]) {
    assert.is(
      rejected(value),
      `env: WEAVE_HTTP_ADDR must be an IPv4 address and a port (found "${value}"). Write it as 127.0.0.1:6784.`,
    );
  }
  for (const version of ["1.0.3", "1.2.1", "1.4.6"]) {
    assert.match(
      rejected("127.0.0.1:7000", version),
      `needs the weave script 1.5 or newer on this host (found ${version}).`,
    );
  }
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

test("a peer may have a port; this host is left out with any", () => {
  const peers = ["192.168.50.12:6790", "host3:6791", "192.168.50.11:6792", "host1:6793", "host1"];
  const options = serviceOptions({ peers });
  const targets = ["192.168.50.12:6790", "host3:6791"];
  const observed = { ...steady(serviceOptions({ peers: targets })), router: { ...ROUTER, targets } };
  assert.equal(plan(options, observed).changes, []);
  assert.equal(words(options, { ...observed, router: { ...ROUTER, targets: ["192.168.50.12"] } })[0]?.steps, [
    "POST /connect peer=192.168.50.12%3A6790&peer=host3%3A6791",
    "POST /forget peer=192.168.50.12",
  ]);
});

test("a router that runs and does not answer is waited for", () => {
  const [change] = words(serviceOptions(), { ...steady(), router: null });
  assert.is(change?.before, "running, not answering\n");
  assert.is(change?.steps.at(-1), "await /status for 300 s");
});

test("a unit that does not start with Docker is enabled", () => {
  assert.equal(words(serviceOptions(), { ...steady(), unit: { ...steady().unit, startsWith: "nothing" } }), [
    { subject: ENABLED, before: "nothing\n", after: "Docker\n", steps: ["systemctl enable weave.service"] },
  ]);
});

test("a unit that starts with the system, as Apollo's did, is reenabled or disabled", () => {
  const observed: ObservedService = { ...steady(), unit: { ...steady().unit, startsWith: "something else" } };
  assert.equal(words(serviceOptions(), observed)[0]?.steps, ["systemctl reenable weave.service"]);
  assert.equal(words(serviceOptions({ state: "stopped" }), observed)[1]?.steps, ["systemctl disable weave.service"]);
});

test("a unit that was changed by hand is written and reloaded, the router keeps running", () => {
  const changes = words(serviceOptions(), {
    ...steady(),
    unit: { ...steady().unit, file: { content: "[Unit]\n", mode: 0o644 } },
  });
  assert.equal(changes[0]?.steps, [`write ${UNIT} 0644`, "systemctl daemon-reload"]);
  assert.is(changes.length, 1);
});

test("a unit that systemd has not read since it was written is loaded by one reload", () => {
  assert.equal(words(serviceOptions(), { ...steady(), unit: { ...steady().unit, needsReload: true } }), [
    {
      subject: "weave.service: loaded files",
      before: "outdated\n",
      after: "current\n",
      steps: ["systemctl daemon-reload"],
    },
  ]);
  const both = words(serviceOptions(), { ...steady(), unit: { ...steady().unit, needsReload: true, file: null } });
  assert.is(both.flatMap(({ steps }) => steps).filter((step) => step === "systemctl daemon-reload").length, 1);
});

test("the files' modes are corrected, the environment file's to root only", () => {
  const { unit, environment } = steady();
  const observed = {
    ...steady(),
    unit: { ...unit, file: { content: unit.file?.content ?? "", mode: 0o755 } },
    environment: { content: environment?.content ?? "", mode: 0o644 },
  };
  assert.equal(words(serviceOptions(), observed), [
    { subject: `${ENV}: mode`, before: "0644\n", after: "0600\n", steps: [`chmod ${ENV} 0600`] },
    { subject: `${UNIT}: mode`, before: "0755\n", after: "0644\n", steps: [`chmod ${UNIT} 0644`] },
  ]);
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

test("stopped: the router is stopped and no longer starts with Docker, its files stay", () => {
  const { changes } = plan(serviceOptions({ state: "stopped" }), steady());
  assert.equal(inWords(changes), [
    { subject: STATE, before: "running\n", after: "stopped\n", steps: ["systemctl stop weave.service"] },
    { subject: ENABLED, before: "Docker\n", after: "nothing\n", steps: ["systemctl disable weave.service"] },
  ]);
  assert.match(changes[0]?.disruption ?? "", "traffic between hosts ends");
  const disabled: ObservedService = { ...steady(), unit: { ...steady().unit, startsWith: "nothing" } };
  assert.equal(plan(serviceOptions({ state: "stopped" }), down("stopped", disabled)).changes, []);
  assert.equal(plan(serviceOptions({ state: "stopped" }), down("failed", disabled)).changes, []);
});

test("absent: stopped, disabled and its files removed, in this order; without any of them nothing is planned", () => {
  const changes = words(serviceOptions({ state: "absent" }), steady());
  assert.equal(
    changes.map(({ subject, steps }) => [subject, ...steps]),
    [
      [STATE, "systemctl stop weave.service"],
      [ENABLED, "systemctl disable weave.service"],
      ["container weave", "docker rm --force weave"],
      [UNIT, `remove ${UNIT}`, "systemctl daemon-reload"],
      [ENV, `remove ${ENV}`],
    ],
  );
  assert.equal(plan(serviceOptions({ state: "absent" }), FRESH).changes, []);
});

test("restarted: once a run, and not if this run has started it", () => {
  const [change] = plan(serviceOptions({ state: "restarted" }), steady()).changes;
  assert.is(change?.before, "running, started before this run\n");
  assert.equal(plan(serviceOptions({ state: "restarted" }), { ...steady(), startedBefore: false }).changes, []);
});

test("enabled: files and start with Docker, and nothing is started or stopped", () => {
  const options = serviceOptions({ state: "enabled" });
  assert.equal(subjects(plan(options, FRESH).changes), [ENV, UNIT, ENABLED]);
  assert.equal(plan(options, down("stopped")).changes, []);
});

test("another image than the script's restarts the router", () => {
  const [change] = plan(serviceOptions(), {
    ...steady(),
    container: { ...CONTAINER, image: "weaveworks/weave:2.8.0" },
  }).changes;
  assert.is(change?.before, "running, with the image weaveworks/weave:2.8.0, not 2.8.1\n");
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

test("a unit that something else wrote, such as Apollo's role, is replaced under the running router", () => {
  const apollos = {
    ...steady(),
    startedWith: new Map([["WEAVE_VERSION", "2.8.1"]]),
    unit: { ...steady().unit, file: null },
  };
  assert.equal(subjects(plan(serviceOptions(), apollos).changes), [UNIT]);
});

test("a router that something else has launched is stopped, not restarted by Docker, and removed", () => {
  assert.equal(
    words(serviceOptions({ state: "stopped" }), STARTED_BY_OTHERS).map(({ subject, steps }) => [subject, ...steps]),
    [
      [STATE, "docker stop weave"],
      [POLICY, "docker update --restart=no weave"],
    ],
  );
  assert.equal(subjects(plan(serviceOptions({ state: "absent" }), STARTED_BY_OTHERS).changes), [STATE, "container weave"]);
  const stopped = { ...STARTED_BY_OTHERS, container: { ...CONTAINER, running: false, restartPolicy: "always" }, router: null };
  const [removal] = plan(serviceOptions({ state: "absent" }), stopped).changes;
  assert.is(removal?.disruption, "the container weave, which Docker would start again");
});

test("TX checksum offload is turned off only on the port; without ethtool the router is rejected", () => {
  const [change] = words(serviceOptions(), { ...steady(), offloadingPorts: ["vethwe-bridge"] });
  assert.equal(change?.steps, ["ethtool -K vethwe-bridge tx off"]);
  assert.match(
    userErrorOf(() => plan(serviceOptions(), { ...FRESH, offloadingPorts: null })),
    "mode: bridge needs ethtool on this host",
  );
  assert.ok(plan(serviceOptions({ mode: "proxy" }), { ...FRESH, offloadingPorts: null }).changes.length > 0);
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

test("a router that allocates no addresses can't expose the host", () => {
  const options = serviceOptions({ mode: "proxy", expose: true, args: ["--ipalloc-range="] });
  assert.is(
    userErrorOf(() => plan(options, FRESH)),
    "expose: needs a router that allocates addresses (found --ipalloc-range= in args). Turn it off, or name a range.",
  );
  assert.ok(plan({ ...options, expose: false }, FRESH));
});

test("the host is exposed on request, without a restart", () => {
  const options = serviceOptions({ mode: "proxy", expose: true });
  const observed = steady(options);
  assert.equal(words(options, observed), [
    {
      subject: "router: exposed",
      before: "no\n",
      after: "yes, once enough peers are up\n",
      steps: ["systemctl start weave-expose.service"],
    },
  ]);
  assert.equal(plan(options, { ...observed, exposed: true }).changes, []);
  const withoutFile = { ...observed, exposed: true, exposeUnit: FRESH.exposeUnit };
  assert.equal(subjects(plan(options, withoutFile).changes), ["/etc/systemd/system/weave-expose.service"]);
  assert.equal(words(serviceOptions({ mode: "proxy" }), waiting(observed))[0]?.steps, [
    "systemctl stop weave-expose.service",
    "remove /etc/systemd/system/weave-expose.service",
    "systemctl daemon-reload",
  ]);
  assert.match(
    userErrorOf(() => plan(serviceOptions({ expose: true }), FRESH)),
    /^expose: must be off with mode: bridge/,
  );
});

const waiting = (observed: ObservedService): ObservedService => ({
  ...observed,
  exposeUnit: observed.exposeUnit && { ...observed.exposeUnit, state: "running" },
});

test("an address that waits for peers is no change, and is reported as pending with their number", () => {
  const options = serviceOptions({ mode: "proxy", expose: true });
  const observed = waiting(steady(options));
  for (const [peers, found] of [
    [["a"], 1],
    [["a", "b"], 2],
  ] as const) {
    const { changes, returns, warnings } = plan(options, { ...observed, router: { ...ROUTER, peers } });
    assert.equal([changes, returns["expose_pending"]], [[], true]);
    assert.equal(warnings, [
      `expose: host1 gets its address on the network when 2 of 3 routers are up (found ${found}). Start the other hosts' routers; ` +
        "weave-expose.service waits for them.",
    ]);
  }
  const { returns, warnings } = plan(options, { ...observed, exposed: true });
  assert.equal([returns["expose_pending"], warnings], [false, []]);
});

test("iptables accepts the frames of the router's own bridge, and of no other", () => {
  const options = serviceOptions({ mode: "plugin" });
  const accepted = {
    subject: "bridge weave: frames between its ports",
    before: "subject to iptables\n",
    after: "accepted by iptables\n",
    steps: ["iptables -w -I FORWARD -i weave -o weave -m comment --comment weave_service -j ACCEPT"],
  };
  assert.equal(words(options, { ...steady(options), forwardRuleCount: 0 }), [accepted]);
  assert.equal(plan(options, { ...steady(options), forwardRuleCount: null }).changes, [], "a host without iptables");
  const ended = words(serviceOptions({ state: "absent" }), { ...FRESH, forwardRuleCount: 1 });
  assert.equal(ended[0]?.steps, [
    "iptables -w -D FORWARD -i weave -o weave -m comment --comment weave_service -j ACCEPT",
  ]);
});

test("a kernel without the fast datapath is a warning before the launch", () => {
  const observed = { ...FRESH, noFastDatapath: "a kernel that loads no modules" };
  assert.match(
    String(plan(serviceOptions({ mode: "proxy" }), observed).warnings),
    /^mode: proxy uses the fast datapath, which needs the kernel module openvswitch \(found a kernel that loads no modules\)/,
  );
});

test("up to Weave 1.1 routers do not report their targets, so other peers restart them", () => {
  const host = { ...FRESH, script: scriptOfVersion("1.0.3") };
  const options = serviceOptions({ mode: "proxy" });
  const observed = { ...steady(options, host), router: null };
  assert.equal(plan(options, observed).changes, []);
  const [, change] = plan(serviceOptions({ mode: "proxy", peers: ["a"] }), observed).changes;
  assert.is(change?.before, "running, with other WEAVE_PEERS\n");
});

test("on upstart the same is done with its own commands", () => {
  const host = { ...FRESH, init: "upstart" as const, script: scriptOfVersion("1.9.8") };
  assert.equal(
    words(serviceOptions(), host).map(({ subject, steps }) => [subject, ...steps]),
    [
      [ENV, `write ${ENV} 0600`],
      ["/etc/init/weave.conf", "write /etc/init/weave.conf 0644", "initctl reload-configuration"],
      ["weave: starts with", "remove /etc/init/weave.override", "initctl reload-configuration"],
      ["weave: state", "initctl start weave", "await /status for 300 s"],
    ],
  );
  const observed = steady(serviceOptions(), host);
  assert.equal(plan(serviceOptions(), observed).changes, []);
  assert.equal(words(serviceOptions(), down("starting", observed))[0]?.steps, ["await /status for 300 s"]);
  assert.equal(words(serviceOptions({ mtu: 1400 }), observed)[1]?.steps, [
    "initctl stop weave",
    "initctl start weave",
    "await /status for 300 s",
  ]);
  assert.equal(words(serviceOptions({ state: "stopped" }), observed)[1]?.steps, [
    "write /etc/init/weave.override 0644",
    "initctl reload-configuration",
  ]);
});

test("a container of the same name and another image is rejected, and not changed", () => {
  const having = (image: string): ObservedService => ({ ...FRESH, container: { ...CONTAINER, image } });
  for (const image of ["nginx", "nginx:1.27", "example.com:5000/weave/web", "weaveworks/weavedb:latest"]) {
    for (const state of ["started", "stopped", "absent"]) {
      assert.match(
        userErrorOf(() => plan(serviceOptions({ state }), having(image))),
        `component: the container weave must have the image weave (found ${image}). Rename or remove`,
      );
    }
  }
  for (const image of [
    "weave",
    "example.com:5000/rajchaudhuri/weave:2.9.0",
    "weaveworks/weave@sha256:0a",
    "sha256:0a1b",
  ]) {
    assert.ok(plan(serviceOptions({ state: "absent" }), having(image)).changes.length > 0, image);
  }
});

test("arguments that contradict other options are rejected", () => {
  const rejected = (options: Record<string, unknown>): string =>
    userErrorOf(() => plan(serviceOptions(options), FRESH));
  assert.match(
    rejected({ args: ["--name=0e:00:00:00:00:01"] }),
    /^args: must not have --name with mode: bridge, .* \(found --name=.*\)\. Remove it, and set the bridge's mac\.$/,
  );
  assert.match(rejected({ args: ["--no-dns"], dns: true }), /^args: must not have --no-dns with dns /);
  assert.match(
    rejected({ dns: true }),
    /^dns: must be off with mode: bridge, .* Remove dns, or set mode: proxy or plugin\.$/,
  );
  assert.match(rejected({ env: { WEAVE_NO_FASTDP: "1" } }), /^env: must not have WEAVE_NO_FASTDP with mode: bridge/);
});

test("a component that the script's version can't run is rejected", () => {
  assert.match(
    userErrorOf(() => plan(serviceOptions({ component: "proxy" }), FRESH)),
    /^component: the proxy runs within the router since Weave 2\.0 /,
  );
  assert.match(
    userErrorOf(() => plan(serviceOptions({ component: "plugin" }), { ...FRESH, script: scriptOfVersion("1.0.3") })),
    /^component: the plugin needs the weave script 1\.4 or newer /,
  );
  assert.match(
    userErrorOf(() =>
      plan(serviceOptions({ dns: true, mode: "proxy" }), { ...FRESH, script: scriptOfVersion("1.0.3") }),
    ),
    /^dns: /,
  );
});

test("a password in a unit that something else wrote is not shown", () => {
  const unit = {
    ...FRESH.unit,
    file: { content: "ExecStart=/mnt/weave launch --password 'hush hush'\n", mode: 0o644 },
  };
  const { changes } = plan(serviceOptions(), { ...FRESH, unit });
  assert.not.match(JSON.stringify(changes.map(({ before, after }) => [before, after])), "hush");
});

test("what Apollo's second file sets and the service does not have is warned of by its name, never by its value", () => {
  const path = "/etc/weave.host1.env";
  const warnings = (content: string, options: object = {}): readonly string[] | undefined =>
    plan(serviceOptions({ peers: ["192.168.50.12", "192.168.50.13"], ...options }), {
      ...FRESH,
      formerEnvironment: { path, variables: variablesOf(content) },
    }).warnings;
  const text =
    '# Apollo\nWEAVE_PEERS="192.168.50.13 192.168.50.12"\nWEAVE_PASSWORD="hush-hush"\nWEAVE_DEBUG=1\n#WEAVE_X=1\n';
  const found = (names: string, options: string): string =>
    `env: ${path}, which Apollo's service read, is not read any more (found ${names} in it with other values than the service ` +
    `has). Move what you need into ${options}, and delete the file.`;
  assert.equal(warnings(text), [found("WEAVE_PASSWORD, WEAVE_DEBUG", "I(password), I(env)")]);
  assert.equal(warnings(text, { password: "other" }), [found("WEAVE_PASSWORD, WEAVE_DEBUG", "I(password), I(env)")]);
  assert.equal(warnings(text, { password: "hush-hush", env: { WEAVE_DEBUG: "1" } }), []);
  assert.equal(warnings("WEAVE_PEERS=192.168.50.12\n"), [found("WEAVE_PEERS", "I(peers)")]);
  assert.equal(warnings(""), []);
});

test.run();
