import * as fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { redactSecrets } from "../../../modules/core/redact";
import { desiredFlags } from "../../../modules/docker_bridge_opts/desired";
import { dockerBridgeOpts } from "../../../modules/docker_bridge_opts/plan";
import { asked } from "../docker_bridge_opts/fixtures";
import type { Directory } from "../support/fake_host/directory";
import { CONFIG, Docker, type Network, OPTIONS_FILE, SCRIPT, UNIT } from "../support/fake_host/docker";
import { type FakeHost, fakeHostIn } from "../support/fake_host/fake_host";
import { forAllLater } from "../support/property";
import { assertCheckPredictsRun, inMemory, interrupt, type Options, runOn } from "./check_and_run";
import { found, putFound, text } from "./found_files";

const test = suite("docker_bridge_opts: a check predicts the run");

const LINES = [
  'DOCKER_OPTS=""',
  'DOCKER_OPTS="--log-level=warn --bridge=weave"',
  "DOCKER_OPTS='--label=\"a=a b\" -H fd://'",
  "DOCKER_OPTS=--dns=8.8.8.8 --icc=false",
  'DOCKER_OPTS="$DOCKER_OPTS --bridge=weave --fixed-cidr=10.2.9.0/24"',
  'DOCKER_OPTS="--mtu $MTU"',
  'export DOCKER_OPTS="--debug"',
  '#DOCKER_OPTS="--dns 8.8.8.8 --dns 8.8.4.4"',
  'export http_proxy="http://user:secret@127.0.0.1:3128/"',
  "DOCKER_OPTS='--log-opt splunk-token=hush'",
  "MTU=1400",
  "if true; then",
  "fi",
];

const UNITS: Readonly<Record<string, string>> = {
  debian:
    "[Service]\nEnvironmentFile=-/etc/default/docker\nExecStart=/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock $DOCKER_OPTS\n",
  ce: "[Service]\nExecStart=/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock\n",
  "hard-coded":
    '[Service]\r\n; by hand\nExecStart=/usr/bin/dockerd -H fd:// \\\n  # within\n --bridge br9 --label "a=a b" --mtu=1400',
};

const KEYS: Readonly<Record<string, unknown>> = {
  bridge: "br0",
  dns: ["8.8.8.8"],
  labels: ["a=b", "c=\u00e9"],
  mtu: 1400,
  "log-opts": { "max-size": "10m", "splunk-token": "hush" },
  "live-restore": true,
  "default-address-pools": [{ base: "172.80.0.0/16", size: 24 }],
};
const json = fc
  .tuple(
    fc.subarray(Object.keys(KEYS)),
    fc.constantFrom(undefined, 2, 4, "\t"),
    fc.constantFrom("\n", "\r\n"),
    fc.constantFrom("", "\n", " \r\n"),
  )
  .map(([keys, indent, newline, end]) => {
    const object = Object.fromEntries(keys.map((key) => [key, KEYS[key]]));
    const bytes = Buffer.from(JSON.stringify(object, null, indent), "utf8").toString("latin1");
    return bytes.replace(/\n/g, newline) + end;
  });

const anyOptions = fc.record({
  state: fc.constantFrom("present", "present", "present", "absent"),
  location: fc.constantFrom("auto", "auto", "docker_opts", "daemon_json"),
  network: fc.constantFrom(null, null, null, "weave", "flat"),
  bridge: fc.constantFrom("weave", "weave", null),
  fixed_cidr: fc.constantFrom("10.2.1.0/24", "10.2.2.0/24", null, "10.9.0.0/24"),
  mtu: fc.constantFrom(1450, null),
  dns: fc.constantFrom(null, "8.8.8.8", ["172.17.42.1", "8.8.8.8"]),
  opts: fc.constantFrom(
    "",
    "--log-level=warn",
    "--label a=b --label c=d",
    { "live-restore": true },
    "--brige=weave",
    "-H tcp://127.0.0.1:1",
    "--debug",
  ),
});
const options: fc.Arbitrary<Options> = fc
  .tuple(anyOptions, fc.integer({ min: 0, max: 9 }))
  .map(([given, seldom]) =>
    given.network === null || seldom === 0 ? given : { ...given, bridge: "weave", fixed_cidr: "10.2.1.0/24" },
  );

