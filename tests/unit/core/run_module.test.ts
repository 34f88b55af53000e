import { test } from "uvu";
import * as assert from "uvu/assert";
import { type Action, type Change, runAction } from "../../../modules/core/change";
import { UserError } from "../../../modules/core/errors";
import type { Module } from "../../../modules/core/module";
import { int, str } from "../../../modules/core/options";
import { type Result, type RunMode, runModule } from "../../../modules/core/run_module";
import { fakeHost } from "../support/fake_host/fake_host";

/** A lamp whose level and color the module sets. Changing its bulb is pending. */
interface Lamp {
  level: number;
  color: string;
  bulb: string;
}

const options = {
  level: int({ description: "" }, 0, 10),
  color: str({ description: "", default: "white" }),
};

/** The module observes and changes `lamp`; tests replace parts of it. */
function lampModule(lamp: Lamp, changes: Partial<Module<typeof options, Lamp>> = {}): Module<typeof options, Lamp> {
  return {
    name: "lamp",
    options,
    observe: () => ({ ...lamp }),
    plan: ({ level, color }, found) => ({
      changes: [
        ...difference("level", String(found.level), String(level)),
        ...difference("color", found.color, color, { disruption: "the light" }),
        ...difference("bulb", found.bulb, "new", { actions: [], pending: "a person" }),
      ],
      returns: { level, was_lit: found.level > 0 },
    }),
    ...changes,
  };
}

function difference(subject: string, before: string, after: string, more: Partial<Change> = {}): Change[] {
  return before === after ? [] : [{ subject, before, after, actions: [runAction(["set", subject, after])], ...more }];
}

/** Makes a change on the lamp and records it. */
function applyTo(lamp: Lamp, made: string[] = []) {
  return async ({ subject, after }: Change): Promise<void> => {
    made.push(subject);
    if (subject === "level") lamp.level = Number(after);
    if (subject === "color") lamp.color = after;
    if (subject === "bulb") lamp.bulb = after;
  };
}

const CHECK: RunMode = { check: true, diff: true };
const RUN: RunMode = { check: false, diff: true };
const host = fakeHost({});
const given = new Map<string, unknown>([
  ["level", 5],
  ["color", "red"],
]);
const dark = (): Lamp => ({ level: 0, color: "white", bulb: "new" });

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

test("a difference left after all changes is a failure that names it", async () => {
  const lamp = dark();
  const stubborn = async ({ subject, after }: Change): Promise<void> => {
    if (subject === "color") lamp.color = after;
  };
  const result = await runModule(lampModule(lamp), given, RUN, host, stubborn);
  assert.is(result.failed, true);
  assert.is(result.changed, true, "the changes were made, as far as is known");
  assert.match(result.msg ?? "", 'level is "0", not "5"');
  assert.not.match(result.msg ?? "", "color is");
  assert.match(result.msg ?? "", "Run again with --diff");
});

test("an empty state is reported as absent", async () => {
  const result = await runModule(
    lampModule(dark(), {
      plan: () => ({ changes: difference("file", "", "text\n"), returns: {} }),
    }),
    given,
    RUN,
    host,
    async () => undefined,
  );
  assert.match(result.msg ?? "", 'file is "absent", not "text"');
});

test("a failed change fails the run, which reports the changes made before it", async () => {
  const lamp = dark();
  const apply = async (change: Change): Promise<void> => {
    if (change.subject === "color") throw new UserError("color: paint is out; buy some");
    await applyTo(lamp)(change);
  };
  const result = await runModule(lampModule(lamp), given, RUN, host, apply);
  assert.equal(result, {
    failed: true,
    msg: "color: paint is out; buy some.",
    changed: true,
    changes: ["level"],
    diff: [{ before_header: "level", after_header: "level", before: "0", after: "5" }],
  });
});

test("the next run finishes what a failed one began", async () => {
  const lamp = dark();
  const broken = async (change: Change): Promise<void> => {
    if (change.subject === "color") throw new UserError("no paint");
    await applyTo(lamp)(change);
  };
  await runModule(lampModule(lamp), given, RUN, host, broken);
  const made: string[] = [];
  const result = await runModule(lampModule(lamp), given, RUN, host, applyTo(lamp, made));
  assert.equal(made, ["color"]);
  assert.is(result.failed, undefined);
});

