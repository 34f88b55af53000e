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

test("every part has been measured", () => {
  for (const part of PARTS) assert.is.not(readRaw(part), null, part.name);
});

test.run();