const onBridge = (name: string, mtu: string, subnet = "10.2.0.0/16"): Network => ({
  Id: `id-of-${name}`,
  Name: name,
  Driver: "bridge",
  Options: { "com.docker.network.bridge.name": "weave", "com.docker.network.driver.mtu": mtu },
  IPAM: { Config: [{ Subnet: subnet, IPRange: "10.2.1.0/24", Gateway: "10.2.0.1" }] },
});
const NETWORKS: Readonly<Record<string, Network>> = {
  same: onBridge("weave", "1450"),
  "other mtu": onBridge("weave", "1400"),
  "other name": onBridge("flat", "1450"),
  app: { ...onBridge("app", "1500", "172.18.0.0/16"), Options: {} },
  "app in the way": { ...onBridge("app", "1500", "10.2.128.0/20"), Options: {} },
  foreign: { ...onBridge("weave", "1410", "10.32.0.0/12"), Driver: "weavemesh", Options: {} },
};

const states = fc.record({
  init: fc.constantFrom("systemd", "systemd", "systemd", "script"),
  unit: fc.constantFrom(...Object.keys(UNITS)),
  optionsFile: found(text(LINES)),
  config: found(fc.oneof({ weight: 9, arbitrary: json }, { weight: 1, arbitrary: text(["{", "}", '"a": 1']) })),
  dropIn: found(
    text([
      "[Service]",
      "ExecStart=",
      "ExecStart=/usr/bin/dockerd $DOCKER_OPTS",
      "EnvironmentFile=-/etc/default/docker",
    ]),
  ),
  running: fc.boolean(),
  hangs: fc.constantFrom(false, false, false, true),
  before: fc.option(fc.tuple(options, fc.oneof(fc.constant(99), fc.integer({ min: 0, max: 9 }))), { nil: null }),
  drifts: fc.array(fc.constantFrom('DOCKER_OPTS="--bridge=br7"', "DOCKER_OPTS=", "# \xfc"), { maxLength: 2 }),
  restarted: fc.boolean(),
  networks: fc.uniqueArray(fc.constantFrom(...Object.keys(NETWORKS)), { maxLength: 2 }),
  member: fc.constantFrom(null, null, null, null, "weave", "flat", "app"),
});

type State = typeof states extends fc.Arbitrary<infer Value> ? Value : never;

interface DockerHost {
  readonly host: FakeHost;
  readonly docker: Docker;
}

async function hostOf(directory: Directory, state: State): Promise<DockerHost> {
  const docker = new Docker(directory);
  const host = fakeHostIn(directory, docker);
  if (state.init === "systemd") {
    directory.put("/run/systemd/system/.there", "");
    directory.put(UNIT, UNITS[state.unit] ?? "");
    putFound(directory, "/etc/systemd/system/docker.service.d/zz-weave.conf", state.dropIn);
  } else directory.put(SCRIPT, ". /etc/default/$BASE\n$DOCKERD $DOCKER_OPTS\n");
  putFound(directory, OPTIONS_FILE, state.optionsFile);
  putFound(directory, CONFIG, state.config);
  directory.put("/etc/docker/key.json", "\xff");
  docker.reload();
  if (state.running) docker.start();
  if (state.before !== null) await interrupt(dockerBridgeOpts, host, ...state.before);
  const content = host.readFile(OPTIONS_FILE)?.content;
  if (content !== undefined) directory.put(OPTIONS_FILE, [content, ...state.drifts, ""].join("\n"));
  if (state.restarted) docker.start();
  // A daemon that does not answer can't be asked for them, and with files that others have prepared it may not start beside them.
  const none = state.hangs || state.before !== null;
  for (const name of none ? [] : state.networks) if (NETWORKS[name]) docker.createNetwork(NETWORKS[name]);
  if (state.member !== null) docker.members = { web: state.member };
  docker.hangs = state.hangs;
  docker.now++;
  return { host, docker };
}

