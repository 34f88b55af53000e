import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseArgs, readArgsFile } from "../../../modules/command/args_file";
import { refusalOf } from "../support/refusal";
import { inTemporaryFolder } from "../support/temporary_folder";

test("the options of a JSON object, by their names", () => {
  inTemporaryFolder((folder) => {
    const path = join(folder, "args.json");
    writeFileSync(path, '\ufeff{"peers": ["192.168.50.12"], "host_index": 1}\n');
    assert.equal(
      [...readArgsFile(path)],
      [
        ["peers", ["192.168.50.12"]],
        ["host_index", 1],
      ],
    );
  });
});

test("a file that can't be read is named, with what to do", () => {
  inTemporaryFolder((folder) => {
    const none = join(folder, "none.json");
    assert.is(
      refusalOf(() => readArgsFile(none)),
      `--args: can't read ${none} (ENOENT); there is no such file: correct the path, or write the file`,
    );
    assert.match(
      refusalOf(() => readArgsFile(folder)),
      `${folder} (EISDIR); it is a folder`,
    );
  });
});

test("what is no JSON object is refused with where that shows, and nothing of it is repeated", () => {
  for (const [text, what] of [
    ["", "args.json is empty; write the module's options as JSON"],
    [" \n", "args.json is empty"],
    ["hunter2", "args.json is not JSON"],
    ['{"password": "hunter2",\n"peers": [}\n', "args.json is not JSON"],
    ['{"password": "hunter2"', "args.json is not JSON"],
    ["password: hunter2\n", "args.json is not JSON"],
    ['["hunter2"]', "args.json has no JSON object in it"],
    ['"hunter2"', "args.json has no JSON object in it"],
    ["null", "args.json has no JSON object in it"],
  ] as const) {
    const message = refusalOf(() => parseArgs("args.json", text));
    assert.match(message, what);
    assert.not.match(message, "hunter2");
  }
});

test.run();
