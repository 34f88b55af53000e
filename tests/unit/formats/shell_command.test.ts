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

test("a word that comes from a variable alone says so", () => {
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

test.run();