/** The options that dockerd would get, without the managed ones; null where it would not start. */
function others(docker: Docker, managed: readonly string[]): object | null {
  try {
    docker.reload();
    return Object.fromEntries([...docker.wouldRunWith()].filter(([name]) => !managed.includes(name)).sort());
  } catch {
    return null;
  }
}

const otherLines = (host: FakeHost): string[] =>
  (host.readFile(OPTIONS_FILE)?.content ?? "")
    .split("\n")
    .filter((line) => line !== "" && !line.includes("DOCKER_OPTS"));

let [succeeded, rejected, restarts] = [0, 0, 0];

test("on any host: a check predicts all that the run does, a second run has nothing to do, other options stay", async () => {
  await forAllLater(
    [states, options],
    (state, given) =>
      inMemory(async (directory) => {
        const { host, docker } = await hostOf(directory, state);
        const lines = otherLines(host);
        const run = await assertCheckPredictsRun(dockerBridgeOpts, host, given, { shown: redactSecrets });
        for (const secret of ["user:secret", "hush"]) assert.not.match(JSON.stringify(run), secret);
        if (run.failed) {
          rejected++;
          if (process.env["SHOW"]) console.log(String(run.msg).slice(0, 90));
          return;
        }
        succeeded++;
        assert.equal(otherLines(host), lines, "lines of others in the file with DOCKER_OPTS");
        docker.now++;
        const again = await runOn(dockerBridgeOpts, host, given);
        const made = run.pending?.length === 2 ? [`Docker network ${given["network"]}`] : [];
        const pending = run["restart_required"] ? ["running dockerd", ...made] : undefined;
        assert.equal([again.msg, again.changes], [undefined, pending], "a second run has something to do");
        if (!run["restart_required"] || state.hangs) return;
        restarts++;
        docker.now++;
        const { network, bridge, fixed_cidr, mtu } = given;
        const made_after = given["state"] === "present" && network !== null ? { network, bridge, fixed_cidr, mtu } : {};
        const restart = await assertCheckPredictsRun(dockerBridgeOpts, host, { state: "restarted", ...made_after });
        assert.is(restart.msg, undefined, "dockerd does not start with these options");
        docker.now++;
        const last = await runOn(dockerBridgeOpts, host, given);
        assert.equal([last.msg, last.changes], [undefined, undefined], "after the restart something is left");
      }),
    140,
  );
  console.log(`${succeeded} succeeded, ${restarts} of them with a restart, ${rejected} rejected`);
  assert.ok(succeeded > 40 && restarts > 20, "too few cases reach the restart");
});

test("options that are not given stay as they are, wherever others are moved", async () => {
  await forAllLater(
    [states, options],
    (state, given) =>
      inMemory(async (directory) => {
        const { host, docker } = await hostOf(directory, { ...state, dropIn: null });
        // dockerd then gets all of a file that it did not read before, as asked.
        if (given["location"] === "docker_opts" && state.unit !== "debian") return;
        // An option of the unit is back once the override of an earlier run is removed.
        const managed = ["bridge", "fixed-cidr", "mtu", ...managedBy(given), ...managedBy(state.before?.[0] ?? {})];
        const before = others(docker, managed);
        const run = await runOn(dockerBridgeOpts, host, given);
        if (run.failed || before === null) return;
        assert.equal(others(docker, managed), before);
      }),
    100,
  );
});

function managedBy(given: Options): string[] {
  try {
    return [...desiredFlags(asked(given)).keys()];
  } catch {
    return [];
  }
}

test.run();
