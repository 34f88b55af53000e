import { spawnSync } from "node:child_process";
import { join } from "node:path";
import * as assert from "uvu/assert";

const FOLDER = join(__dirname, "../../../roles/weave/filter_plugins");

/** Calls a function of one of the role's filter plugins, in Python, as the role calls it; returns what it returns. */
export function callFilter<Result>(plugin: string, name: string, args: readonly unknown[]): Result {
  const program = `import json, sys; sys.path.insert(0, sys.argv[1]); import ${plugin}
print(json.dumps(${plugin}.${name}(*json.load(sys.stdin))))`;
  const python = spawnSync("/usr/bin/python3", ["-B", "-c", program, FOLDER], {
    input: JSON.stringify(args),
    encoding: "utf8",
  });
  assert.is(python.stderr, "");
  return JSON.parse(python.stdout) as Result;
}
