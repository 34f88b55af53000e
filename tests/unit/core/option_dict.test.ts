import { test } from "uvu";
import * as assert from "uvu/assert";
import { UserError } from "../../../modules/core/errors";
import { dict } from "../../../modules/core/options";
import { refusalOf } from "../support/refusal";

const option = dict({ description: "", default: {} }, (name) => {
  if (name === "no") throw new UserError("not that");
  return name;
});

test("a dictionary holds texts by name, numbers and booleans among them", () => {
  assert.equal(option.convert({ a: "x y", b: 5, c: true }), { a: "x y", b: "5", c: "true" });
});

test("one text is name=value pairs, as Ansible has it", () => {
  assert.equal(option.convert("a=1, b=x=y  c="), { a: "1", b: "x=y", c: "" });
  assert.equal(option.convert(""), {});
});

test("what is none is refused, and so is a name that the check refuses", () => {
  for (const raw of [5, true, ["a=1"]])
    assert.match(
      refusalOf(() => option.convert(raw)),
      "is not a dictionary",
    );
  assert.match(
    refusalOf(() => option.convert("a")),
    "is not written as name=value",
  );
  assert.match(
    refusalOf(() => option.convert({ a: ["x"] })),
    "is not a text",
  );
  assert.is(
    refusalOf(() => option.convert("no=1")),
    "not that",
  );
});

test.run();
