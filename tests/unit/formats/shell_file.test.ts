import { test } from "uvu";
import * as assert from "uvu/assert";
import { shellValue, withShellValue } from "../../../modules/formats/shell_file";
import { userErrorOf } from "../support/user_error";

const KEY = "DOCKER_OPTS";
const value = (content: string): string | null => shellValue(content, KEY);

test("a value is the same as in a shell", () => {
  const values: [content: string, value: string | null][] = [
    ["", null],
    ["#DOCKER_OPTS=x\n", null],
    ["DOCKER_OPTS=\n", ""],
    ["DOCKER_OPTS=-D # debug\n", "-D"],
    ["  export DOCKER_OPTS='a \"b\" $c'", 'a "b" $c'],
    ['DOCKER_OPTS="a \\"b\\" \\$c \\x"', 'a "b" $c \\x'],
    ["DOCKER_OPTS=a\\ b'c'\"d\"", "a bcd"],
    ['DOCKER_OPTS="a \\\n  b"', "a   b"],
    [`A=1 DOCKER_OPTS=$A-\${A}; B=2`, "1-1"],
    ["DOCKER_OPTS=here true\n", null],
    ["X=$(hostname)\nDOCKER_OPTS=y", "y"],
    ["if true; then\n  A=1\nfi\nDOCKER_OPTS=y", "y"],
    ["f() { A=1; }\nDOCKER_OPTS=y", "y"],
  ];
  for (const [content, expected] of values) assert.is(value(content), expected, content);
});

test("chains are resolved, from the empty value on", () => {
  assert.is(value(`DOCKER_OPTS="$DOCKER_OPTS -a"\nDOCKER_OPTS="\${DOCKER_OPTS} -b"\nDOCKER_OPTS+=x`), " -a -b");
});

test("a value that only a shell could compute is rejected", () => {
  for (const raw of ['"$(hostname)"', "`hostname`", "$HOSTNAME", `"\${A:-b}"`]) {
    assert.match(
      userErrorOf(() => value(`A=1\nDOCKER_OPTS=${raw}`)),
      `${KEY} must have a value that can be computed without a shell (found ${raw} in line 2). `,
    );
  }
  for (const content of [
    "if true; then DOCKER_OPTS=a; fi",
    "[ -e /x ] && DOCKER_OPTS=a",
    "f() {\n  DOCKER_OPTS=a\n}",
    "for a in b; do\nDOCKER_OPTS=$a\ndone",
  ]) {
    assert.match(
      userErrorOf(() => value(content)),
      /DOCKER_OPTS must be set once, on its own line \(found it set conditionally in line [12]: /,
      content,
    );
  }
});

test("the last assignment is replaced in its place; only links of its chain are removed", () => {
  assert.is(
    withShellValue("DOCKER_OPTS=a\nA=1; export DOCKER_OPTS=b # c\nB=2", KEY, "d"),
    `DOCKER_OPTS=a\nA=1; export DOCKER_OPTS="d" # c\nB=2`,
  );
  assert.is(
    withShellValue("export DOCKER_OPTS=a\nA=1\nDOCKER_OPTS=$DOCKER_OPTS\n", KEY, "d"),
    `A=1\nDOCKER_OPTS="d"\n`,
  );
  assert.is(withShellValue("A=1", KEY, "d"), `A=1\nDOCKER_OPTS="d"\n`);
  assert.is(withShellValue("A=1 DOCKER_OPTS=b\n DOCKER_OPTS=c\n", KEY, null), `A=1 DOCKER_OPTS=""\n`);
});

test.run();