test("a failure of the first change reports no change", async () => {
  const result = await runModule(lampModule(dark()), given, RUN, host, async () => {
    throw new UserError("no power");
  });
  assert.is(result.failed, true);
  assert.is(result.changed, false);
  assert.equal(result.diff, []);
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

test("a UserError of options, observe or plan fails the run with its message, and nothing is changed", async () => {
  const fail = (): never => {
    throw new UserError("the lamp is on fire; leave the room");
  };
  const fails = [
    {
      module: lampModule(dark()),
      args: new Map([["levle", 1]]),
      msg: "Unsupported parameters for (lamp) module: levle",
    },
    { module: lampModule(dark(), { observe: fail }), args: given, msg: "the lamp is on fire" },
    { module: lampModule(dark(), { plan: fail }), args: given, msg: "the lamp is on fire" },
  ];
  for (const { module, args, msg } of fails) {
    for (const mode of [RUN, CHECK]) {
      const result = await runModule(module, args, mode, host, async () => assert.unreachable("something was made"));
      assert.is(result.failed, true);
      assert.is(result.changed, false);
      assert.match(result.msg ?? "", msg);
      assert.not.ok("exception" in result);
    }
  }
});

test("an unexpected error is reported as a bug of the module, with its stack", async () => {
  const module = lampModule(dark(), {
    plan: () => {
      throw new TypeError("x is not a function");
    },
  });
  const result = await runModule(module, given, RUN, host, applyTo(dark()));
  assert.is(result.failed, true);
  assert.match(result.msg ?? "", "lamp failed unexpectedly: x is not a function");
  assert.match(result.msg ?? "", "Report this with");
  assert.match(String(result["exception"]), "run_module.test.ts");
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

test("a run that can't get the lock fails and changes nothing", async () => {
  const lamp = dark();
  const busy = (): never => {
    throw new UserError("another run is in progress");
  };
  const result = await runModule(lampModule(lamp), given, RUN, host, applyTo(lamp), busy);
  assert.equal(result, { failed: true, msg: "another run is in progress.", changed: false, diff: [] });
  assert.equal(lamp, dark());
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

test("a message that quotes a file's bytes among other text shows their characters", async () => {
  const bytes = Buffer.from("“--label”").toString("latin1");
  const fail = async (): Promise<void> => Promise.reject(new UserError(`“found”: ${bytes} \xe9 \xc2\x9b. Correct it.`));
  const { msg } = await runModule(lampModule({ level: 0, color: "white", bulb: "new" }), given, RUN, host, fail);
  assert.is(msg, "“found”: “--label” \xe9 \\x9b. Correct it.");
});

test("a secret that a failed program prints is not reported", async () => {
  const module = {
    ...lampModule({ level: 0, color: "white", bulb: "new" }),
    options: { ...options, key: str({ description: "", secret: true }) },
  };
  const fail = (error: Error) => async (): Promise<void> => Promise.reject(error);
  for (const error of [new UserError("said: hush, hush"), new TypeError("hush")]) {
    const result = await runModule(module, new Map([...given, ["key", "hush"]]), RUN, host, fail(error));
    assert.match(result.msg ?? "", "********");
    assert.not.match(JSON.stringify(result), "hush");
  }
});

test("a run fails as soon as its process does, with the changes made so far", async () => {
  const lamp = dark();
  let fail: (error: Error) => void = () => undefined;
  const failure = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const apply = async (change: Change): Promise<void> => {
    if (change.subject === "level") return applyTo(lamp)(change);
    fail(new Error("out of order"));
    await new Promise(() => undefined);
  };
  const { failed, msg, changes } = await runModule(lampModule(lamp), given, RUN, host, apply, undefined, failure);
  assert.equal([failed, changes], [true, ["level"]]);
  assert.is(msg, "lamp failed unexpectedly: out of order. Report this with the output of -vvv.");
});

test("control characters that a service or program sent are shown, not sent to the terminal", async () => {
  const evil = "\x1b]0;owned\x07 a\rb\b\0 \u009b31m \u202eab\nnext\tline \x7f";
  const { msg } = await runModule(lampModule(dark()), given, RUN, host, async () => {
    throw new UserError(`answered ${evil}`);
  });
  assert.is(msg, "answered \\x1b]0;owned\\x07 a\\x0db\\x08\\x00 \\x9b31m \\x202eab\nnext\tline \\x7f.");
});

test("only the observation under the lock, or of a check, waits for what is starting", async () => {
  const lamp = dark();
  const asked: string[] = [];
  const module = lampModule(lamp, {
    observe: (_, __, whileChanging) => {
      asked.push(whileChanging);
      return { ...lamp };
    },
  });
  await runModule(module, given, CHECK, host, applyTo(lamp));
  assert.equal(asked.splice(0), ["wait"]);
  await runModule(module, given, RUN, host, applyTo(lamp));
  assert.equal(asked, ["fail", "wait", "wait"]);
});

test("a message with a megabyte in it is cut in the middle", async () => {
  const long = { ...lampModule({ level: 0, color: "white", bulb: "new" }) };
  const plan = (): never => {
    throw new UserError(`color: "${"x".repeat(2 ** 20)}" is none; give one`);
  };
  const { msg = "" } = await runModule({ ...long, plan }, given, RUN, host, applyTo({ level: 0, color: "", bulb: "" }));
  assert.match(msg, /^color: "x+ … \(\d+ characters\) … x+" is none; give one\.$/);
  assert.ok(msg.length < 10_000);
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
