import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { environmentValue, renderEnvironment, withEnvironmentValue } from "../../../modules/formats/environment_file";
import { forAll } from "../support/property";
import { inTemporaryDirectory } from "../support/temporary_directory";
import { userErrorOf } from "../support/user_error";

const value = (...lines: string[]): string | null => environmentValue(lines.join("\n"), "OPTS");

/** Values that a line of options may have; control characters are rejected. */
const values = fc.string({ unit: fc.constantFrom(...`ab c "'\\$\`#;=-/\xe9`) });

test("an unquoted value extends to the end of the line, without the spaces around it", () => {
  assert.is(value("OPTS=--bridge=weave"), "--bridge=weave");
  assert.is(value("OPTS=  --bridge=weave --mtu 1450 \t", "X=1"), "--bridge=weave --mtu 1450");
});

test("a variable that is not set is null, and one that is empty is not", () => {
  assert.is(value(""), null);
  assert.is(value("OTHER=1", "OPTSX=2", "XOPTS=3"), null);
  assert.is(value("OPTS="), "");
  assert.is(value('OPTS=""', ""), "");
});

test("lines that begin with # or ; are comments, with spaces before them too", () => {
  assert.is(value("#OPTS=1", "; OPTS=2", "  # OPTS=3", ""), null);
});

test("a # within a line does not begin a comment", () => {
  assert.is(value("OPTS=a # b"), "a # b");
});

test("double quotes keep spaces, and a backslash in them escapes what a shell escapes, nothing else", () => {
  assert.is(value('OPTS="  a b  "'), "  a b  ");
  assert.is(value(String.raw`OPTS="\"\\\$\`"`), '"\\$`');
  assert.is(value(String.raw`OPTS="a\nb"`), String.raw`a\nb`);
});

test("single quotes keep everything, newlines too", () => {
  assert.is(value(String.raw`OPTS='a "b" \"c $x'`), String.raw`a "b" \"c $x`);
  assert.is(value("OPTS='a", "b'"), "a\nb");
});

test("an unquoted backslash escapes the next character", () => {
  assert.is(value(String.raw`OPTS=a\"b\ c\\d`), String.raw`a"b c\d`);
});

test("a backslash at the end of a line continues it, unquoted and in double quotes", () => {
  assert.is(value("OPTS=a \\", "b"), "a b");
  assert.is(value('OPTS="a \\', 'b"'), "a b");
  assert.is(value("OTHER=1 \\", "OPTS=2"), null);
});

test("nothing is expanded", () => {
  assert.is(value('OPTS="$OPTS --mtu=$MTU `x`"'), "$OPTS --mtu=$MTU `x`");
});

test("the last assignment counts", () => {
  assert.is(value("OPTS=1", 'OPTS="2"', "OTHER=3"), "2");
});

test("spaces around the name are ignored, and a shell's export makes it another name", () => {
  assert.is(value("  OPTS =1"), "1");
  assert.is(value("export OPTS=1"), null);
});

test("lines may end with a carriage return and a newline", () => {
  assert.is(environmentValue('A=1\r\nOPTS="a b"\r\nB=2\r\n', "OPTS"), "a b");
  assert.is(environmentValue("A=1\r\nOPTS=a b\r\nB=2\r\n", "OPTS"), "a b");
});

// systemd's parse_env_file(): a quote opens only at the value's beginning, or after another that is closed.
test("quotes in the middle of an unquoted value belong to it", () => {
  assert.is(value('OPTS=--label="a b" --mtu=1450'), '--label="a b" --mtu=1450');
  assert.is(value("OPTS=it's", "OTHER=1"), "it's");
});

test("quoted pieces are joined, without the spaces between them", () => {
  assert.is(value("OPTS=\"a\"'b'"), "ab");
  assert.is(value('OPTS="a" "b"'), "ab");
  assert.is(value('OPTS="a" b'), "ab");
});

test("an escaped space at the end of a value belongs to it", () => {
  assert.is(value("OPTS=a\\ ", "B=1"), "a ");
});

