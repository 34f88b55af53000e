import { test } from "uvu";
import * as assert from "uvu/assert";
import { UserError } from "../../../modules/core/errors";
import { optionNames } from "../../../modules/core/option_names";
import { bool, choice, int, list, parseOptions, str } from "../../../modules/core/options";
import { userErrorOf } from "../support/user_error";

const table = {
  name: str({ description: "", default: "weave" }),
  index: int({ description: "" }, 1, 10),
  force: bool({ description: "", default: false }),
  peers: list({ description: "", default: [] }),
  state: choice(["on", "off"], { description: "", default: "on" }),
  mac: str({ description: "" }),
};

const required = {
  path: str({ description: "", required: true }),
  owner: str({ description: "", required: true }),
  mode: str({ description: "" }),
};

const secret = {
  password: str({ description: "", secret: true }, (text) => {
    if (text.length < 8) throw new UserError("must have 8 characters (found fewer, not shown). Set more.");
    return text;
  }),
};

function parse(given: Record<string, unknown>) {
  return parseOptions("lamp", table, new Map(Object.entries(given)));
}

test("an option that is left out has its default, or null if it has none", () => {
  assert.equal(parse({}), { name: "weave", index: null, force: false, peers: [], state: "on", mac: null });
});

test("null means left out, as omit and an empty YAML value do", () => {
  assert.equal(parse({ name: null, index: null, peers: null }), parse({}));
});

test("every option is converted to its own type", () => {
  assert.equal(parse({ name: 5, index: "5", force: "yes", peers: "a b", state: "off", mac: "x" }), {
    name: "5",
    index: 5,
    force: true,
    peers: ["a", "b"],
    state: "off",
    mac: "x",
  });
});

test("a false, a zero and an empty text are values, not left out", () => {
  assert.is(parse({ force: false }).force, false);
  assert.is(parse({ name: "" }).name, "");
  assert.match(
    userErrorOf(() => parse({ index: 0 })),
    "must be from ",
  );
});

test("an unknown option is rejected in Ansible's words, with all that exist", () => {
  assert.is(
    userErrorOf(() => parse({ nmae: "x", index: 1, Peers: "a" })),
    "Unsupported parameters for (lamp) module: nmae, Peers. " +
      "Supported parameters include: force, index, mac, name, peers, state.",
  );
});

test("an unknown option that a role sets is one of a newer role: the module must be built again", () => {
  const given = { nmae: "x", index: 1, option_names: { name: "lamp_name" } };
  const withNames = { ...table, option_names: optionNames };
  assert.is(
    userErrorOf(() => parseOptions("lamp", withNames, new Map<string, unknown>(Object.entries(given)))),
    "Unsupported parameters for (lamp) module: nmae. The role that sets them is newer than the module: build it again " +
      "(npm ci && npm run build in the checkout).",
  );
});

test("names that every JavaScript object has are not options", () => {
  for (const name of ["constructor", "toString", "hasOwnProperty", "__proto__"]) {
    assert.match(
      userErrorOf(() => parseOptions("lamp", table, new Map([[name, "x"]]))),
      `Unsupported parameters for (lamp) module: ${name}.`,
    );
  }
});

test("an unknown option is rejected even if it is null", () => {
  assert.match(
    userErrorOf(() => parse({ unknown: null })),
    "unknown",
  );
});

test("all required options that are missing are named, in order", () => {
  assert.is(
    userErrorOf(() => parseOptions("lamp", required, new Map())),
    "missing required arguments: owner, path. Set them.",
  );
  assert.is(
    userErrorOf(() => parseOptions("lamp", required, new Map(Object.entries({ path: null, owner: "root" })))),
    "missing required arguments: path. Set them.",
  );
});

test("a rejected value's message names the option and the value", () => {
  assert.is(
    userErrorOf(() => parse({ state: "broken" })),
    'state: must be one of: on, off (found "broken"). Set one of these.',
  );
  assert.match(
    userErrorOf(() => parse({ index: "many" })),
    'index: must be a whole number (found "many")',
  );
  assert.match(
    userErrorOf(() => parse({ force: "perhaps" })),
    'force: must be true or false (found "perhaps")',
  );
});

test("a rejected secret value is not in the message, whatever is wrong with it", () => {
  for (const value of ["hunter2", ["hunter2", "x"], { deep: "hunter2" }, "hunter2\0"]) {
    const message = userErrorOf(() => parseOptions("lamp", secret, new Map([["password", value]])));
    assert.match(message, /^password: must .* \(found .*not shown\)\. [A-Z].*\.$/);
    assert.not.match(message, "hunter2");
  }
});

test("another error is not turned into a UserError", () => {
  const broken = {
    name: str({ description: "" }, () => {
      throw new TypeError("a defect");
    }),
  };
  assert.throws(
    () => parseOptions("lamp", broken, new Map([["name", "x"]])),
    (error: unknown) => error instanceof TypeError && error.message === "a defect",
  );
});

test.run();
