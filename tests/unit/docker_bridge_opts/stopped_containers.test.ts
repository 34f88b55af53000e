import { test } from "uvu";
import * as assert from "uvu/assert";
import type { ObservedDocker } from "../../../modules/docker_bridge_opts/observed";
import { plan } from "../../../modules/docker_bridge_opts/plan";
import { parseSavedConfiguration } from "../../../modules/docker_bridge_opts/restart/rollback";
import { inWords, subjects } from "../support/changes";
import { STEADY, savedOf, usual } from "./fixtures";
import { AS_IT_RAN, containers, DAEMON, FORGET, RESTART, SAVE, START, tries, with_ } from "./restarts";

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
const LIVE = with_({ containers: containers(2), liveRestore: true, defaultNetwork: NETWORK });

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
  const observed = with_({ containers: [removed, paused], liveRestore: true, defaultNetwork: NETWORK });
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
  const same = said({ ...STEADY, saved: savedOf(DAEMON, { stopped }) });
  assert.is(same?.before, "stopped: weave, web0\n");
  assert.equal(same?.steps, [`start weave web0 within 60 s; otherwise ${SAVE}`, SAVE]);
  const restarted = said({ ...STEADY, saved: savedOf(DAEMON, { daemon: "boot 700 400", stopped }) });
  assert.equal(restarted?.steps, [`start web0 within 60 s; otherwise ${FORGET}`, FORGET]);
  const handler = said(
    { ...LIVE, saved: savedOf(DAEMON, { stopped: [{ ...containers(1)[1], id: "c9", name: "db" } as never] }) },
    RESTART,
  );
  assert.is(handler?.steps.at(-2), "start web0 web1 db within 60 s; otherwise ");
  const since = said({ ...with_({ startedAt: 901 }), saved: savedOf(DAEMON, { stopped }) }, RESTART);
  assert.is(since?.before, "stopped: weave, web0\n");
});

test("of these, running ones are not started: before the restart they stay saved, after it they are forgotten", () => {
  const stopped = containers(2);
  const running = with_({ containers: stopped.slice(0, 2) });
  const said = (observed: ObservedDocker) => plan(usual(), observed).changes;
  const [change] = said({ ...running, saved: savedOf(DAEMON, { stopped }) });
  assert.is(change?.before, "stopped: web1\n");
  const save = change?.actions.at(-1);
  assert.equal(
    parseSavedConfiguration({ content: save?.do === "write" ? save.content : "", mode: 0o600 })?.stopped,
    stopped.slice(0, 2),
  );
  assert.equal(said({ ...running, saved: savedOf(DAEMON, { stopped: stopped.slice(0, 2) }) }), []);

  const earlier = { daemon: "boot 700 400", stopped: stopped.slice(0, 2) };
  const [since] = inWords(said({ ...running, saved: savedOf(DAEMON, earlier) }));
  assert.equal([since?.before, since?.steps], ["started since: web0\n", [FORGET]]);
});

test.run();
