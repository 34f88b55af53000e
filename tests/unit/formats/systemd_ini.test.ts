import { test } from "uvu";
import * as assert from "uvu/assert";
import { renderSections } from "../../../modules/formats/systemd_ini";
import { userErrorOf } from "../support/user_error";

test("sections and settings are written in their order", () => {
  const text = renderSections("By a test.", [
    ["Match", [["Name", "weave"]]],
    [
      "Link",
      [
        ["MTUBytes", 1450],
        ["RequiredForOnline", "no"],
      ],
    ],
  ]);
  assert.is(text, "# By a test.\n\n[Match]\nName=weave\n\n[Link]\nMTUBytes=1450\nRequiredForOnline=no\n");
});

test("a value that would end a line, continue it or be expanded is rejected", () => {
  for (const value of ["a\nb", "a\rb", "a\0", "a\\", "%H"]) {
    assert.match(
      userErrorOf(() => renderSections("", [["Match", [["Name", value]]]])),
      "Name= in [Match] must not have control characters, ",
    );
  }
});

test.run();
