import { execFileSync } from "node:child_process";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { shellCommand } from "../../../modules/formats/shell_command";
import { userErrorOf } from "../support/user_error";

const VARIABLES: ReadonlyMap<string, string> = new Map([
  ["OPTS", " --a  'b "],
  ["ONE", "x"],
  ["STAR", "a*"],
]);
const wordsOf = (text: string): string[] => shellCommand(text, (name) => VARIABLES.get(name)).map(({ value }) => value);

test("quotes and backslashes are resolved, and variables expanded", () => {
  assert.equal(wordsOf(`exec dockerd 'a b' "c $ONE" d\\ e --f=\${ONE}`), [
    "exec",
    "dockerd",
    "a b",
    "c x",
    "d e",
    "--f=x",
  ]);
  assert.equal(wordsOf(`"\\$ONE \\a" ''`), ["$ONE \\a", ""]);
});

test("an unquoted variable is split at white space, and its quotes mean nothing", () => {
  assert.equal(wordsOf("dockerd $OPTS"), ["dockerd", "--a", "'b"]);
  assert.equal(wordsOf("dockerd x$OPTS.y $NONE"), ["dockerd", "x", "--a", "'b", ".y"]);
  assert.equal(wordsOf('dockerd "$OPTS"'), ["dockerd", " --a  'b "]);
});

test("a word that is just a variable says so", () => {
  const words = shellCommand("a $ONE b$ONE", (name) => VARIABLES.get(name));
  assert.equal(
    words.map(({ variable }) => variable),
    [null, "ONE", null],
  );
});

test("what only a shell can do is rejected", () => {
  for (const text of [
    "a; b",
    "a | b",
    "a && b",
    "a >b",
    "a <b",
    "a $(b)",
    "a `b`",
    'a "$(b)"',
    "a *",
    "a [b]",
    "a {b,c}",
    "a ~",
    "a # b",
  ]) {
    assert.match(
      userErrorOf(() => wordsOf(text)),
      "only a shell can run",
      text,
    );
  }
  assert.match(
    userErrorOf(() => wordsOf("a $STAR")),
    "only a shell can expand the pattern in $STAR",
  );
  assert.match(
    userErrorOf(() => wordsOf("A=1 b")),
    'only a shell can set variables for a command ("A=1")',
  );
  assert.match(
    userErrorOf(() => wordsOf("a $1")),
    "only a shell can run",
  );
  assert.match(
    userErrorOf(() => wordsOf("a 'b")),
    "only a shell can run",
  );
});

/** What a shell prints that has just this environment. */
function printed(shell: readonly string[], script: string, env: Readonly<Record<string, string>>): string {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return execFileSync("/usr/bin/env", ["-i", ...variables, ...shell, "-c", script], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
}

test("a variable that a shell sets by itself is rejected, whatever the environment has", () => {
  const [own, overwritten] = [new Set<string>(), new Set<string>()];
  for (const [shell, list] of [
    [["/bin/bash", "--norc"], "compgen -v"],
    [["/bin/dash"], "set"],
  ] as const) {
    const lines = printed(shell, list, {}).split("\n");
    const names = lines.map((line) => line.replace(/=.*/, "")).filter((name) => /^[A-Z_]+\d?$/.test(name));
    assert.ok(names.length > 5, names.join(" "));
    const given = Object.fromEntries(names.filter((name) => name !== "PATH").map((name) => [name, "77"]));
    const values = printed(shell, names.map((name) => `printf '%s\\0' "$${name}"`).join("; "), given).split("\0");
    names.forEach((name, index) => {
      own.add(name);
      if (name !== "PATH" && values[index] !== "77") overwritten.add(name);
    });
  }
  const failure = (text: string, value?: string): string => userErrorOf(() => shellCommand(text, () => value));
  for (const name of own) {
    for (const text of [`a $${name}`, `a "\${${name}}"`]) assert.is(failure(text), `only a shell can compute $${name}`);
  }
  assert.ok(overwritten.has("IFS"));
  for (const name of overwritten) assert.is(failure(`a $${name}`, "77"), `only a shell can compute $${name}`);
  assert.is(shellCommand("$HOSTNAME", () => "h")[0]?.value, "h");
});

test.run();
