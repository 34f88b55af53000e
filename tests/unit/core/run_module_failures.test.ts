import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Change } from "../../../modules/core/change";
import { UserError } from "../../../modules/core/errors";
import { str } from "../../../modules/core/options";
import { runModule } from "../../../modules/core/run_module";
import { applyTo, CHECK, dark, difference, given, host, lampModule, options, RUN } from "../support/lamp";

test("a difference left after all changes is a failure that names it", async () => {
  const lamp = dark();
  const stubborn = async ({ subject, after }: Change): Promise<void> => {
    if (subject === "color") lamp.color = after;
  };
  const result = await runModule(lampModule(lamp), given, RUN, host, stubborn);
  assert.is(result.failed, true);
  assert.is(result.changed, true, "the changes were made, as far as is known");
  assert.match(
    result.msg ?? "",
    'lamp: the host must be as desired after all changes (found that level is "0", not "5"). ',
  );
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
  assert.match(result.msg ?? "", "lamp: failed unexpectedly (found: x is not a function)");
  assert.match(result.msg ?? "", "Report this with");
  assert.match(String(result["exception"]), "run_module_failures.test.ts");
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
  assert.is(msg, "lamp: failed unexpectedly (found: out of order). Report this with the output of -vvv.");
});

test("control characters that a service or program sent are shown, not sent to the terminal", async () => {
  const evil = "\x1b]0;owned\x07 a\rb\b\0 \u009b31m \u202eab\nnext\tline \x7f";
  const { msg } = await runModule(lampModule(dark()), given, RUN, host, async () => {
    throw new UserError(`answered ${evil}`);
  });
  assert.is(msg, "answered \\x1b]0;owned\\x07 a\\x0db\\x08\\x00 \\x9b31m \\x202eab\nnext\tline \\x7f.");
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

test.run();
