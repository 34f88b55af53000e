import * as assert from "uvu/assert";
import { allReturns } from "../../build/docs";
import { MODULES } from "../../build/modules";
import type { Returned, Returns } from "../../modules/core/module";
import type { TaskResult } from "./task_result";

/** What Ansible itself gives a meaning to, or adds. */
const ANSIBLES = [
  ...["changed", "failed", "skipped", "msg", "diff", "warnings", "exception"],
  ...["item", "ansible_loop_var", "changed_when_result", "failed_when_result"],
];

/** Fails where a task of one of the project's modules returned a value that its documentation does not tell, or tells otherwise. */
export function assertDocumented({ action, task, outcome, result }: TaskResult): void {
  const returns = returnsOf(action);
  if (returns === null || outcome === "skipped" || outcome === "unreachable") return;
  for (const values of (result["results"] as Readonly<Record<string, unknown>>[] | undefined) ?? [result]) {
    const own = Object.entries(values).filter(([name]) => !ANSIBLES.includes(name) && !name.startsWith("_ansible_"));
    assertValues(Object.fromEntries(own), returns, `${task}: ${action}`);
    if (outcome === "failed") continue;
    for (const [name, { returned }] of Object.entries(returns)) {
      if (returned === "success") assert.ok(name in values, `${task}: ${action} returned no ${name}`);
    }
  }
}

/** What a module documents that it returns; null where it is none of the project's. */
function returnsOf(action: string): Returns | null {
  const own = MODULES.find(({ module }) => module.name === action.replace(/.*\./, ""));
  return own === undefined ? null : allReturns(own.docs);
}

function assertValues(values: object, returns: Returns, where: string): void {
  for (const [name, value] of Object.entries(values)) {
    const documented = returns[name];
    assert.ok(documented, `${where} returned ${name}, of which its documentation says nothing`);
    assertValue(value, documented, `${where}: ${name}`);
  }
}

function assertValue(value: unknown, documented: Returned, where: string): void {
  if (value === null) {
    assert.match(documented.description, /\bnull\b/, `${where} is null`);
    return;
  }
  assert.is(typeOf(value), documented.type, where);
  for (const element of Array.isArray(value) ? value : []) assert.is(typeOf(element), documented.elements, where);
  if (documented.contains === undefined) return;
  for (const each of [value].flat() as object[]) {
    assertValues(each, documented.contains, where);
    assert.equal(Object.keys(each).sort(), Object.keys(documented.contains).sort(), where);
  }
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return "list";
  return { string: "str", number: "int", boolean: "bool", object: "dict" }[typeof value as string] ?? typeof value;
}
