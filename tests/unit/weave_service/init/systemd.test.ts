import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { resolveDesired } from "../../../../modules/weave_service/desired";
import { readWeaveScript } from "../../../../modules/weave_service/script";
import { inTemporaryDirectory } from "../../support/temporary_directory";
import { userErrorOf } from "../../support/user_error";
import { FRESH, serviceOptions } from "../fixtures";

const renderUnit = (script: string, mode = "bridge"): string =>
  resolveDesired({ ...serviceOptions({ mode }), script }, FRESH).text;

test("the script's path is in every command", () => {
  const unit = renderUnit("/mnt/weave-2.8.1", "proxy");
  assert.not.match(unit, "/usr/local/bin/weave");
  assert.is(unit.split("/mnt/weave-2.8.1").length, 4);
});

test("a percent sign in the script's path is doubled, as systemd expands it", () => {
  assert.match(renderUnit("/mnt/a%h", "proxy"), "ExecStop=/mnt/a%%h stop");
});

test("on our bridge the script of 2.0 or newer stops nothing, as it would remove a Docker network with the name weave", () => {
  assert.not.match(renderUnit("/mnt/weave"), "/mnt/weave stop");
  assert.is(
    renderUnit("/mnt/weave").split("/usr/bin/docker stop weave").length,
    3,
    "before the launch, and at the end",
  );
  const script = readWeaveScript('#!/bin/sh\nSCRIPT_VERSION="1.9.8"\n--no-restart\n');
  assert.match(
    resolveDesired(serviceOptions(), { ...FRESH, script }).text,
    "ExecStop=/usr/local/bin/weave stop-router",
  );
});

test("a path that would be more than one word is rejected", () => {
  for (const script of ["/mnt/a b", "/mnt/a\nExecStop=/bin/true", "/mnt/$HOME", '/mnt/"a"', "/mnt/a;b", "/mnt/a\\x"]) {
    assert.match(
      userErrorOf(() => renderUnit(script)),
      "must be one word of a unit's command line",
    );
  }
});

test("systemd-analyze finds nothing wrong with the unit, if it is installed", () => {
  if (spawnSync("systemd-analyze", ["--version"]).status !== 0) return;
  inTemporaryDirectory((directory) => {
    // It checks that the programs and the required unit exist.
    writeFileSync(join(directory, "docker.service"), "[Service]\nExecStart=/bin/true\n");
    const unit = renderUnit("/bin/true").replace("/usr/bin/docker", "/bin/true");
    writeFileSync(join(directory, "weave.service"), unit);
    const environment = { ...process.env, SYSTEMD_UNIT_PATH: `${directory}:` };
    const { stderr } = spawnSync("systemd-analyze", ["verify", join(directory, "weave.service")], {
      env: environment,
      encoding: "utf8",
    });
    const own = stderr.split("\n").filter((line) => line.includes(join(directory, "weave.service")));
    assert.equal(own, []);
  });
});

test.run();
