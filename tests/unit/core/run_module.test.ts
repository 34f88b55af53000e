import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Action } from "../../../modules/core/change";
import { UserError } from "../../../modules/core/errors";
import { type Result, type RunMode, runModule } from "../../../modules/core/run_module";
import { fakeHost } from "../support/fake_host/fake_host";
import { applyTo, CHECK, dark, difference, given, host, type Lamp, lampModule, RUN } from "../support/lamp";

test("a run makes the changes in order, and reports them", async () => {
  const lamp = dark();
  const made: string[] = [];
  const result = await runModule(lampModule(lamp), given, RUN, host, applyTo(lamp, made));
  assert.equal(made, ["level", "color"]);
  assert.equal(lamp, { level: 5, color: "red", bulb: "new" });
  assert.equal(result, {
    changed: true,
    level: 5,
    was_lit: true,
    changes: ["level", "color"],
    disruptions: ["the light"],
    diff: [
      { before_header: "level", after_header: "level", before: "0", after: "5" },
      { before_header: "color", after_header: "color", before: "white", after: "red" },
    ],
  });
});

test("a check changes nothing and predicts the run's changes, diff and disruptions", async () => {
  const lamp = dark();
  const made: string[] = [];
  const predicted = await runModule(lampModule(lamp), given, CHECK, host, applyTo(lamp, made));
  assert.equal(made, []);
  assert.equal(lamp, dark());
  const done = await runModule(lampModule(lamp), given, RUN, host, applyTo(lamp, made));
  const promise = ({ changed, diff, disruptions }: Result) => ({ changed, diff, disruptions });
  assert.is(predicted.changed, true);
  assert.equal(promise(predicted), promise(done));
});

test("a check makes what only validates, and fails as the run would", async () => {
  const validate: Action = { do: "validate", content: "", argv: ["lamp", "%s"], inCheck: true };
  const write: Action = { do: "remove", path: "/lamp" };
  const module = lampModule(dark(), {
    plan: () => ({
      changes: [
        { subject: "level", before: "0", after: "5", actions: [validate, write] },
        { subject: "color", before: "", after: "", actions: [{ ...validate, inCheck: false }] },
      ],
      returns: {},
    }),
  });
  const made: unknown[] = [];
  const result = await runModule(module, given, CHECK, host, async ({ actions }) => void made.push(...actions));
  assert.equal([result.changed, made], [true, [validate]]);
  const failed = await runModule(module, given, CHECK, host, async () => {
    throw new UserError("level: not valid. Correct it.");
  });
  assert.equal([failed.failed, failed.msg], [true, "level: not valid. Correct it."]);
});

test("a pending change is reported with what makes it, as long as it is not made", async () => {
  const lamp = { ...dark(), level: 5, color: "red", bulb: "old" };
  for (const mode of [CHECK, RUN]) {
    const { changed, changes, pending } = await runModule(lampModule(lamp), given, mode, host, applyTo(lamp));
    assert.equal([changed, changes, pending], [true, ["bulb"], ["a person"]]);
  }
});

test("a second run, and a check after a run, change nothing", async () => {
  const lamp = dark();
  await runModule(lampModule(lamp), given, RUN, host, applyTo(lamp));
  for (const mode of [RUN, CHECK]) {
    const made: string[] = [];
    const result = await runModule(lampModule(lamp), given, mode, host, applyTo(lamp, made));
    assert.equal(made, []);
    assert.equal(result, { changed: false, level: 5, was_lit: true, diff: [] });
  }
});

test("with nothing to do, the host is observed once", async () => {
  const lamp: Lamp = { level: 5, color: "red", bulb: "new" };
  let looks = 0;
  const module = lampModule(lamp, {
    observe: () => {
      looks++;
      return { ...lamp };
    },
  });
  await runModule(module, given, RUN, host, applyTo(lamp));
  assert.is(looks, 1);
  lamp.level = 1;
  await runModule(module, given, RUN, host, applyTo(lamp));
  assert.is(looks, 4, "and once more alone with it, and after changes");
});

test("the diff is reported only if requested", async () => {
  const result = await runModule(lampModule(dark()), given, { check: true, diff: false }, host, applyTo(dark()));
  assert.is(result.changed, true);
  assert.not.ok("diff" in result);
});

