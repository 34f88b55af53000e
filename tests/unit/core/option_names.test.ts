import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { parse } from "yaml";
import { UserError } from "../../../modules/core/errors";
import type { Module } from "../../../modules/core/module";
import { nameOptions, optionNames } from "../../../modules/core/option_names";
import { str } from "../../../modules/core/options";
import { runModule } from "../../../modules/core/run_module";
import { fakeHost } from "../support/fake_host/fake_host";

const NAMES = { network: "weave_network", host_index: "weave_host_index" };

test("an option that a message begins with, or that is marked in it, is named as asked, and any other by its own name", () => {
  const message = "network: must fit the network (found I(mtu) and I(host_index)). Set another I(network).";
  assert.is(
    nameOptions(message, NAMES),
    "weave_network: must fit the network (found mtu and weave_host_index). Set another weave_network.",
  );
  assert.is(nameOptions(message, {}), "network: must fit the network (found mtu and host_index). Set another network.");
  for (const other of ["network:", "a network: x", "/etc/network: x", "I(network", "I(toString)", ""])
    assert.is(nameOptions(other, NAMES), other);
});

test("a flag is named with its value as it is typed", () => {
  const flags = { mode: "--mode", host_index: "--host-index" };
  assert.is(
    nameOptions("host_index: needs I(mode): proxy (found I(mode): in a list). Set I(mode).", flags),
    "--host-index: needs --mode proxy (found --mode in a list). Set --mode.",
  );
});

test("values that look like a mark, or like a replacement's, are shown as they are", () => {
  for (const found of ["$&", "$1", "I(Network)", "I()", "I(network )"])
    assert.is(nameOptions(`network: found ${found}`, NAMES), `weave_network: found ${found}`);
});

const options = { network: str({ description: "" }), option_names: optionNames };

/** A module that fails where its network is "wrong", and warns otherwise. */
const module: Module<typeof options, null> = {
  name: "lamp",
  options,
  observe: () => null,
  plan: ({ network }) => {
    if (network === "wrong") throw new UserError("network: must be right (found wrong). Set another I(network).");
    return { changes: [], returns: { value: "I(network)" }, warnings: ["network: looks odd. Remove I(network)."] };
  },
};

async function result(args: object, check = false): Promise<{ msg?: string; warnings?: readonly string[] }> {
  return runModule(module, new Map(Object.entries(args)), { check, diff: false }, fakeHost({}), async () => undefined);
}

for (const check of [false, true]) {
  test(`messages, warnings and wrong values, ${check ? "in check mode" : "in a run"}`, async () => {
    for (const names of [NAMES, "network=weave_network"]) {
      const wrong = await result({ network: "wrong", option_names: names }, check);
      assert.is(wrong.msg, "weave_network: must be right (found wrong). Set another weave_network.");
      const right = await result({ network: "right", option_names: names }, check);
      assert.equal(right.warnings, ["weave_network: looks odd. Remove weave_network."]);
      const list = await result({ network: ["a"], option_names: names }, check);
      assert.match(list.msg ?? "", /^weave_network: must be a string \(found \["a"\]\)/);
    }
    const own = await result({ network: "wrong" }, check);
    assert.is(own.msg, "network: must be right (found wrong). Set another network.");
  });
}

test("wrong names are rejected", async () => {
  for (const names of [{ Network: "a" }, { network: "a\nb" }, { network: ["a"] }, ["a"], "network"])
    assert.match(
      (await result({ option_names: names })).msg ?? "",
      /^option_names: must .* \(found .+\)\. Write /,
      JSON.stringify(names),
    );
});

test("the role's names for the modules' options can be given", () => {
  const path = join(__dirname, "../../../roles/weave/vars/main.yml");
  const variables = parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  const tables = Object.entries(variables).filter(([name]) => name.endsWith("_option_names"));
  assert.ok(tables.length > 3);
  for (const [name, table] of tables) {
    if (typeof table === "object") assert.ok(optionNames.convert(withoutTemplates(table)), name);
  }
});

const withoutTemplates = (table: object | null): object =>
  Object.fromEntries(Object.entries(table ?? {}).filter(([, value]) => !String(value).includes("{{")));

test.run();
