import { spawnSync } from "node:child_process";
import { join } from "node:path";
import * as assert from "uvu/assert";

const ROLE = join(__dirname, "../../../roles/weave");

/** Calls a function of one of the role's filter or lookup plugins, in Python, as the role calls it; returns what it returns. */
export function callPlugin<Result>(plugin: string, name: string, args: readonly unknown[]): Result {
  const program = `import json, sys; sys.path[:0] = sys.argv[1:]; import ${plugin}
print(json.dumps(${plugin}.${name}(*json.load(sys.stdin))))`;
  const folders = [join(ROLE, "filter_plugins"), join(ROLE, "lookup_plugins")];
  const python = spawnSync("/usr/bin/python3", ["-B", "-c", program, ...folders], {
    input: JSON.stringify(args),
    encoding: "utf8",
  });
  assert.is(python.stderr, "");
  return JSON.parse(python.stdout) as Result;
}
