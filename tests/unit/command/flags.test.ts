import { test } from "uvu";
import * as assert from "uvu/assert";
import { MODULES } from "../../../build/modules";
import { givenFlags, moduleFlags } from "../../../modules/command/flags";
import { RUN_FLAGS } from "../../../modules/command/module_command";
import { options as serviceOptions } from "../../../modules/weave_service/options";
import { refusalOf } from "../support/refusal";

for (const { module } of MODULES) {
  test(`no option of ${module.name} has a flag of the command's own, or another option's`, () => {
    const flags = Object.keys(moduleFlags(module.options));
    assert.is(flags.length, Object.keys(module.options).length);
    assert.equal(
      flags.filter((flag) => flag in RUN_FLAGS || flag === "help" || flag === "version"),
      [],
    );
  });
}

test("the flags that were given, by the names of their options", () => {
  const argv = {
    "script-version": "2.8.1",
    "launch-args": "--no-fastdp",
    args: "file.json",
    expose: true,
    check: true,
  };
  assert.equal(Object.fromEntries(givenFlags(serviceOptions, argv)), {
    script_version: "2.8.1",
    args: "--no-fastdp",
    expose: true,
  });
});

test("a description names other options by their flags", () => {
  const { mode, args } = serviceOptions;
  assert.match(mode.description, "C(bridge) is Docker's own bridge I(bridge)");
  const { mode: flag, "launch-args": launch } = moduleFlags({ mode, args });
  assert.match(flag?.describe ?? "", "bridge is Docker's own bridge --bridge, which");
  assert.match(launch?.describe ?? "", "More arguments of weave launch, such as --ipalloc-range=10.2.0.0/16.");
});

test("a secret has a flag that only says where it belongs", () => {
  const { coerce, hidden } = moduleFlags(serviceOptions)["password"] ?? {};
  assert.is(hidden, true);
  assert.match(
    refusalOf(() => coerce?.("hunter2")),
    '--password: everybody can read it in the process list; give it as {"password": …} in a file (--args FILE)',
  );
});

test.run();
