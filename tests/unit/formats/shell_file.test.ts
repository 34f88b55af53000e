import { test } from "uvu";
import * as assert from "uvu/assert";
import { shellValue, withShellValue } from "../../../modules/formats/shell_file";
import { refusalOf } from "../support/refusal";

const KEY = "DOCKER_OPTS";
const value = (content: string): string | null => shellValue(content, KEY);

test("a value is what a shell makes of it", () => {
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

test("chains are followed, from the empty value on", () => {
  assert.is(value(`DOCKER_OPTS="$DOCKER_OPTS -a"\nDOCKER_OPTS="\${DOCKER_OPTS} -b"\nDOCKER_OPTS+=x`), " -a -b");
});

test("what only a shell can tell is refused", () => {
  for (const raw of ['"$(hostname)"', "`hostname`", "$HOSTNAME", `"\${A:-b}"`]) {
    assert.match(
      refusalOf(() => value(`DOCKER_OPTS=${raw}`)),
      `only a shell can compute the value of ${KEY} there (${raw})`,
    );
  }
  for (const content of [
    "if true; then DOCKER_OPTS=a; fi",
    "[ -e /x ] && DOCKER_OPTS=a",
    "f() {\n  DOCKER_OPTS=a\n}",
    "for a in b; do\nDOCKER_OPTS=$a\ndone",
  ]) {
    assert.match(
      refusalOf(() => value(content)),
      "DOCKER_OPTS is set conditionally there",
      content,
    );
  }
});

test("the last assignment is rewritten where it stands; only links of its chain go", () => {
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
