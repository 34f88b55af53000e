import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Action } from "../../../modules/core/change";
import type { ObservedDocker } from "../../../modules/docker_bridge_opts/observed";
import { plan } from "../../../modules/docker_bridge_opts/plan";
import { inWords, subjects } from "../support/changes";
import { userErrorOf } from "../support/user_error";
import {
  APOLLO,
  asked,
  DEFAULT_FILE,
  FRESH,
  PATH,
  runningWith,
  STEADY,
  USUAL_LINE,
  unitWith,
  usual,
  withOptionsFile,
} from "./fixtures";

/** The files from before, for a restart that does not work out. */
const KEEP = "write /var/lib/apollo-weave/docker-previous.json 0600";
const DAEMON = "running dockerd";
const withFile = (content: string) => withOptionsFile(STEADY, content);
/** The same under upstart or sysvinit. */
const underScript = (observed: ObservedDocker): ObservedDocker => ({
  ...observed,
  service: { ...observed.service, init: "script", unit: null },
});

test("on a fresh host the options are added to the file, and a restart is pending", () => {
  const { changes, returns } = plan(usual(), FRESH);
  assert.equal(inWords(changes), [
    {
      subject: PATH,
      before: DEFAULT_FILE,
      after: `${DEFAULT_FILE}DOCKER_OPTS="${USUAL_LINE}"\n`,
      steps: [KEEP, `write ${PATH} 0644`],
    },
    {
      subject: DAEMON,
      before: "none of these options\n",
      after: `${USUAL_LINE.replace(/ /g, "\n")}\n`,
      steps: [],
    },
  ]);
  const restart = { restart_required: true, docker_running: true };
  assert.equal(returns, { network: "bridge", path: PATH, docker_opts: USUAL_LINE, ...restart });
});

test("the pending restart is left to the handler, and reports that it stops containers", () => {
  const [, restart] = plan(usual(), FRESH).changes;
  assert.is(restart?.pending, "a restart of Docker");
  assert.match(restart?.disruption ?? "", "stops the running containers");
});

test("on a configured host nothing is planned", () => {
  const { changes, returns, warnings } = plan(usual(), STEADY);
  assert.equal(changes, []);
  assert.is(returns["restart_required"], false);
  assert.equal(warnings, []);
});

test("a missing file is created", () => {
  const { changes } = plan(usual(), withOptionsFile(FRESH, null));
  assert.equal(inWords(changes)[0], {
    subject: PATH,
    before: "",
    after: `DOCKER_OPTS="${USUAL_LINE}"\n`,
    steps: [KEEP, `write ${PATH} 0644`],
  });
});

test("without options nothing is planned, whether the file exists or not", () => {
  assert.equal(plan(asked(), FRESH).changes, []);
  assert.equal(plan(asked(), withOptionsFile(FRESH, null)).changes, []);
});

test("a daemon with other options needs a restart even if the file is right", () => {
  const { changes, returns } = plan(usual(), { ...STEADY, daemon: runningWith("--bridge=docker1 --mtu=1450 -D") });
  assert.equal(inWords(changes), [
    {
      subject: DAEMON,
      before: "--bridge=docker1\n--mtu=1450\n",
      after: `${USUAL_LINE.replace(/ /g, "\n")}\n`,
      steps: [],
    },
  ]);
  assert.is(returns["restart_required"], true);
});

test("a stopped daemon needs a start", () => {
  const { changes } = plan(usual(), { ...STEADY, daemon: null });
  assert.equal(subjects(changes), [DAEMON]);
  assert.is(changes[0]?.before, "stopped\n");
  const stopped = { ...FRESH, daemon: null };
  assert.is(plan(asked({ mtu: 1500 }), stopped).returns["restart_required"], true, "with Docker's defaults too");
});

test("each single option that differs in the running daemon needs a restart", () => {
  for (const part of USUAL_LINE.split(" ")) {
    const others = USUAL_LINE.split(" ").filter((option) => option !== part);
    assert.equal(subjects(plan(usual(), { ...STEADY, daemon: runningWith(others.join(" ")) }).changes), [DAEMON], part);
  }
});

test("equivalent options are not a change, in the file and in the daemon", () => {
  const line =
    "-b weave --fixed-cidr 10.2.1.0/24 --dns 172.17.42.1 --dns 8.8.8.8 --dns-search service.consul --mtu 1450 -D";
  const observed = { ...withFile(`DOCKER_OPTS='${line}'\n`), daemon: runningWith(line) };
  assert.equal(plan(usual(), observed).changes, []);
});

test("Docker's default MTU equals an unset one", () => {
  const observed = { ...withOptionsFile(FRESH, 'DOCKER_OPTS="-D"\n'), daemon: runningWith("-D") };
  assert.equal(plan(asked({ mtu: 1500 }), observed).changes, []);
});

