import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { readRaw, render, wrapLines } from "../../bench/page";
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

test("paragraphs and list items are wrapped; tables, headings and images keep their lines", () => {
  const long = Array(30).fill("words").join(" ");
  const row = `| ${long} |`;
  const wrapped = wrapLines(
    `# ${long}\n\n${long}\nend\n\n- ${long}\n  end\n- item\n\n${row}\n${row}\n![${long}](a.svg)\n`,
  );
  const [line, rest] = [Array(20).fill("words").join(" "), Array(10).fill("words").join(" ")];
  const item = `- ${Array(19).fill("words").join(" ")}\n  words ${rest} end\n- item`;
  assert.is(wrapped, `# ${long}\n\n${line}\n${rest} end\n\n${item}\n\n${row}\n${row}\n![${long}](a.svg)\n`);
});

test.run();