test("an unclosed quote extends to the end of the file", () => {
  assert.is(value('OPTS="a', "B=1"), "a\nB=1");
});

test("values agree with those that systemd reads, if it is on this machine", () => {
  const systemd = "/usr/lib/systemd/user-environment-generators/30-systemd-environment-d-generator";
  if (!existsSync(systemd)) return;
  const lines = [
    "V00=plain words  ",
    'V01="  quoted "',
    "V02='single \"quoted\"'",
    String.raw`V03="\"\\\a"`,
    String.raw`V04=a\"b\ c\\d`,
    "V05=a \\\n  b",
    'V06="a \\\n  b"',
    " V07 =spaced name",
    "#V08=no",
    "; V09=no",
    "V10=a # b",
    "V11=1\nV11=2",
    'V12=a"b c"d\'',
    'V13="a" "b" c',
    "V14=a\\ ",
    "V15='a'\"b\"",
    "export V16=1",
    "V17=a=b",
    'V18="crlf"\r',
    "V19=bare crlf\r",
    "V20=--log-opt=tag=\"{{.Name}}\" --x='y z'",
  ];
  const content = `${lines.join("\n")}\n`;
  const read = Array.from({ length: lines.length }, (_, index) => `V${String(index).padStart(2, "0")}`).map(
    (name) => [name, environmentValue(content, name)] as const,
  );
  inTemporaryDirectory((directory) => {
    mkdirSync(join(directory, "environment.d"));
    writeFileSync(join(directory, "environment.d/test.conf"), content);
    const { stdout } = spawnSync(systemd, { env: { HOME: directory, XDG_CONFIG_HOME: directory }, encoding: "utf8" });
    // It prints NAME=value, the value quoted for a shell.
    const shell = `set -a\n${stdout}\nexec env -0`;
    const printed = spawnSync("sh", ["-c", shell], { env: { PATH: "/usr/bin:/bin" }, encoding: "utf8" }).stdout;
    const real = new Map(
      printed.split("\0").map((entry) => [entry.replace(/=[\s\S]*/, ""), entry.replace(/^[^=]*=/, "")]),
    );
    assert.equal(Object.fromEntries(read), Object.fromEntries(read.map(([name]) => [name, real.get(name) ?? null])));
  });
});

test("a variable is replaced in its place", () => {
  assert.is(
    withEnvironmentValue("# head\nOPTS=old\nOTHER=1\n", "OPTS", "new value"),
    '# head\nOPTS="new value"\nOTHER=1\n',
  );
});

test("of several assignments the one that counts is replaced", () => {
  assert.is(withEnvironmentValue("OPTS=1\nOPTS=2\nOTHER=3\n", "OPTS", "x"), 'OPTS=1\nOPTS="x"\nOTHER=3\n');
});

test("a value over several lines is replaced whole", () => {
  assert.is(withEnvironmentValue('A=1\nOPTS="a \\\nb"\nB=2\n', "OPTS", "x"), 'A=1\nOPTS="x"\nB=2\n');
  assert.is(withEnvironmentValue("OPTS='a\nb'\nB=2\n", "OPTS", "x"), 'OPTS="x"\nB=2\n');
});

test("a variable that is not set is added at the end, on a separate line", () => {
  assert.is(withEnvironmentValue("A=1\n", "OPTS", "x"), 'A=1\nOPTS="x"\n');
  assert.is(withEnvironmentValue("A=1", "OPTS", "x"), 'A=1\nOPTS="x"\n');
  assert.is(withEnvironmentValue("", "OPTS", "x"), 'OPTS="x"\n');
});

test("a comment that shows the variable stays a comment", () => {
  const content = '# Use OPTS to modify the daemon.\n#OPTS="--dns 8.8.8.8"\n';
  assert.is(withEnvironmentValue(content, "OPTS", "x"), `${content}OPTS="x"\n`);
});

