import { test } from "uvu";
import * as assert from "uvu/assert";
import type { ObservedService } from "../../../modules/weave_service/observed";
import { plan } from "../../../modules/weave_service/plan";
import { subjects } from "../support/changes";
import { userErrorOf } from "../support/user_error";
import { FRESH, ROUTER, serviceOptions, steady, words } from "./fixtures";

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

test.run();
