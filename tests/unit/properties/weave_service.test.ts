import * as fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { redactSecrets } from "../../../modules/core/redact";
import { weaveService } from "../../../modules/weave_service/plan";
import type { Directory } from "../support/fake_host/directory";
import { type FakeHost, fakeHostIn } from "../support/fake_host/fake_host";
import { ENVIRONMENT, SCRIPT, UNIT, Weave } from "../support/fake_host/weave";
import { forAllLater } from "../support/property";
import { SCRIPT as SCRIPT_TEXT } from "../weave_service/fixtures";
import { assertCheckPredictsRun, inMemory, interrupt, type Options, runOn } from "./check_and_run";
import { found, putFound, text } from "./found_files";

const test = suite("the promise of weave_service's check");

const SECRETS = ['hunter2 & "more"', "p\u00e4ss$word'"];

/** What depends on how containers are connected. The last one is rejected. */
const MODES: readonly Options[] = [
  ...Array(4).fill({ mode: "bridge" }),
  { mode: "proxy" },
  { mode: "proxy", expose: true },
  { mode: "plugin", expose: true, dns: true },
  { mode: "bridge", dns: true },
];

const common = fc.record({
  state: fc.constantFrom("started", "started", "started", "restarted", "enabled", "stopped", "absent"),
  peers: fc.subarray(["192.168.50.11", "192.168.50.12", "192.168.50.13", "host1", "host2"]),
  args: fc.constantFrom(null, ["--ipalloc-range=10.40.0.0/16"], ["--no-restart"]),
  mtu: fc.constantFrom(1500, 1400),
  env: fc.constantFrom(null, { WEAVE_DEBUG: "1 %h $HOME \u00e9" }),
  password: fc.constantFrom(null, ...SECRETS),
  timeout: fc.constant(1),
});
const options: fc.Arbitrary<Options> = fc
  .tuple(common, fc.constantFrom(...MODES))
  .map(([given, mode]) => ({ ...given, ...mode }));

interface WeaveHost {
  readonly host: FakeHost;
  readonly directory: Directory;
  readonly weave: Weave;
}

/** Changes on a host since the last run, made by an operator, Docker or systemd. */
const DRIFTS: Readonly<Record<string, (on: WeaveHost) => unknown>> = {
  "launched by hand": ({ weave }) => {
    if (!weave.container?.running) weave.launch({ WEAVE_NO_FASTDP: "1", WEAVE_PEERS: "192.168.50.99" }, "always");
  },
  "launched by hand with a password": ({ weave }) => {
    if (!weave.container?.running) weave.launch({ WEAVE_PASSWORD: SECRETS[0] ?? "" }, "always");
  },
  "stopped by hand": ({ host }) => host.try("systemctl stop weave.service"),
  failed: ({ host, weave }) => {
    host.try("systemctl stop weave.service");
    weave.unit = "failed";
  },
  "between two tries, with a container": ({ weave }) => {
    if (weave.unit === "active") weave.unit = "auto-restart";
  },
  "between two tries, without one": ({ host, weave }) => {
    host.try("systemctl stop weave.service");
    weave.unit = "auto-restart";
  },
  "another target": ({ weave }) => weave.targets.push("192.168.50.98"),
  "TX checksum offload turned on": ({ weave }) => Object.assign(weave, { unfinished: true }),
  "an address less": ({ weave }) => Object.assign(weave, { exposed: false }),
  "a rule less": ({ weave }) => Object.assign(weave, { accepted: false }),
  "a restart policy": ({ weave }) => Object.assign(weave.container ?? {}, { restartPolicy: "always" }),
  "started with the system": ({ directory }) =>
    directory.putLink("/etc/systemd/system/multi-user.target.wants/weave.service", UNIT),
  "a container removed": ({ weave }) => {
    if (!weave.container?.running) weave.container = null;
  },
  "systemd reloaded": ({ weave }) => weave.reload(),
  "no Docker": ({ host, weave }) => {
    host.try("systemctl stop weave.service");
    weave.docker = false;
  },
};

const states = fc.record({
  environment: found(
    text([
      "WEAVE_PEERS=192.168.50.12",
      `WEAVE_PASSWORD="${"old secret"}"`,
      "export PASSWORD='old secret'",
      "WEAVE_ARGS=",
      "# Ansible managed (weave_service).",
    ]),
  ),
  unit: found(
    text([
      "[Unit]",
      "[Service]",
      "EnvironmentFile=-/etc/weave.%H.env",
      "ExecStart=/mnt/weave launch --password='old secret'",
    ]),
  ),
  programs: fc.constantFrom("ethtool", "ethtool", "ethtool", "other"),
  script: fc.constantFrom(true, true, true, false),
  before: fc.option(fc.tuple(options, fc.oneof(fc.constant(99), fc.integer({ min: 0, max: 9 }))), { nil: null }),
  drifts: fc.subarray(Object.keys(DRIFTS), { maxLength: 3 }),
});

type State = typeof states extends fc.Arbitrary<infer Value> ? Value : never;

async function hostOf(directory: Directory, state: State): Promise<WeaveHost> {
  const weave = new Weave(directory);
  const host = fakeHostIn(directory, weave);
  directory.put("/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
  directory.put(`/usr/sbin/${state.programs}`, "");
  for (const program of ["iptables", "iptables-nft", "iptables-nft-save", "ipset"])
    directory.put(`/usr/sbin/${program}`, "");
  directory.put("/etc/systemd/system/other.service", "\xff");
  if (state.script) directory.put(SCRIPT, SCRIPT_TEXT, 0o755);
  putFound(directory, ENVIRONMENT, state.environment);
  putFound(directory, UNIT, state.unit);
  weave.reload();
  if (state.before !== null) await interrupt(weaveService, host, ...state.before);
  for (const drift of state.drifts) DRIFTS[drift]?.({ host, directory, weave });
  weave.now += 5;
  return { host, directory, weave };
}

/** A diff shows those lines of the environment file that the module writes, except the password. */
const shown = (content: string, path: string): string =>
  path === ENVIRONMENT
    ? content
        .split("\n")
        .filter((line) => OWN_LINE.test(line))
        .join("\n")
    : redactSecrets(content);
const OWN_LINE = /^(WEAVE_PEERS|WEAVE_ARGS|WEAVE_MTU|WEAVE_NO_FASTDP|DOCKER_BRIDGE|CHECKPOINT_DISABLE)="[^"]*"$/;

let [succeeded, failed, changed] = [0, 0, 0];

test("on any host: a check reports all that the run does, a second run has nothing to do, no secret is shown", async () => {
  await forAllLater(
    [states, options],
    (state, given) =>
      inMemory(async (directory) => {
        const { host, weave } = await hostOf(directory, state);
        const run = await assertCheckPredictsRun(weaveService, host, given, {
          live: ["router", "script_version", "expose_pending"],
          shown,
        });
        for (const secret of [...SECRETS, "old secret"])
          assert.not.ok(JSON.stringify(run).includes(JSON.stringify(secret).slice(1, -1)), secret);
        if (run.failed) {
          failed++;
          if (process.env["SHOW"]) console.log(String(run.msg).slice(0, 90));
          return;
        }
        succeeded++;
        if (run.changed) changed++;
        if (given["state"] === "restarted") return;
        weave.now += 5;
        const again = await runOn(weaveService, host, given);
        assert.equal([again.msg, again.changes], [undefined, undefined], "a second run has something to do");
      }),
    100,
  );
  console.log(`${succeeded} runs succeeded, ${changed} of them with changes, ${failed} failed`);
  assert.ok(changed > 40, "too few cases with changes");
});

test.run();