test("a value with an unquoted quote in it is replaced whole", () => {
  assert.is(withEnvironmentValue("OPTS=it's\nB=2\n", "OPTS", "x"), 'OPTS="x"\nB=2\n');
});

test("a carriage return at the end of the line stays", () => {
  assert.is(withEnvironmentValue('OPTS="a"\r\nB=2\r\n', "OPTS", "x"), 'OPTS="x"\r\nB=2\r\n');
});

test("control characters can't be written, and the message says so", () => {
  for (const bad of ["a\nb", "a\0b", "a\x1bb"]) {
    assert.match(
      userErrorOf(() => withEnvironmentValue("", "OPTS", bad)),
      "OPTS must not have control characters (found ",
    );
  }
});

test("UTF-8 in a value is not a control character: an existing value can be written again", () => {
  // One character per byte: the last byte of À is 0x80, which as a character is a control character.
  const bytes = Buffer.from('OPTS="--label=À"\n').toString("latin1");
  const present = environmentValue(bytes, "OPTS") ?? "";
  assert.is(withEnvironmentValue(bytes, "OPTS", present), bytes);
});

/** Lines of which none sets OPTS or reaches into the next. */
const otherLines = fc.array(
  fc.oneof(
    fc.constantFrom(
      "",
      "# comment",
      "; comment",
      "OPTSX=1",
      "A=b c",
      'B="x y"',
      "C='#;'",
      "  D = 1 ",
      "junk",
      "export OPTS=no",
    ),
    fc.string({ unit: fc.constantFrom(..."abc =#\t.\xff\x01") }).map((text) => `#${text}`),
  ),
  { maxLength: 6 },
);

test("every other byte of a file stays, whatever its lines are", () => {
  forAll([otherLines, otherLines, values, values], (before, after, old, desired) => {
    const head = before.map((line) => `${line}\n`).join("");
    const tail = after.map((line) => `${line}\n`).join("");
    const [oldLine] = renderEnvironment("", new Map([["OPTS", old]]))
      .split("\n")
      .slice(1);
    const written = withEnvironmentValue(`${head}${oldLine}\n${tail}`, "OPTS", desired);
    assert.ok(written.startsWith(head) && written.endsWith(`\n${tail}`), written);
    const line = written.slice(head.length, written.length - tail.length);
    assert.match(line, /^OPTS=".*"\n$/);
    assert.is(environmentValue(written, "OPTS"), desired);
  });
});

test("adding a variable leaves the rest of the file unchanged", () => {
  forAll([otherLines, values, fc.boolean()], (lines, desired, ends) => {
    const content = lines.join("\n") + (ends ? "\n" : "");
    const written = withEnvironmentValue(content, "OPTS", desired);
    assert.ok(written.startsWith(content));
    assert.is(environmentValue(written, "OPTS"), desired);
    assert.is(withEnvironmentValue(written, "OPTS", desired), written, "a second time changes nothing");
  });
});

test("what is rendered reads back", () => {
  const names = fc.uniqueArray(fc.constantFrom("A", "B_1", "WEAVE_PEERS", "lower"), { minLength: 1 });
  forAll([names, fc.array(values, { minLength: 4, maxLength: 4 })], (keys, texts) => {
    const variables = new Map(keys.map((key, index) => [key, texts[index] ?? ""]));
    const content = renderEnvironment("Comment.", variables);
    for (const [key, text] of variables) assert.is(environmentValue(content, key), text);
  });
});

test("a whole file has its comment and a line for each variable in their order", () => {
  const content = renderEnvironment(
    "Written by a test.",
    new Map([
      ["B", "1"],
      ["A", 'x "y" $z'],
    ]),
  );
  assert.is(content, '# Written by a test.\nB="1"\nA="x \\"y\\" \\$z"\n');
});

test("a line is removed with its carriage return", () => {
  assert.is(withEnvironmentValue("A=1\r\nOPTS=x\r\nB=2\r\n", "OPTS", null), "A=1\r\nB=2\r\n");
});

test.run();
