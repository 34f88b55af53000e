import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { MODULES } from "../../../build/modules";
import { moduleFlags, nameSource, optionsOfFlags, parseArgs, readArguments } from "../../../modules/command/arguments";
import { RUN_FLAGS } from "../../../modules/command/module_command";
import { options as serviceOptions } from "../../../modules/weave_service/options";
import { inTemporaryDirectory } from "../support/temporary_directory";
import { userErrorOf } from "../support/user_error";

for (const { module } of MODULES) {
  test(`no option of ${module.name} has the flag of a run option, or of another option`, () => {
    const flags = Object.keys(moduleFlags(module.options));
    // All but option_names, as messages name the flags.
    assert.is(flags.length, Object.keys(module.options).length - 1);
    assert.equal(
      flags.filter((flag) => flag in RUN_FLAGS || flag === "help" || flag === "version"),
      [],
    );
  });
}

test("flags are returned by the names of their options", () => {
  const argv = {
    "script-version": "2.8.1",
    "launch-args": "--no-fastdp",
    args: "file.json",
    expose: true,
    check: true,
  };
  assert.equal(Object.fromEntries(optionsOfFlags(serviceOptions, argv)), {
    script_version: "2.8.1",
    args: "--no-fastdp",
    expose: true,
  });
});

test("a message names each option as it is typed: a flag, or a name in the file; a secret is always in a file", () => {
  const message = "script_version: needs I(mode): proxy, I(args) and I(password) (found none). Set I(mtu).";
  const given = { table: serviceOptions, options: new Map(), file: null };
  assert.is(
    nameSource(message, given),
    "--script-version: needs --mode proxy, --launch-args and password (found none). Set --mtu.",
  );
  const file = { name: "a.json", options: new Set(["script_version", "mtu"]) };
  assert.is(
    nameSource(message, { ...given, file }),
    "a.json: script_version: needs --mode proxy, --launch-args and password (found none). Set mtu.",
  );
});

test("a description names other options by their flags", () => {
  const { mode, args } = serviceOptions;
  assert.match(mode.description, "With C(bridge) Docker uses I(bridge), which");
  const { mode: flag, "launch-args": launch } = moduleFlags({ mode, args });
  assert.match(flag?.describe ?? "", "With bridge Docker uses --bridge, which");
  assert.match(launch?.describe ?? "", "Additional arguments of weave launch, such as --ipalloc-range=10.2.0.0/16.");
});

test("the flag of a secret is rejected, with where to put the secret", () => {
  const { coerce, hidden } = moduleFlags(serviceOptions)["password"] ?? {};
  assert.is(hidden, true);
  assert.match(
    userErrorOf(() => coerce?.("hunter2")),
    '--password: must not be on the command line, which the process list shows (found a secret). Write it as {"password": …} into a file (--args FILE)',
  );
});

test("the file of --args gives options by their names", () => {
  inTemporaryDirectory((directory) => {
    const path = join(directory, "args.json");
    writeFileSync(path, '\ufeff{"peers": ["192.168.50.12"], "host_index": 1}\n');
    const { options, file } = readArguments(serviceOptions, { args: path });
    assert.equal(
      [...options],
      [
        ["peers", ["192.168.50.12"]],
        ["host_index", 1],
      ],
    );
    assert.equal([file?.name, ...(file?.options ?? [])], [path, "peers", "host_index"]);
  });
});

test("an unreadable file is named, with what to do", () => {
  inTemporaryDirectory((directory) => {
    const none = join(directory, "none.json");
    assert.is(
      userErrorOf(() => readArguments(serviceOptions, { args: none })),
      `--args: can't read ${none} (found ENOENT). Correct the path, or create the file.`,
    );
    assert.match(
      userErrorOf(() => readArguments(serviceOptions, { args: directory })),
      `${directory} (found EISDIR). Name a file instead of the directory.`,
    );
  });
});

test("text that is not a JSON object is rejected, and the message repeats none of it", () => {
  for (const [text, what] of [
    ["", "args.json must be JSON (found an empty text). Write the module's options as JSON"],
    [" \n", "args.json must be JSON (found an empty text)"],
    ["hunter2", "args.json must be JSON (found a mistake"],
    ['{"password": "hunter2",\n"peers": [}\n', "args.json must be JSON (found a mistake"],
    ['{"password": "hunter2"', "args.json must be JSON (found a mistake"],
    ["password: hunter2\n", "args.json must be JSON (found a mistake"],
    ['["hunter2"]', "args.json must be a JSON object"],
    ['"hunter2"', "args.json must be a JSON object"],
    ["null", "args.json must be a JSON object"],
  ] as const) {
    const message = userErrorOf(() => parseArgs("args.json", text));
    assert.match(message, what);
    assert.not.match(message, "hunter2");
  }
});

test("a flag overrides the file, and is then not named as from the file", () => {
  inTemporaryDirectory((directory) => {
    const path = join(directory, "args.json");
    writeFileSync(path, '{"mtu": 1400, "dns": true}');
    const { options, file } = readArguments(serviceOptions, { args: path, mtu: "1450" });
    assert.equal(Object.fromEntries(options), { mtu: "1450", dns: true });
    assert.equal([...(file?.options ?? [])], ["dns"]);
  });
});

test.run();
