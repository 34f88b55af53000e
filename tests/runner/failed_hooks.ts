import * as uvu from "uvu";

// Loaded into each test file's process: where a `before` or `after` of uvu fails, the tests count as failed, but uvu 0.5.6 does not
// show why (`return` in a `finally` drops the error).

type Hooks = Pick<uvu.Test, "before" | "after">;

function showFailures<Suite extends Hooks>(suite: Suite): Suite {
  for (const name of ["before", "after"] as const) {
    const add = suite[name];
    const addShowing = (hook: (context: never) => unknown): void =>
      add(async (context) => {
        try {
          await hook(context as never);
        } catch (error) {
          console.log(`${name} failed:`, error);
          throw error;
        }
      });
    suite[name] = Object.assign(addShowing, { each: add.each }) as typeof add;
  }
  return suite;
}

const { suite: create } = uvu;
Object.assign(require("uvu"), { suite: (name: string, context?: object) => showFailures(create(name, context)) });
showFailures(uvu.test);
