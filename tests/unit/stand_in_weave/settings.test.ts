/** How the stand-in of the Weave router is configured, and installed on a host. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { installWeaveStandIn, standInDirectory } from "../../stand-ins/weave/install";
import { readBehaviour, versionFamily } from "../../stand-ins/weave/router/behaviour";
import { parseFlags } from "../../stand-ins/weave/router/settings";
import { call, report, router, stopRouters, until } from "./routers";

test.after.each(() => stopRouters());

test("it answers slowly if configured so, also while it runs", async () => {
  let delay = 0;
  const behaviour = () => ({ ...readBehaviour("/nonexistent", {}), answerDelayMilliseconds: delay });
  const one = await router({ behaviour });
  await call(one.httpListening, "GET", "/status");
  delay = 120;
  const before = Date.now();
  await call(one.httpListening, "GET", "/status");
  assert.ok(Date.now() - before >= 110);
});

test("GET /status is 503 until the router is ready, and its report says so", async () => {
  const behaviour = { ...readBehaviour("/nonexistent", {}), readyDelayMilliseconds: 150 };
  const one = await router({ behaviour: () => behaviour });
  const early = await call(one.httpListening, "GET", "/status");
  assert.is(early.status, 503);
  assert.match(early.body, "Service: router");
  assert.is((await call(one.httpListening, "GET", "/status/peers")).status, 503);
  assert.is((await report(one)).Ready, false);
  const ready = await until(
    () => call(one.httpListening, "GET", "/status"),
    ({ status }) => status === 200,
  );
  assert.is(ready.status, 200);
  assert.is((await report(one)).Ready, true);
});

test("behaviour comes from the file, and the environment wins", () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "weave-stand-in-"));
  fs.writeFileSync(path.join(directory, "behaviour.json"), '{"answerDelayMilliseconds": 5, "failOnLaunch": "file"}');
  const found = readBehaviour(directory, { WEAVE_STAND_IN_FAIL_ON_LAUNCH: "environment" });
  assert.is(found.answerDelayMilliseconds, 5);
  assert.is(found.failOnLaunch, "environment");
  assert.is(found.retryMilliseconds, 2000);
  fs.rmSync(directory, { recursive: true });
});

test("the router's command line is taken as mflag takes it", () => {
  const { flags, peers } = parseFlags([
    "--plugin",
    "--proxy",
    "-H",
    "x",
    "--plugin=false",
    "--name=a",
    "10.0.0.1",
    "--no-dns",
  ]);
  assert.equal(
    [...flags],
    [
      ["plugin", "false"],
      ["proxy", "true"],
      ["H", "x"],
      ["name", "a"],
    ],
  );
  assert.equal(peers, ["10.0.0.1", "--no-dns"]);
  assert.throws(() => parseFlags(["--nonsense"]), "flag provided but not defined: --nonsense");
  assert.equal(["0.11.2", "1.0.3", "1.4.6", "1.9.8", "2.8.1"].map(versionFamily), ["1.0", "1.0", "1.9", "1.9", "2.x"]);
});

test("installing writes the transpiled router, and the script with its version in it, as releases have it", async () => {
  const written = new Map<string, { content: string; mode: number | undefined }>();
  const host = {
    write: async (file: string, content: string | Buffer, mode?: number): Promise<void> => {
      written.set(file, { content: content.toString(), mode });
    },
  };
  await installWeaveStandIn(host, { version: "1.9.8" });
  assert.is(written.get("/usr/local/bin/weave")?.mode, 0o755);
  assert.match(written.get("/usr/local/bin/weave")?.content ?? "", /^#!\/bin\/sh\n/);
  assert.match(written.get("/usr/local/bin/weave")?.content ?? "", /^SCRIPT_VERSION="1\.9\.8"$/m);
  assert.match(written.get("/usr/local/bin/weave")?.content ?? "", "--no-restart");
  assert.match(written.get(`${standInDirectory}/router.js`)?.content ?? "", /require\("node:http"\)/);
  assert.match(written.get(`${standInDirectory}/frames.py`)?.content ?? "", /^import socket$/m);
});

test.run();
