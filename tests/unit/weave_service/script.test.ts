import { test } from "uvu";
import * as assert from "uvu/assert";
import { readWeaveScript, scriptOfVersion } from "../../../modules/weave_service/script";

const SERIES: Readonly<Record<string, string>> = {
  "0.11.2": "1.0",
  "1.0.3": "1.0",
  "1.1.0": "1.0",
  "1.2.0": "1.2",
  "1.9.8": "1.2",
  "2.0.0": "2.0",
  "2.8.1": "2.0",
  "2.9.0": "2.0",
  "10.0.0": "2.0",
};

for (const [version, series] of Object.entries(SERIES)) {
  test(`the script of ${version} is of the series ${series}`, () => {
    const { version: read, series: seen } = readWeaveScript(`#!/bin/sh\nset -e\n\nSCRIPT_VERSION="${version}"\n`);
    assert.equal([read, seen], [version, series]);
    assert.is(scriptOfVersion(version).series, series);
  });
}

test("a build without a number is of the newest", () => {
  for (const text of ['SCRIPT_VERSION="(unreleased version)"\n', 'SCRIPT_VERSION="git-0a1b2c3"\n', ""]) {
    assert.equal(readWeaveScript(text), {
      version: null,
      series: "2.0",
      hasReport: true,
      knowsNoRestart: false,
      knowsHttpAddress: true,
    });
  }
});

test("--no-restart and WEAVE_HTTP_ADDR came with 1.5.0", () => {
  for (const version of ["0.11.2", "1.0.3", "1.2.0", "1.4.6", "1.5.0", "1.9.8", "1.10.0", "2.0.0", "10.0.0"]) {
    const known = !/^(0|1\.[0-4])\./.test(version);
    const { knowsNoRestart, knowsHttpAddress } = scriptOfVersion(version);
    assert.equal([knowsNoRestart, knowsHttpAddress], [known, known], version);
  }
});

test.run();
