import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Action } from "../../../modules/core/change";
import { escapedQuotes } from "../../../modules/docker_bridge_opts/escaped_quotes";
import { plan } from "../../../modules/docker_bridge_opts/plan";
import { userErrorOf } from "../support/user_error";
import {
  asked,
  DEBIAN_UNIT,
  FRESH,
  runningWith,
  STEADY,
  savedOf,
  unitWith,
  usual,
  withCommand,
  withOptionsFile,
} from "./fixtures";

const OPTIONS = String.raw`DOCKER_OPTS=\"--label=a --mtu=1400\"`;
const DIRECTORY = String.raw`DOCKER_TMPDIR=\"/srv\"`;

test("a value whose quotes are escaped is found where it counts", () => {
  for (const init of ["systemd", "script"] as const) {
    assert.equal(escapedQuotes(`# ${DIRECTORY}\nA=1\n  ${OPTIONS}\n`, init), { line: 3, text: OPTIONS });
    assert.equal(escapedQuotes(DIRECTORY, init)?.line, 1);
    assert.equal(escapedQuotes(String.raw`export http_proxy=\'http://proxy:1\'`, init)?.line, 1);
    assert.is(escapedQuotes(`${OPTIONS}\nDOCKER_OPTS="--label=a"\n`, init), null, "a later assignment counts");
    assert.is(escapedQuotes(`DOCKER_OPTS="--label=a"\nA=1\\\n${DIRECTORY}`, init), null);
    assert.is(escapedQuotes("", init), null);
  }
});

test("systemd takes the quotes off a single word of DOCKER_OPTS; a shell does not", () => {
  const single = String.raw`DOCKER_OPTS=\"--label=a\"`;
  assert.is(escapedQuotes(single, "systemd"), null);
  assert.is(escapedQuotes(single, "script")?.line, 1);
});

test("such a file is rejected before anything is planned, if Docker reads it", () => {
  const observed = (content: string) => withOptionsFile(STEADY, content);
  for (const options of [usual(), asked({ state: "absent" }), asked({ state: "restarted" })]) {
    assert.is(
      userErrorOf(() => plan(options, observed(`A=1\n${DIRECTORY}\n`))),
      `/etc/default/docker: the value in line 2 must not begin with an escaped quote, which becomes part of it (found ${DIRECTORY}). Remove the backslashes and run again.`,
    );
  }
  const secret = String.raw`http_proxy=\"http://me:hush@proxy:1\"`;
  assert.not.match(
    userErrorOf(() => plan(usual(), observed(secret))),
    "hush",
  );
  const notRead = withCommand(observed(DIRECTORY), "/usr/sbin/dockerd -H fd://");
  assert.ok(plan(usual(), { ...notRead, dockerOptsIsRead: false, service: { ...notRead.service, readsFile: false } }));
});

test("Docker is not restarted into a chain that systemd does not expand; setting the options repairs it", () => {
  const chain = 'DOCKER_OPTS="--label=a=b"\nDOCKER_OPTS="$DOCKER_OPTS --graph=/srv"\n';
  const observed = withOptionsFile(FRESH, chain);
  const first = (from: typeof observed): Action | undefined =>
    plan(asked({ state: "restarted" }), from).changes.at(-1)?.actions[0];
  const failing = first(observed);
  assert.ok(failing?.do === "fail", "the restart is planned, as check mode needs, and fails before its first step");
  assert.match(
    failing.message,
    "Docker was not restarted, as it would not start. DOCKER_OPTS, /etc/default/docker, line 2: must not refer to a variable, as systemd expands none there (found $DOCKER_OPTS).",
  );
  const content = plan(usual(), observed).changes.find(({ subject }) => subject.endsWith("zz-weave.conf"))?.after ?? "";
  const repaired = { ...observed, dropIn: { content, mode: 0o644 } };
  assert.is.not(first(repaired)?.do, "fail", "with the drop-in it starts");
  const byScript = { ...observed, service: { ...FRESH.service, init: "script" as const, unit: null } };
  assert.is.not(first(byScript)?.do, "fail");
});

/** What fails before Docker is restarted; "" if nothing does. */
const failure = (observed: typeof FRESH): string => {
  const [first] = plan(asked({ state: "restarted" }), observed).changes.at(-1)?.actions ?? [];
  return first?.do === "fail" ? first.message : "";
};
const withConfig = (content: string): typeof FRESH => ({ ...FRESH, config: { content, mode: 0o644 } });

test("Docker is not restarted into files that it does not start with, whoever has written them", () => {
  const says = "Docker was not restarted, as it would not start. /etc/docker/daemon.json: ";
  assert.is(
    failure(withConfig('{"log-level": "verbose"}')),
    `${says}--log-level must be debug, info, warn, error or fatal, or dockerd does not start (found --log-level=verbose). Correct it.`,
  );
  assert.match(failure(withConfig('{"features": {"buildkit": "true"}}')), `${says}"features" must be`);
  assert.match(
    failure(withConfig('{"mtu": 1450.0}')),
    '"mtu" must be written without 1450.0, which is not a whole number',
  );
  assert.match(
    failure(withConfig('{"fo": 1}')),
    'must have options of dockerd only, or dockerd does not start (found "fo")',
  );
  assert.match(
    failure(withConfig('{"hosts": ["unix:///var/run/docker.sock"]}')),
    "must not have options of dockerd's command line",
  );
  for (const line of ["--log-level=verbose", "--no-such", "weave", "--label=a=1 --label=a=2", "--tlsverify"])
    assert.match(failure(withOptionsFile(FRESH, `DOCKER_OPTS="${line}"\n`)), "Docker was not restarted", line);
  assert.is(failure(withConfig('{"log-level": "debug", "features": {"buildkit": true}, "mtu": 0}')), "");
});

test("what the running Docker has, and what a rollback can undo, does not keep it from being restarted", () => {
  const line = "--log-level=verbose --no-such=1";
  const written = withOptionsFile(FRESH, `DOCKER_OPTS="${line}"\n`);
  assert.not.equal(failure(written), "");
  assert.is(failure({ ...written, daemon: runningWith(line) }), "");
  const saved = savedOf(runningWith(""), { daemon: null });
  assert.is(failure({ ...written, daemon: null, saved }), "");
  assert.not.equal(failure({ ...written, daemon: null }), "");
});

test("Docker is not restarted without a file that its unit requires", () => {
  const unit = unitWith(DEBIAN_UNIT.replace("[Service]", "[Service]\nEnvironmentFile=/etc/docker/missing.env"));
  const message = failure({ ...FRESH, service: { ...FRESH.service, unit } });
  assert.match(
    message,
    "line 2: EnvironmentFile= must be readable, or systemd does not start Docker (found that /etc/docker/missing.env does not exist)",
  );
});

test("a dockerd that can validate its configuration does so before a restart", () => {
  const [first] = plan(asked({ state: "restarted" }), { ...FRESH, version: "26.1.5" }).changes[0]?.actions ?? [];
  assert.is(first?.do, "validate");
});

test.run();
