import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parse } from "yaml";
import { MODULES } from "../../../build/modules";

/** The names by which the modules' messages call what the role's tasks pass: the operator's variables. */
const test = suite("the role's names of options");
const ROLE = join(__dirname, "../../../roles/weave");
const read = (path: string): unknown => parse(readFileSync(join(ROLE, path), "utf8"));

interface Task {
  readonly name: string;
  readonly block?: readonly Task[];
  readonly [action: string]: unknown;
}

const vars = read("vars/main.yml") as Record<string, unknown>;
const { options: variables } = (
  read("meta/argument_specs.yml") as { argument_specs: { main: { options: Record<string, unknown> } } }
).argument_specs.main;

function tasksOf(list: readonly Task[]): Task[] {
  return list.flatMap((task) => [task, ...tasksOf(task.block ?? [])]);
}

const calls = ["tasks", "handlers"]
  .flatMap((directory) => readdirSync(join(ROLE, directory)).map((file) => join(directory, file)))
  .flatMap((path) => tasksOf((read(path) ?? []) as Task[]))
  .flatMap((task) =>
    MODULES.filter(({ module: { name } }) => name in task).map(({ module }) => ({
      module,
      task: task.name,
      args: task[module.name] as Readonly<Record<string, unknown>>,
    })),
  );

/** The names that a task passes: one of the role's dicts, with what is combined with it. */
function namesOf(template: unknown): Record<string, string> {
  const [, name = "", more = ""] =
    /^\{\{ (\w+)(?: \| combine\((\w+)\))? \}\}$/.exec(String(template)) ?? assert.unreachable(String(template)) ?? [];
  return { ...(vars[name] as Record<string, string>), ...(vars[more] as Record<string, string>) };
}

/** Computed: never wrong by itself. */
const COMPUTED = ["router_encrypts", "option_names"];

test("each task that passes an operator's variable names it, and is one of the role's", () => {
  assert.ok(calls.length > 8);
  for (const { task, args } of calls) {
    const passed = Object.entries(args).filter(([, value]) => /(?<![\w])weave_\w/.test(String(value)));
    if (passed.length === 0) continue;
    const names = namesOf(args["option_names"]);
    for (const [option, value] of passed.filter(([option]) => !COMPUTED.includes(option))) {
      const variable = String(names[option]);
      assert.ok(variable in variables, `${task}: ${option} is named ${variable}`);
      // Which is weave_version unless the script is a file of the controller.
      assert.match(String(value).replace("__weave_script_version", "weave_version"), variable, `${task}: ${option}`);
    }
  }
});

test("each task names the component, which a message about its container begins with", () => {
  for (const { task } of calls.filter(({ args }) => !("option_names" in args))) assert.unreachable(task);
});

test("the names are of options that the modules have", () => {
  for (const { module } of MODULES) {
    const own = calls.filter((call) => call.module === module && "option_names" in call.args);
    assert.ok(own.length > 0, module.name);
    for (const { args } of own) {
      const unknown = Object.keys(namesOf(args["option_names"])).filter((option) => !(option in module.options));
      // The bridge's, which a message of weave_service's names too.
      assert.equal(
        unknown.filter((option) => !(module.name === "weave_service" && option === "mac")),
        [],
      );
    }
  }
});

test.run();
