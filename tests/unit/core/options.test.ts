import { test } from "uvu";
import * as assert from "uvu/assert";
import { UserError } from "../../../modules/core/errors";
import { bool, choice, int, list, str } from "../../../modules/core/options";
import { userErrorOf } from "../support/user_error";

const text = str({ description: "" });
const number = int({ description: "" }, 1, 100);
const flag = bool({ description: "" });
const texts = list({ description: "" });
const color = choice(["red", "green"], { description: "" });

test("a row has what the documentation and the command line need", () => {
  const row = str({ description: "Its name.", default: "weave" });
  assert.is(row.type, "str");
  assert.is(row.description, "Its name.");
  assert.is(row.default, "weave");
  assert.is(row.required, false);
  assert.is(row.secret, false);
  assert.is(int({ description: "", required: true }, 1, 2).required, true);
  assert.is(int({ description: "" }, 1, 2).default, null);
  assert.is(str({ description: "", secret: true }).secret, true);
  assert.equal(color.choices, ["red", "green"]);
  assert.is(bool({ description: "", default: false }).default, false);
  assert.equal(list({ description: "", default: [] }).default, []);
  assert.equal(
    [text, number, flag, texts, color].map(({ type }) => type),
    ["str", "int", "bool", "list", "str"],
  );
});

test("a text is kept as it is, even if it is empty or has spaces", () => {
  for (const value of ["", " a b ", "yes", "ünï", "a\nb"]) assert.is(text.convert(value), value);
});

test("numbers and booleans become texts, as with Ansible's own str", () => {
  assert.is(text.convert(5), "5");
  assert.is(text.convert(0), "0");
  assert.is(text.convert(1.5), "1.5");
  assert.is(text.convert(true), "true");
});

test("a mapping or a list is not a text, and the message shows it", () => {
  assert.match(
    userErrorOf(() => text.convert({ a: 1 })),
    'must be a string (found {"a":1}). Write one value',
  );
  assert.match(
    userErrorOf(() => text.convert(["a"])),
    'must be a string (found ["a"]). Write one value',
  );
});

test("a message shows no more than the beginning of a long value", () => {
  const message = userErrorOf(() => text.convert(["x".repeat(100_000)]));
  assert.ok(message.length < 300, `${message.length} characters`);
  assert.match(message, "characters)");
});

test("a NUL is rejected in texts, choices and lists, as a program's argument can't contain it", () => {
  for (const { convert } of [text, color, texts]) {
    const message = userErrorOf(() => convert("a\0b"));
    assert.match(message, "NUL");
    assert.match(message, "Remove it.");
    assert.not.match(message, /\0/);
  }
  assert.match(
    userErrorOf(() => texts.convert(["fine", "a\0b"])),
    "NUL",
  );
});

test("a text's check narrows and normalises it", () => {
  const lower = str({ description: "" }, (given) => {
    if (given === "") throw new UserError("is empty; give a word");
    return given.toLowerCase();
  });
  assert.is(lower.convert("ABC"), "abc");
  assert.is(
    userErrorOf(() => lower.convert("")),
    "is empty; give a word",
  );
});

test("a choice is one of its words, and the message names them all and what was given", () => {
  assert.is(color.convert("green"), "green");
  assert.is(
    userErrorOf(() => color.convert("Green")),
    'must be one of: red, green (found "Green"). Set one of these.',
  );
});

test("a whole number may be given as a text, as by a template or key=value", () => {
  for (const raw of ["5", " 5 ", "+5", "005", 5, 5.0]) assert.is(number.convert(raw), 5, String(raw));
});

test("anything but a whole number is rejected: fractions, words, hexadecimal, booleans, nothing", () => {
  for (const raw of ["5.5", 5.5, "five", "0x10", "1e1", "", " ", true, [], {}, "5 5"]) {
    assert.match(
      userErrorOf(() => number.convert(raw)),
      "must be a whole number (found ",
      String(raw),
    );
  }
});

test("the message for something else than a whole number says what to give", () => {
  assert.match(
    userErrorOf(() => number.convert("five")),
    "from 1 to 100",
  );
});

test("a number's bounds are both allowed, and beyond them it is rejected with the range", () => {
  assert.is(number.convert(1), 1);
  assert.is(number.convert("100"), 100);
  assert.is(
    userErrorOf(() => number.convert(0)),
    "must be from 1 to 100 (found 0). Set a number in this range.",
  );
  assert.match(
    userErrorOf(() => number.convert("101")),
    "must be from 1 to 100 (found 101)",
  );
  assert.match(
    userErrorOf(() => number.convert("-1")),
    "must be from 1 to 100 (found -1)",
  );
  assert.match(
    userErrorOf(() => number.convert("9".repeat(400))),
    /must be from 1 to 100|must be a whole number/,
  );
});

test("a boolean has all of Ansible's spellings, in any case and with spaces around", () => {
  for (const raw of ["y", "yes", "on", "1", "true", "t", "YES", "True", " on ", 1, true]) {
    assert.is(flag.convert(raw), true, String(raw));
  }
  for (const raw of ["n", "no", "off", "0", "false", "f", "NO", "False", " off ", 0, false]) {
    assert.is(flag.convert(raw), false, String(raw));
  }
});

test("anything but a boolean is rejected, with what to write", () => {
  for (const raw of ["maybe", "", 2, -1, [], {}, "yes no"]) {
    assert.match(
      userErrorOf(() => flag.convert(raw)),
      "). Set one of these.",
      String(raw),
    );
  }
});

test("a list may be given as a text with commas or with white space", () => {
  for (const raw of ["a,b", "a, b", "a b", " a\tb\n", ",a,,b,", ["a", "b"], ["a,b"], ["a b"]]) {
    assert.equal(texts.convert(raw), ["a", "b"], JSON.stringify(raw));
  }
});

test("a list may be empty, of one element, or of numbers", () => {
  assert.equal(texts.convert([]), []);
  assert.equal(texts.convert(""), []);
  assert.equal(texts.convert("a"), ["a"]);
  assert.equal(texts.convert(5), ["5"]);
  assert.equal(texts.convert([1, "b"]), ["1", "b"]);
});

test("a list keeps its order and its duplicates", () => {
  assert.equal(texts.convert(["b", "a", "b"]), ["b", "a", "b"]);
});

test("a list's elements are each checked, and can't be lists", () => {
  const short = list({ description: "" }, (given) => {
    if (given.length > 2) throw new UserError(`"${given}" is too long; use two letters`);
    return given.toUpperCase();
  });
  assert.equal(short.convert("ab,cd"), ["AB", "CD"]);
  assert.match(
    userErrorOf(() => short.convert(["ab", "abc"])),
    '"abc" is too long',
  );
  assert.match(
    userErrorOf(() => texts.convert([["a"]])),
    'must be a string (found ["a"]). Write one value',
  );
  assert.match(
    userErrorOf(() => texts.convert([null])),
    "must be a string (found null)",
  );
});

test.run();
