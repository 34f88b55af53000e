import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseOptions } from "../../../modules/core/options";
import { observe } from "../../../modules/docker_bridge_opts/observe";
import { options as table } from "../../../modules/docker_bridge_opts/options";
import { plan } from "../../../modules/docker_bridge_opts/plan";
import { CONFIG, DROP_INS, UNIT } from "../support/fake_host/docker";
import { userErrorOf } from "../support/user_error";
import { DEBIAN_UNIT, hostWith, PATH, usual } from "./fixtures";

/** Hosts on which the options can't be set without losing or doubling others: nothing is written, and the place is named. */
const unit = (command: string): string => DEBIAN_UNIT.replace(/^ExecStart=.*/m, () => `ExecStart=${command}`);

async function planned(files: Record<string, string>, given: object = {}, links: Record<string, string> = {}) {
  const options = parseOptions("docker_bridge_opts", table, new Map(Object.entries({ ...usual(), ...given })));
  const host = hostWith(new Map(Object.entries({ [UNIT]: DEBIAN_UNIT, ...files })), null, { links });
  const observed = await observe(options, host);
  return () => plan(options, observed);
}

async function rejected(files: Record<string, string>, given: object = {}): Promise<string> {
  return userErrorOf(await planned(files, given));
}

test("an option that the unit sets by another variable", async () => {
  const files = {
    [UNIT]: unit("/usr/sbin/dockerd -H fd:// $DOCKER_OPTS $DOCKER_DNS_OPTIONS"),
    [`${DROP_INS}/dns.conf`]: '[Service]\nEnvironment="DOCKER_DNS_OPTIONS=--dns 1.1.1.1"\n',
  };
  const message = `--dns: must not be set by Docker's unit to another value (found 1.1.1.1 in DOCKER_DNS_OPTIONS, ${DROP_INS}/dns.conf, line 2). Remove it there, or set the same value here.`;
  assert.is(await rejected(files), message);
  assert.is(await rejected(files, { location: "daemon_json" }), message);
});

test("an option that a shell's command line sets, and one that DOCKER_OPTS has from Environment=", async () => {
  assert.is(
    await rejected({ [UNIT]: unit('/bin/sh -c "exec dockerd --dns 1.1.1.1 $DOCKER_OPTS"') }),
    `--dns: must not be set by Docker's unit to another value (found 1.1.1.1 in ${UNIT}, line 3). Remove it there, or set the same value here.`,
  );
  const files = { [`${DROP_INS}/a.conf`]: "[Service]\nEnvironment=DOCKER_OPTS=--mtu=9000\n" };
  assert.match(
    await rejected(files),
    `--mtu: must not be set by Docker's unit to another value (found 9000 in DOCKER_OPTS, ${DROP_INS}/a.conf, line 2).`,
  );
});

test("DOCKER_OPTS in a file where another place has options in it that would be lost", async () => {
  const given = { location: "docker_opts" };
  assert.is(
    await rejected({ [`${DROP_INS}/a.conf`]: "[Service]\nEnvironment=DOCKER_OPTS=-D\n" }, given),
    `location: must not be docker_opts while DOCKER_OPTS of ${PATH} does not apply (found that DOCKER_OPTS, ${DROP_INS}/a.conf, line 2 sets it). Set location: daemon_json, or move these options to ${PATH}.`,
  );
  const flannel = {
    [`${DROP_INS}/a.conf`]: "[Service]\nEnvironmentFile=/run/flannel/docker\n",
    "/run/flannel/docker": "DOCKER_OPTS=--ip-masq=true\n",
  };
  assert.match(
    await rejected(flannel, given),
    "DOCKER_OPTS, /run/flannel/docker, line 1 sets it, a file that is not Docker's own",
  );
});

test("a drop-in that would never count, as a later one sets ExecStart=", async () => {
  const later = `${DROP_INS}/zzz.conf`;
  assert.is(
    await rejected({ [later]: "[Service]\nExecStart=\nExecStart=/usr/bin/dockerd --bridge=br9\n" }),
    `${later}, line 3: must not set ExecStart= after ${DROP_INS}/zz-weave.conf, which would have no effect (found that it does). Rename that drop-in, so that it sorts before zz-weave.conf.`,
  );
});

