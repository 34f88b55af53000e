import { test } from "uvu";
import * as assert from "uvu/assert";
import { UserError } from "../../../modules/core/errors";
import { dict } from "../../../modules/core/options";
import { userErrorOf } from "../support/user_error";

const option = dict({ description: "", default: {} }, (name) => {
  if (name === "no") throw new UserError("not that");
  return name;
});

test("a dictionary has texts by name, also from numbers and booleans", () => {
  assert.equal(option.convert({ a: "x y", b: 5, c: true }), { a: "x y", b: "5", c: "true" });
});

test("a text is name=value pairs, as in Ansible", () => {
  assert.equal(option.convert("a=1, b=x=y  c="), { a: "1", b: "x=y", c: "" });
  assert.equal(option.convert(""), {});
});

test("anything but a dictionary is rejected, and a name that the check rejects", () => {
  for (const raw of [5, true, ["a=1"]])
    assert.match(
      userErrorOf(() => option.convert(raw)),
      "must be a dictionary (found ",
    );
  assert.match(
    userErrorOf(() => option.convert("a")),
    'must have values with names (found "a"). Write each as name=value.',
  );
  assert.match(
    userErrorOf(() => option.convert({ a: ["x"] })),
    "must be a string (found ",
  );
  assert.is(
    userErrorOf(() => option.convert("no=1")),
    "not that",
  );
});

test.run();
