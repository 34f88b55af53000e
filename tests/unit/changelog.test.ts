import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";

const read = (path: string): string => readFileSync(join(__dirname, "../..", path), "utf8");

test("CHANGELOG.md has package.json's version, or what comes after the one before", () => {
  const { version } = JSON.parse(read("package.json")) as { version: string };
  assert.match(version, /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$/);
  const headings = read("CHANGELOG.md").match(/^## .*/gm) ?? [];
  const [first = ""] = headings;
  assert.ok(first === "## [Unreleased]" || first.startsWith(`## [${version}] - `), first);
  for (const heading of headings) assert.match(heading, /^## \[(Unreleased|\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d)/);
});

test("its sections have the names that Keep a Changelog gives them", () => {
  const sections = read("CHANGELOG.md").match(/^### .*/gm) ?? [];
  assert.ok(sections.length > 0);
  for (const section of sections) assert.match(section, /^### (Added|Changed|Deprecated|Removed|Fixed|Security)$/);
});

test.run();