test("an option that the unit sets, given in daemon.json too", async () => {
  const files = { [UNIT]: unit("/usr/sbin/dockerd --log-level=warn"), [CONFIG]: '{"log-level": "info"}' };
  const message = await rejected(files, { opts: "" });
  assert.match(message, "log-level: (from flag: [warn], from file: info)");
  assert.match(message, `or from the command line (${UNIT}, line 3).`);
});

test("what can't be computed, by the place and the reason", async () => {
  const says = async (command: string): Promise<string> =>
    (await rejected({ [UNIT]: unit(command), "/usr/bin/dockerd-wrapper": "#!/bin/sh\n" })).replace(
      `${UNIT}, line 3: `,
      "",
    );
  const start = "ExecStart= must show dockerd's arguments (found that it";
  const remedy = "Start dockerd itself there, with its options.";
  assert.is(
    await says("/usr/local/bin/start-docker"),
    `${start} starts dockerd through /usr/local/bin/start-docker). ${remedy}`,
  );
  assert.is(await says("/usr/bin/dockerd-wrapper"), `${start} starts the script /usr/bin/dockerd-wrapper). ${remedy}`);
  assert.is(await says("/usr/bin/nice dockerd"), `${start} starts dockerd through /usr/bin/nice). ${remedy}`);
  for (const script of [
    "sleep 1; dockerd",
    "dockerd >/dev/null",
    "dockerd $(cat x)",
    "cd / && dockerd",
    "X=1 dockerd",
    "dockerd *",
  ]) {
    assert.match(
      await says(`/bin/sh -c '${script}'`),
      `${start} has a command of a shell that is not simple (only a shell can `,
    );
  }
  assert.match(await says("/bin/sh -c 'exec /opt/run'"), `${start} has a command of a shell that starts "/opt/run")`);
  assert.match(await says("/bin/bash -lc dockerd"), `${start} starts /bin/bash without -c and a command)`);
  assert.match(
    await says("/usr/bin/dockerd --label=%B"),
    "ExecStart= must show dockerd's arguments (found the specifier %B). Write",
  );
  assert.match(await says('/usr/bin/dockerd "--label'), `${start} has a quote that is not closed)`);
  assert.match(await says("/usr/bin/dockerd ; /bin/true"), `${start} has several commands (";"))`);
  assert.match(
    await says(`/usr/bin/dockerd --pidfile=\${RUNTIME_DIRECTORY}/x`),
    `${start} uses RUNTIME_DIRECTORY, which systemd sets`,
  );
  assert.is(
    await says("/usr/bin/dockerd $DOCKER_OPTS\nEnvironment=DOCKER_OPTS=-D\nUnsetEnvironment=DOCKER_OPTS"),
    `${start} uses DOCKER_OPTS, which systemd expands before UnsetEnvironment= removes it from version 262 on, and after that in older ones: ${UNIT}, line 5). Remove its name from that line.`,
  );
  assert.match(await says("/usr/bin/dockerd\nExecStart=/usr/bin/dockerd"), `${start} is set again in ${UNIT}, line 4)`);
  assert.match(await rejected({ [UNIT]: "[Service]\n" }), `${UNIT}: must have an ExecStart=`);
});

test("a specifier is asked for only where its variable is used", async () => {
  const withVariable = (command: string, assignment: string) => ({
    [UNIT]: unit(command).replace("[Service]\n", `[Service]\nEnvironment="${assignment}"\n`),
  });
  const proxy = "HTTPS_PROXY=http://user:p%C3%A9@proxy:3128";
  assert.ok((await planned(withVariable("/usr/sbin/dockerd", proxy)))());
  assert.is(
    await rejected(withVariable("/usr/sbin/dockerd $HTTPS_PROXY", proxy)),
    `${UNIT}, line 4: ExecStart= must show dockerd's arguments (found that it uses HTTPS_PROXY, whose value has the specifier %A (HTTPS_PROXY, ${UNIT}, line 2)). Write its value instead, or %% for a percent sign.`,
  );
  // systemd drops the assignment: it has no such specifier (src/shared/specifier.c).
  const mirror = "DOCKER_OPTS=--registry-mirror=https://mirror/%20x";
  assert.match(await rejected(withVariable("/usr/sbin/dockerd $DOCKER_OPTS", mirror)), "has the specifier %2");
});

