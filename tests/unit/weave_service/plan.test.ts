import { test } from "uvu";
import * as assert from "uvu/assert";
import { variablesOf } from "../../../modules/weave_service/environment";
import type { ObservedService } from "../../../modules/weave_service/observed";
import { plan } from "../../../modules/weave_service/plan";
import { scriptOfVersion } from "../../../modules/weave_service/script";
import { inWords, subjects } from "../support/changes";
import { userErrorOf } from "../support/user_error";
import { down, ENABLED, ENV, FRESH, ROUTER, STATE, serviceOptions, steady, UNIT, words } from "./fixtures";

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

test("a unit that does not start with Docker is enabled", () => {
  assert.equal(words(serviceOptions(), { ...steady(), unit: { ...steady().unit, startedBy: "nothing" } }), [
    { subject: ENABLED, before: "nothing\n", after: "Docker\n", steps: ["systemctl enable weave.service"] },
  ]);
});

test("a unit that starts with the system, as Apollo's did, is reenabled or disabled", () => {
  const observed: ObservedService = { ...steady(), unit: { ...steady().unit, startedBy: "something else" } };
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

test("stopped: the router is stopped and no longer starts with Docker, its files stay", () => {
  const { changes } = plan(serviceOptions({ state: "stopped" }), steady());
  assert.equal(inWords(changes), [
    { subject: STATE, before: "running\n", after: "stopped\n", steps: ["systemctl stop weave.service"] },
    { subject: ENABLED, before: "Docker\n", after: "nothing\n", steps: ["systemctl disable weave.service"] },
  ]);
  assert.match(changes[0]?.disruption ?? "", "traffic between hosts ends");
  const disabled: ObservedService = { ...steady(), unit: { ...steady().unit, startedBy: "nothing" } };
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

test("a unit that something else wrote, such as Apollo's role, is replaced under the running router", () => {
  const apollos = {
    ...steady(),
    startedWith: new Map([["WEAVE_VERSION", "2.8.1"]]),
    unit: { ...steady().unit, file: null },
  };
  assert.equal(subjects(plan(serviceOptions(), apollos).changes), [UNIT]);
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

test("on upstart the same is done with its own commands", () => {
  const host = { ...FRESH, init: "upstart" as const, script: scriptOfVersion("1.9.8") };
  assert.equal(
    words(serviceOptions(), host).map(({ subject, steps }) => [subject, ...steps]),
    [
      [ENV, `write ${ENV} 0600`],
      ["/etc/init/weave.conf", "write /etc/init/weave.conf 0644", "initctl reload-configuration"],
      ["weave: started by", "remove /etc/init/weave.override", "initctl reload-configuration"],
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