test("other options in the file, and all other text, stay as they are written", () => {
  const content = `# top\nDOCKER_OPTS="-H tcp://0.0.0.0:2375 --label 'a=a b' --mtu=9000"\nexport PATH\n`;
  const { changes } = plan(asked({ mtu: 1450 }), withFile(content));
  assert.is(changes[0]?.after, `# top\nDOCKER_OPTS="-H tcp://0.0.0.0:2375 --label 'a=a b' --mtu=1450"\nexport PATH\n`);
});

test("quotes in an unquoted value are kept", () => {
  const { changes } = plan(asked({ mtu: 1450 }), withFile(`DOCKER_OPTS=--label="a=a b" --mtu=9000 --debug\n`));
  assert.is(changes[0]?.after, `DOCKER_OPTS="--label=\\"a=a b\\" --debug --mtu=1450"\n`);
});

test("a line with other options only is somebody else's: it stays, and the options go into daemon.json", () => {
  const theirs = withFile('DOCKER_OPTS="--insecure-registry=r:5000"\n');
  const { changes, returns } = plan(asked({ dns: ["1.1.1.1"] }), theirs);
  assert.equal(subjects(changes), ["/etc/docker/daemon.json", DAEMON]);
  assert.is(returns["path"], "/etc/docker/daemon.json");
  const before = (options: Record<string, unknown>) => plan(asked(options), theirs).changes[0]?.subject;
  assert.is(before({ dns: ["1.1.1.1"], location: "docker_opts" }), PATH);
  assert.is(
    before({ opts: "-H fd:// -H tcp://127.0.0.1:2375" }),
    PATH,
    "dockerd refuses it in daemon.json beside -H fd://",
  );
  assert.is(before({ opts: "--insecure-registry=q:5000" }), PATH, "an option that is there already");
});

test("the file keeps its mode", () => {
  const { changes } = plan(usual(), withOptionsFile(FRESH, DEFAULT_FILE, 0o600));
  assert.equal(inWords(changes)[0]?.steps, [KEEP, `write ${PATH} 0600`]);
});

test("after the changes only the restart is still pending", () => {
  for (const content of [
    DEFAULT_FILE,
    "",
    "DOCKER_OPTS=",
    'DOCKER_OPTS="--mtu=1 -b x"\nA=1',
    `DOCKER_OPTS="${APOLLO}"\n`,
  ]) {
    const first = plan(usual(), withOptionsFile(FRESH, content));
    const made = first.changes[0]?.after ?? "";
    const second = plan(usual(), withOptionsFile(FRESH, made));
    assert.equal(subjects(second.changes), [DAEMON], content);
    assert.is(second.returns["docker_opts"], first.returns["docker_opts"]);
  }
});

test("Apollo's opts do the same as the named options", () => {
  const { changes, returns } = plan(asked({ opts: APOLLO }), FRESH);
  assert.equal(subjects(changes), [PATH, DAEMON]);
  assert.is(returns["docker_opts"], USUAL_LINE.replace(" --mtu=1450", ""));
});

test("a subnet outside the bridge's network is rejected, by the bridge's present address or the given one", () => {
  const options = { fixed_cidr: "10.3.1.0/24" };
  assert.match(
    userErrorOf(() => plan(usual(options), FRESH)),
    "fixed_cidr: must be in the bridge's network 10.2.0.0/16, ",
  );
  const given = usual({ bridge_address: "10.9.0.1/16" });
  assert.match(
    userErrorOf(() => plan(given, { ...FRESH, bridgeAddresses: [] })),
    "must be in the bridge's network 10.9.0.0/16, or dockerd ignores it",
  );
});

test("a bridge without an address causes a warning, as dockerd would not start", () => {
  const { warnings, changes } = plan(usual(), { ...FRESH, bridgeAddresses: [] });
  assert.equal(warnings, [
    "bridge: weave must have an IPv4 address before Docker restarts (found none). Configure it first (weave_bridge).",
  ]);
  assert.equal(subjects(changes), [PATH, DAEMON]);
});

test("an empty list removes its options", () => {
  const { changes } = plan(asked({ dns: [] }), withFile('DOCKER_OPTS="--dns 8.8.8.8 --debug"\n'));
  assert.is(changes[0]?.after, 'DOCKER_OPTS="--debug"\n');
});

test("a host option that would replace systemd's fd:// is rejected; with fd:// it is accepted", () => {
  assert.match(
    userErrorOf(() => plan(asked({ opts: "-H tcp://127.0.0.1:2375" }), STEADY)),
    /^opts: --host must keep fd:\/\/, .* \(found tcp:\/\/127\.0\.0\.1:2375\)\. Add --host=fd:\/\/\.$/,
  );
  assert.ok(plan(asked({ opts: "-H fd:// -H tcp://127.0.0.1:2375" }), STEADY).changes.length > 0);
});

