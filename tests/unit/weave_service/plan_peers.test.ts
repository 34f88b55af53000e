import { test } from "uvu";
import * as assert from "uvu/assert";
import { plan } from "../../../modules/weave_service/plan";
import { scriptOfVersion } from "../../../modules/weave_service/script";
import { inWords, subjects } from "../support/changes";
import { ENV, FRESH, ROUTER, serviceOptions, steady, words } from "./fixtures";

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

test("up to Weave 1.1 routers do not report their targets, so other peers restart them", () => {
  const host = { ...FRESH, script: scriptOfVersion("1.0.3") };
  const options = serviceOptions({ mode: "proxy" });
  const observed = { ...steady(options, host), router: null };
  assert.equal(plan(options, observed).changes, []);
  const [, change] = plan(serviceOptions({ mode: "proxy", peers: ["a"] }), observed).changes;
  assert.is(change?.before, "running, with other WEAVE_PEERS\n");
});

test.run();
