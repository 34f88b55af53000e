import { test } from "uvu";
import * as assert from "uvu/assert";
import { listSettings, parseUnit } from "../../../modules/formats/systemd_unit";

const valuesOf = (contents: readonly string[], key = "ExecStart"): string[] =>
  listSettings(parseUnit(contents.map((content) => ({ path: "unit", content }))), "Service", key).map(
    ({ value }) => value,
  );

test("settings are read from a unit's files in order, and an empty one discards those before it", () => {
  const unit = "[Unit]\nExecStart=no\n[Service]\nExecStart = a b \\\n# within\n  c\\\n;too\n\n  ExecStart=d\r\n";
  assert.equal(valuesOf([unit]), ["a b    c", "d"]);
  assert.equal(valuesOf([unit, "[Service]\nExecStart=\nExecStart=e"]), ["e"]);
  assert.equal(valuesOf([unit, "[Service]\nExecStart="]), []);
  assert.equal(valuesOf([unit], "ExecStop"), []);
});

test("a backslash that is escaped does not continue the line; a byte order mark is skipped", () => {
  assert.equal(valuesOf(["\xef\xbb\xbf[Service]\nExecStart=a \\\\\nExecStart=b"]), ["a \\\\", "b"]);
});

test("each setting has the file and the line that it begins in", () => {
  const settings = parseUnit([
    { path: "a", content: "[Service]\n\nX=1 \\\n 2\nY=3" },
    { path: "b", content: "[Service]\nX=4" },
  ]);
  assert.equal(
    settings.map(({ key, path, line }) => [key, path, line]),
    [
      ["X", "a", 3],
      ["Y", "a", 5],
      ["X", "b", 2],
    ],
  );
});

test.run();
