import * as assert from "uvu/assert";
import type { PlaybookRun } from "./playbook";

/** What the role rejects: each case is a separate host for plays/rejections.yml, the only one in its group. */
export interface Rejection {
  readonly vars: object;
  /** More hosts of its group, by their names, which are not in the run. */
  readonly others?: Readonly<Record<string, object>>;
  readonly says: RegExp;
}

export type Rejections = Readonly<Record<string, Rejection>>;

const hostOf = (name: string): string => name.replace(/\W+/g, "_");

/** The inventory of these cases, as JSON; `ofAll` are variables of all of their hosts. */
export function rejectionsInventory(rejections: Rejections, ofAll: object): string {
  const groups = Object.entries(rejections).map(([name, { vars, others = {} }]) => {
    const group = `group_of_${hostOf(name)}`;
    return [group, { hosts: { [hostOf(name)]: { weave_server_group: group, ...ofAll, ...vars }, ...others } }];
  });
  const cases = { hosts: Object.fromEntries(Object.keys(rejections).map((name) => [hostOf(name), {}])), vars: ofAll };
  return JSON.stringify({
    all: { children: { cases, weave_servers: { children: { cases: {} } }, ...Object.fromEntries(groups) } },
  });
}

/** Fails unless the case was rejected with its message, after tasks of these actions at most. */
export function assertRejected(run: PlaybookRun, name: string, { says }: Rejection, actions: readonly string[]): void {
  const own = run.results.filter(({ host, outcome }) => host === hostOf(name) && outcome !== "skipped");
  const failed = own.filter(({ outcome }) => outcome === "failed");
  assert.match(failed.map(({ result }) => result.msg ?? "").join("\n") || run.output, says);
  assert.equal(
    own.map(({ action }) => action.replace(/.*\./, "")).filter((action) => !actions.includes(action)),
    [],
  );
}

/** The actions by which the role finds out whether it can go on; they change nothing. */
export const PREFLIGHT = ["include_role", "include_tasks", "raw", "set_fact", "fail"];
