import { test } from "uvu";
import * as assert from "uvu/assert";
import { expectedScript, readWeaveScript } from "../../../modules/weave_service/script";

const generations: Readonly<Record<string, string>> = {
  "0.11.2": "first",
  "1.0.3": "first",
  "1.1.0": "first",
  "1.2.0": "second",
  "1.9.8": "second",
  "2.0.0": "third",
  "2.8.1": "third",
  "2.9.0": "third",
  "10.0.0": "third",
};

for (const [version, generation] of Object.entries(generations)) {
  test(`the script of ${version} is of the ${generation} generation`, () => {
    const { version: read, generation: seen } = readWeaveScript(`#!/bin/sh\nset -e\n\nSCRIPT_VERSION="${version}"\n`);
    assert.equal([read, seen], [version, generation]);
    assert.is(expectedScript(version).generation, generation);
  });
}

test("a build without a number is of the newest", () => {
  for (const text of ['SCRIPT_VERSION="(unreleased version)"\n', 'SCRIPT_VERSION="git-0a1b2c3"\n', ""]) {
    assert.equal(readWeaveScript(text), {
      version: null,
      generation: "third",
      knowsNoRestart: false,
      knowsHttpAddress: true,
    });
  }
});

test("--no-restart and WEAVE_HTTP_ADDR came with 1.5.0", () => {
  for (const version of ["0.11.2", "1.0.3", "1.2.0", "1.4.6", "1.5.0", "1.9.8", "1.10.0", "2.0.0", "10.0.0"]) {
    const known = !/^(0|1\.[0-4])\./.test(version);
    const { knowsNoRestart, knowsHttpAddress } = expectedScript(version);
    assert.equal([knowsNoRestart, knowsHttpAddress], [known, known], version);
  }
});

test.run();
