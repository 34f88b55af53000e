import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";

const read = (path: string): string => readFileSync(join(__dirname, "../..", path), "utf8");

test("the first section of CHANGELOG.md is package.json's version, dated or unreleased, or the next one", () => {
  const { version } = JSON.parse(read("package.json")) as { version: string };
  assert.match(version, /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$/);
  const headings = read("CHANGELOG.md").match(/^## .*/gm) ?? [];
  const [first = ""] = headings;
  assert.ok(first === "## [Unreleased]" || first.startsWith(`## [${version}] - `), first);
  const released = first.endsWith("Unreleased") || first === "## [Unreleased]" ? headings.slice(1) : headings;
  for (const heading of released) assert.match(heading, /^## \[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d$/);
});

test("sections have the names of Keep a Changelog", () => {
  const sections = read("CHANGELOG.md").match(/^### .*/gm) ?? [];
  assert.ok(sections.length > 0);
  for (const section of sections) assert.match(section, /^### (Added|Changed|Deprecated|Removed|Fixed|Security)$/);
});

test.run();
