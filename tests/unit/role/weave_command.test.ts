import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { callPlugin } from "../support/python";

/** roles/weave/filter_plugins/weave_command.py, whose result is run as Ansible runs `raw`. */
const test = suite("a script as a command");
const command = (script: string, ...args: unknown[]): string =>
  callPlugin("weave_command", "wrap_script", [script, args]);

function run(script: string, ...args: unknown[]): string {
  const { stdout, stderr } = spawnSync("/bin/sh", ["-c", command(script, ...args)], { encoding: "utf8" });
  assert.is(stderr, "");
  return stdout;
}

test("the script gets its arguments, whatever is in them", () => {
  const odd = ["", "a b", "it's", '"$HOME"', "!x", "two\nlines", "\\", 24];
  assert.is(run('printf "<%s>" "$@"', ...odd), odd.map((argument) => `<${argument}>`).join(""));
  assert.is(run("echo $#"), "0\n");
});

test("arguments by name are passed as the script reads them, and null as nothing, as of a variable without a value", () => {
  const line: string = callPlugin("weave_command", "wrap_script", ['printf "<%s>" "$@"', { b: null, a: "x y", c: 24 }]);
  assert.is(spawnSync("/bin/sh", ["-c", line], { encoding: "utf8" }).stdout, "<a=x y><b=><c=24>");
  assert.is(run('printf "<%s>" "$@"', "a", null), "<a><>");
});

test("a script from a checkout with CRLF runs as one with LF", () => {
  const probe = readFileSync(join(__dirname, "../../../roles/weave/files/probe.sh"), "utf8").replace(/\r?\n/g, "\r\n");
  const answer = JSON.parse(run(probe, "network=10.2.0.0/16", "prefix=24", "host_index=7")) as Record<string, unknown>;
  assert.is(answer["host_index"], 7);
});

test("it is one line, whose quotes have nothing that csh would read there: no line feed, exclamation mark or quote", () => {
  const line = command(readFileSync(join(__dirname, "../../../roles/weave/files/verify_probe.sh"), "utf8"), 5);
  assert.match(line, /^sh -c 'eval "\$\(echo [A-Za-z0-9+/=]+ \| base64 -d \| gzip -d\)"'$/);
});

test.run();