test("a chain of lines, which systemd does not expand, stays; the drop-in passes its options", () => {
  const chain = 'DOCKER_OPTS="$DOCKER_OPTS --bridge=weave"\n# \xfc\nexport DOCKER_OPTS="$DOCKER_OPTS --debug"\n';
  const changes = inWords(plan(asked({ bridge: "weave" }), withFile(chain)).changes);
  assert.equal(
    changes.map(({ subject }) => subject),
    ["/etc/systemd/system/docker.service.d/zz-weave.conf"],
  );
  assert.match(changes[0]?.after ?? "", "\nExecStart=/usr/sbin/dockerd -H fd:// --bridge=weave --debug\n");
});

test("a file in which an added line would not be read is rejected", () => {
  const says = (observed: ObservedDocker): string => userErrorOf(() => plan(usual(), observed));
  const message = `${PATH}: DOCKER_OPTS must be readable (found an unclosed quote or a continued line before it). Close that first.`;
  assert.is(says(underScript(withFile('A="\n'))), message);
  assert.is(says(withFile("# \\\n")), message);
});

test("a link to a file that is not Docker's own is never written, whatever the location and the init system", () => {
  const linked = (observed: ObservedDocker): ObservedDocker => ({
    ...observed,
    service: { ...observed.service, sharedTarget: "/etc/environment" },
  });
  for (const observed of [linked(FRESH), linked(underScript(FRESH)), linked(withFile('DOCKER_OPTS="--mtu=9000"\n'))]) {
    assert.match(
      userErrorOf(() => plan(usual({ location: "docker_opts" }), observed)),
      `${PATH}: must be a file of Docker's own that outlasts a boot (found a link to /etc/environment). Put a file`,
    );
  }
  assert.equal(subjects(plan(usual({ location: "daemon_json" }), linked(FRESH)).changes), [
    "/etc/docker/daemon.json",
    DAEMON,
  ]);
});

test("the reported path of new options is the one after the drop-in is removed", () => {
  const dropIn = { content: "[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd $DOCKER_OPTS\n", mode: 0o644 };
  const unit = unitWith("[Service]\nExecStart=/usr/sbin/dockerd -H fd://\n", null);
  const service = { ...FRESH.service, unit, readsFile: false };
  const { returns } = plan(asked({ state: "absent" }), { ...FRESH, service, dropIn, optionsFile: null });
  assert.is(returns["path"], "/etc/docker/daemon.json");
});

test("secrets among the options are in no error message", () => {
  const config = { content: '{"log-opts": {"splunk-token": "hush"}}', mode: 0o644 };
  const line = `DOCKER_OPTS="--log-opt splunk-token=hush"\n`;
  const messages = [
    userErrorOf(() => plan(usual(), { ...withFile(line), config })),
    userErrorOf(() => plan(usual(), underScript(withFile(`if true; then ${line}fi\n`)))),
  ];
  for (const message of messages) assert.match(message, /^(?!.*hush).*\*{8}/, message);
  const unsafe = userErrorOf(() => plan(asked({ opts: "--log-opt 'splunk-token=hush hush'" }), FRESH));
  assert.match(
    unsafe,
    /^opts: --log-opt must have no white space, .* \(found one; the value is not shown\)\. Set that option in daemon\.json by hand\.$/,
  );
});

test("a dockerd with --validate validates the whole configuration before any file is written", () => {
  const config = { content: '{"debug": true, "mtu": 1500}', mode: 0o644 };
  const observed = { ...FRESH, config, version: "26.1.5+dfsg1" };
  const { changes } = plan(asked({ bridge: "weave", mtu: 1400 }), observed);
  const [first] = inWords(changes);
  assert.is(first?.subject, "/etc/docker/daemon.json");
  assert.is(first?.steps[0], "/usr/sbin/dockerd -H fd:// --bridge=weave --validate --config-file %s");
  const validate = changes[0]?.actions[0];
  assert.is(validate?.do === "validate" && validate.content, '{"debug": true, "mtu": 1400}');
});

test("dockerd validates with the environment of its unit, or not at all where that is not known", () => {
  const version = "26.1.5";
  const withSettings = (settings: string): Action[] => {
    const unit = unitWith(`[Service]\nExecStart=/opt/bin/dockerd -H fd://\n${settings}`, null);
    const service = { ...FRESH.service, unit, readsFile: false };
    const { changes } = plan(asked({ mtu: 1400 }), { ...FRESH, service, optionsFile: null, version });
    return changes.flatMap(({ actions }) => actions).filter((action) => action.do === "validate");
  };
  // As Flatcar documents it for another Docker than its own.
  const [flatcar] = withSettings('Environment=PATH=/opt/bin:/usr/bin "DOCKER_CERT_PATH=/etc/\xc3\xa9"\n');
  assert.equal(flatcar?.do === "validate" && Object.fromEntries(flatcar.env ?? []), {
    PATH: "/opt/bin:/usr/bin",
    DOCKER_CERT_PATH: "/etc/\u00e9",
  });
  assert.is(withSettings("").length, 1);
  assert.equal(withSettings("PassEnvironment=DOCKER_CERT_PATH\n"), []);
  assert.equal(withSettings("Environment=HTTPS_PROXY=http://user:p%A9@proxy\n"), []);
});

