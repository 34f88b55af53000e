import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { expandPattern, matchesPattern } from "../../../modules/core/glob";
import { fakeHost } from "../support/fake_host/fake_host";

const test = suite("patterns of files");

const NAMES = [
  "docker",
  "docker.env",
  "dock[er",
  "dock]er",
  "dock!r",
  "dock^r",
  "a+b",
  "a(b",
  "weave0",
  "weave-0",
  "[!]",
  "-",
];
const PATTERNS = [
  "*",
  "doc*",
  "docke?",
  "dock[er",
  "dock[!e]*",
  "dock[^e]*",
  "dock[]e]*",
  "[!]",
  "[]",
  "a[+(]b",
  "[a-dw]*",
];
const RANGES = [
  "weave[0-9]",
  "weave[-0]*",
  "[z-a]*",
  "*[.]env",
  "a+b",
  "a(b",
  "dock[e]r",
  "dock[",
  "*]*",
  "[[]*",
  "dock[[^]*",
];

test("a pattern matches what fnmatch(3) matches, as find calls it", () => {
  const directory = mkdtempSync(join(tmpdir(), "weave-glob-"));
  try {
    for (const name of NAMES) writeFileSync(join(directory, name), "");
    for (const pattern of [...PATTERNS, ...RANGES]) {
      const argv = [directory, "-type", "f", "-name", pattern, "-printf", "%f\\n"];
      const expected = execFileSync("find", argv, { encoding: "utf8", env: { ...process.env, LC_ALL: "C" } });
      const matched = NAMES.filter((name) => matchesPattern(pattern, name));
      assert.equal(matched.sort(), expected.split("\n").filter(Boolean).sort(), pattern);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("a pattern is expanded in each part of a path, and matches no hidden file", () => {
  const names = { "/etc": ["a", "b"], "/etc/a": ["env"], "/etc/b": [".env", "env"], "/opt": ["dock[er"] };
  const host = fakeHost({ names });
  assert.equal(expandPattern("/etc/*/env*", host), ["/etc/a/env", "/etc/b/env"]);
  assert.equal(expandPattern("/etc/b/.e*", host), ["/etc/b/.env"]);
  assert.equal(expandPattern("/opt/dock[er", host), ["/opt/dock[er"]);
  assert.equal(expandPattern("/opt/dock[e", host), []);
});

test.run();