test("a drop-in that is masked by a link to /dev/null counts for nothing", async () => {
  const masked = `${DROP_INS}/timeout.conf`;
  const files = { [masked]: "[Service]\nExecStart=/bin/x\n" };
  assert.match(await rejected(files), "is set again");
  assert.ok((await planned(files, {}, { [masked]: "/dev/null" }))());
});

test("a missing environment file, and one that systemd can't read", async () => {
  const file = { [UNIT]: DEBIAN_UNIT.replace("[Service]\n", "[Service]\nEnvironmentFile=/etc/docker/env\n") };
  assert.is(
    await rejected(file),
    `${UNIT}, line 2: EnvironmentFile= must be readable, or systemd does not start Docker (found that /etc/docker/env does not exist). Create it, or write EnvironmentFile=-/etc/docker/env.`,
  );
  assert.match(await rejected({ ...file, "/etc/docker/env": "A=\xff\n" }), "/etc/docker/env has a NUL or is not UTF-8");
});

test("a line that dockerd would not start with", async () => {
  for (const [line, word] of [
    ["DOCKER_OPTS=weave", "weave"],
    ["DOCKER_OPTS=--dns", "--dns"],
  ] as const) {
    const message = await rejected({ [PATH]: `${line}\n` });
    assert.match(message, new RegExp(`^${PATH}: .*${word}`), line);
  }
});

test("types in daemon.json, values and flags that dockerd does not start with", async () => {
  const type = async (json: string): Promise<string> => rejected({ [CONFIG]: json }, { opts: "" });
  assert.is(
    await type('{"debug": "true"}'),
    `${CONFIG}: "debug" must be true or false, without quotes, or dockerd does not start (found another value). Correct it.`,
  );
  assert.match(await type('{"hosts": "fd://"}'), '"hosts" must be a list of texts');
  assert.match(
    await type('{"max-concurrent-downloads": "3"}'),
    '"max-concurrent-downloads" must be a number, without quotes',
  );
  assert.match(
    await type('{"log-opts": {"max-file": 3}}'),
    '"log-opts" must be an object whose values are texts in quotes',
  );
  const value = async (opts: unknown): Promise<string> => rejected({}, { mtu: null, opts });
  assert.is(await value("--mtu=70000"), 'opts: --mtu must be a number from 68 to 65535 (found "70000"). Correct it.');
  assert.match(await value({ mtu: 10 }), "opts: --mtu must be a number from 68 to 65535 (found ");
  assert.match(await value("--log-level=loud"), "opts: --log-level must be debug, info, warn, error or fatal (found ");
  assert.match(await value("-s nope"), "opts: --storage-driver must be aufs, btrfs, ");
  for (const flag of ["version", "help", "validate"]) {
    assert.is(
      await value(`--${flag}`),
      `opts: must not have --${flag}, as dockerd ends at once (found it). Remove it.`,
    );
  }
  assert.match(
    await value("-d"),
    "opts: must not have --daemon, as dockerd does not start then (found it). Remove it.",
  );
  assert.match(
    await value("--label=a=1 --label=a=2"),
    "label: a must have one value, or dockerd does not start (found a=1 and a=2). Remove one.",
  );
  assert.match(
    await value("--tlsverify --tlscert=/c"),
    "(found no --tlscacert and no --tlskey). Set all of them, or remove it.",
  );
  assert.match(
    await rejected({ [PATH]: 'DOCKER_OPTS="--log-level=verbose"\n' }, { dns: null, opts: "--dns=1.1.1.1" }),
    `${PATH}: --log-level must be debug, info,`,
  );
  assert.match(
    await rejected({ [CONFIG]: '{"log-level": "verbose"}' }, { dns: null, opts: "--dns=1.1.1.1" }),
    `${CONFIG}: --log-level must be debug, info,`,
  );
  assert.match(await value("-v"), "opts: must not have --version, as dockerd ends at once (found it). Remove it.");
  assert.match(
    await value("--config-file=/etc/other.json"),
    "dockerd does not read the options in its present file then (found it)",
  );
});

test.run();