test("a daemon.json that becomes empty is deleted, unless the command line names it", () => {
  const config = { content: '{"bridge": "weave"}', mode: 0o644 };
  const left = (arguments_: string): string => {
    const unit = unitWith(`[Service]\nExecStart=/usr/bin/dockerd -H fd:// ${arguments_}\n`, null);
    const service = { ...FRESH.service, unit, readsFile: false };
    const { changes } = plan(asked({ state: "absent" }), { ...FRESH, service, optionsFile: null, config });
    return changes.find(({ subject }) => subject === "/etc/docker/daemon.json")?.after ?? "no change";
  };
  assert.is(left(""), "");
  assert.match(left("--config-file=/etc/docker/daemon.json"), /^\{\s*\}/);
});

test("options that dockerd would not start with are rejected before anything is planned", () => {
  const rejected = (opts: unknown, config = "{}", version = "20.10.24"): string =>
    userErrorOf(() => plan(asked({ opts }), { ...FRESH, version, config: { content: config, mode: 0o644 } }));
  assert.match(
    rejected("--brige=weave"),
    "opts: must have options of dockerd only, or dockerd does not start (found --brige). Correct or remove it.",
  );
  assert.match(rejected("--dns=nowhere"), /^opts: --dns must be .* \(found "nowhere"\)\. Correct it\.$/);
  assert.match(rejected("--mtu=large"), /^opts: --mtu must be .* \(found "large"\)\. Correct it\.$/);
  assert.match(rejected("--debug=maybe"), /^opts: --debug must be .* \(found "maybe"\)\. Correct it\.$/);
  assert.match(
    rejected({ runtimes: {} }),
    'opts: "runtimes" must have a value that its flag can have (found another, not shown)',
  );
  assert.match(
    rejected("-b weave", '{"bip": "10.9.0.1/24"}'),
    "opts: bip and bridge must not both be set, or dockerd does not start (found --bip=10.9.0.1/24 and --bridge=weave)",
  );
  assert.match(
    rejected("", '{"hosts": ["tcp://127.0.0.1:1"], "debug": true}'),
    "must not have options of dockerd's command line, or dockerd does not start (found hosts: (from flag: [fd://], from file: [tcp://127.0.0.1:1]))",
  );
  assert.ok(plan(asked({ opts: "--brand-new=1" }), { ...FRESH, version: "29.0.0" }), "dockerd itself judges there");
});

test("passwords in the files are redacted", () => {
  const config = {
    content:
      '{"proxies": {"http-proxy": "http://me:hush@proxy:1"}, "log-driver": "splunk", "log-opts": {"splunk-token": "hush"}}',
    mode: 0o600,
  };
  const { changes, returns } = plan(asked({ location: "daemon_json", mtu: 1450 }), {
    ...FRESH,
    version: "28.5.2",
    config,
  });
  const shown = changes.map(({ before, after, subject }) => before + after + subject).join() + JSON.stringify(returns);
  assert.match(shown, "http://me:********@proxy:1");
  assert.not.match(shown, "hush");
});

test("absent removes options that have the given values, and with the bridge its subnet and MTU", () => {
  const line = `-D ${USUAL_LINE} --label=a`;
  const observed = { ...STEADY, optionsFile: { content: `DOCKER_OPTS="${line}"\n`, mode: 0o644 } };
  const absent = (more: Record<string, unknown>, on: ObservedDocker = observed) =>
    plan(asked({ state: "absent", ...more }), on).returns["docker_opts"];
  assert.is(absent({}), "-D --dns=172.17.42.1 --dns=8.8.8.8 --dns-search=service.consul --label=a");
  assert.is(
    absent({ dns: ["172.17.42.1", "8.8.8.8"], dns_search: ["x"], opts: "--label=b" }),
    "-D --dns-search=service.consul --label=a",
  );
  assert.is(absent({ bridge: "br9" }), line);
  const stopped = plan(asked({ state: "absent" }), { ...FRESH, daemon: null });
  assert.equal(stopped.changes, [], "a stopped Docker is not started for that");
  const running = plan(asked({ state: "absent" }), { ...FRESH, daemon: runningWith(USUAL_LINE) });
  assert.equal(subjects(running.changes), ["running dockerd"]);
});

test.run();