test("a pending change counts and is in the diff, but the module does not make it", async () => {
  const lamp: Lamp = { level: 5, color: "red", bulb: "old" };
  const made: string[] = [];
  for (const mode of [CHECK, RUN]) {
    const result = await runModule(lampModule(lamp), given, mode, host, applyTo(lamp, made));
    assert.is(result.failed, undefined);
    assert.is(result.changed, true);
    assert.equal(result.diff, [{ before_header: "bulb", after_header: "bulb", before: "old", after: "new" }]);
  }
  assert.equal(made, []);
  assert.is(lamp.bulb, "old");
});

test("a change that is still pending after the others is not a failure", async () => {
  const lamp: Lamp = { level: 0, color: "red", bulb: "old" };
  const result = await runModule(lampModule(lamp), given, RUN, host, applyTo(lamp));
  assert.is(result.failed, undefined);
  assert.equal(
    result.diff?.map(({ before_header }) => before_header),
    ["level", "bulb"],
  );
});

test("an asynchronous observation is awaited", async () => {
  const lamp = dark();
  const module = lampModule(lamp, { observe: async () => ({ ...lamp }) });
  const result = await runModule(module, given, RUN, host, applyTo(lamp));
  assert.is(result.changed, true);
  assert.is(lamp.level, 5);
});

test("changes are planned and made under the lock; a check, or a run with nothing to do, does not lock", async () => {
  const lamp = dark();
  const events: string[] = [];
  const module = lampModule(lamp, {
    observe: () => {
      events.push("look");
      return { ...lamp };
    },
  });
  const alone = async <T>(work: () => Promise<T>): Promise<T> => {
    events.push("begin");
    const result = await work();
    events.push("end");
    return result;
  };
  await runModule(module, given, CHECK, host, applyTo(lamp, events), alone);
  assert.equal(events, ["look"]);
  await runModule(module, given, RUN, host, applyTo(lamp, events), alone);
  assert.equal(events.splice(0), ["look", "look", "begin", "look", "level", "color", "look", "end"]);
  await runModule(module, given, RUN, host, applyTo(lamp, events), alone);
  assert.equal(events, ["look"]);
});

test("warnings are reported if there are any", async () => {
  const warned = lampModule(dark(), { plan: () => ({ changes: [], returns: {}, warnings: ["dusty"] }) });
  assert.equal((await runModule(warned, given, RUN, host, applyTo(dark()))).warnings, ["dusty"]);
  const silent = lampModule(dark(), { plan: () => ({ changes: [], returns: {}, warnings: [] }) });
  assert.not.ok("warnings" in (await runModule(silent, given, RUN, host, applyTo(dark()))));
});

test("a file's bytes are shown as the UTF-8 text that they are", async () => {
  const bytes = Buffer.from("Gerät €\n").toString("latin1");
  const module = lampModule(dark(), { plan: () => ({ changes: difference("file", bytes, "ASCII\n"), returns: {} }) });
  const result = await runModule(module, given, CHECK, host, applyTo(dark()));
  assert.is(result.diff?.[0]?.before, "Gerät €\n");
});

test("only the observation under the lock, or of a check, waits for what is starting", async () => {
  const lamp = dark();
  const asked: string[] = [];
  const module = lampModule(lamp, {
    observe: (_, __, ifInTransition) => {
      asked.push(ifInTransition);
      return { ...lamp };
    },
  });
  await runModule(module, given, CHECK, host, applyTo(lamp));
  assert.equal(asked.splice(0), ["wait"]);
  await runModule(module, given, RUN, host, applyTo(lamp));
  assert.equal(asked, ["fail", "wait", "wait"]);
});

test("a diff is shortened as the module says, unless all of it is asked for", async () => {
  const lamp = { level: 0, color: "white", bulb: "new" };
  const module = lampModule(lamp, { shorten: (text, other) => `${text}, not ${other}` });
  const diffOf = async (mode: RunMode): Promise<unknown> => {
    const args = new Map([["level", 5]]);
    const { diff } = await runModule(module, args, mode, fakeHost({}), applyTo(lamp));
    return diff?.map(({ before, after }) => [before, after]);
  };
  assert.equal(await diffOf({ check: true, diff: true }), [["0, not 5", "5, not 0"]]);
  assert.equal(await diffOf({ check: true, diff: true, full: true }), [["0", "5"]]);
});

test.run();
