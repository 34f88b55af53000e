import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { readRaw, render } from "../../bench/page";
import { PARTS } from "../../bench/parts";
import { ROOT } from "../../e2e/playbook";

test("the page on performance and its plots are what the raw numbers make", () => {
  for (const [path, content] of render(PARTS, readRaw)) {
    assert.ok(existsSync(join(ROOT, path)), path);
    assert.fixture(readFileSync(join(ROOT, path), "utf8"), content, path);
  }
});

/** New parts, which the next run of all measures first. */
const UNMEASURED: readonly string[] = ["mesh", "joining"];

test("every part has been measured, but for the new ones", () => {
  for (const part of PARTS) assert.is(readRaw(part) === null, UNMEASURED.includes(part.name), part.name);
});

test.run();
