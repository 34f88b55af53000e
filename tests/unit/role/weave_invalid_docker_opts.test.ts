import { suite } from "uvu";
import * as assert from "uvu/assert";
import { desiredFlags } from "../../../modules/docker_bridge_opts/desired";
import { options as table } from "../../../modules/docker_bridge_opts/options";
import { requireValidOptions } from "../../../modules/docker_bridge_opts/validate";
import { KINDS, keyOf } from "../../../modules/formats/docker_options";
import { expectedInstead } from "../../../modules/formats/docker_values";
import { HOSTILE } from "../support/hostile_values";
import { optionsOf } from "../support/options";
import { callPlugin } from "../support/python";
import { rejectedBy, withoutHost } from "../support/role_variables";

/** roles/weave/filter_plugins/weave_invalid_docker_opts.py, which rejects on the controller what the module would reject on the hosts. */
const test = suite("the values of weave_docker_opts");

/** What is wrong with the options on the host `a`. */
const byRole = (opts: unknown, more: object = {}): string =>
  callPlugin("weave_invalid_docker_opts", "find_invalid_docker_opts", [
    { weave_docker_opts: opts, ...more },
    "a",
    ["192.0.2.128/25"],
  ]);

const byModule = (opts: unknown, more: object = {}): string =>
  rejectedBy("docker_bridge_opts", () => {
    const options = optionsOf(table, { bridge: "weave", fixed_cidr: "10.2.1.0/24", opts, ...more });
    // A newer Docker may know more options.
    requireValidOptions(desiredFlags(options), "24.0.0");
  });

const SAID: readonly (readonly [opts: unknown, says: string])[] = [
  ['--label "a', "quotes must be closed (found an open one, or a backslash at the end). Close or remove it."],
  ["--mtu=9000 now", 'must have options of dockerd (found "now"). Write each as --name=value.'],
  ["--mtu", 'must have options of dockerd (found "--mtu" without a value). Write each as --name=value.'],
  ["--mtu=12", '--mtu must be a number from 68 to 65535 (found "12"). Correct it.'],
  ["--dns resolver", '--dns must be an IP address (found "resolver"). Correct it.'],
  ["-l loud", '--log-level must be debug, info, warn, error or fatal (found "loud"). Correct it.'],
  [
    "--host=ssh://a",
    '--host must be an address such as unix:///run/docker.sock, tcp://127.0.0.1:2376 or fd:// (found "ssh://a"). Correct it.',
  ],
  ["--version", "must not have --version, as dockerd ends at once (found it). Remove it."],
  [
    "--config-file=/x",
    "must not have --config-file, as dockerd does not read the options in its present file then (found it). Remove it.",
  ],
  [
    { debug: "yes" },
    '"debug" must have a value that its flag can have (found another, not shown). Correct it, or set it in daemon.json by hand.',
  ],
  [
    { "brand-new": 1 },
    '"brand-new" must be an option of dockerd (found an unknown one). Correct it, or set it in daemon.json by hand.',
  ],
  [{ dns: ["8.8.8.8", "x"] }, '--dns must be an IP address (found "x"). Correct it.'],
  [
    "--label=a='b c'",
    '--label must have no white space, quotes, "\\", "$" or characters other than ASCII (found one; the value is not shown). Set that option in daemon.json by hand.',
  ],
  [
    "--bridge=br0",
    "--bridge must be the same as the role's bridge (found br0 in weave_docker_opts, weave in the role's bridge). Set it in one place.",
  ],
];

for (const [opts, says] of SAID) {
  test(`${JSON.stringify(opts)}: is rejected as by the module`, () => {
    assert.is(withoutHost(byRole(opts)), `weave_docker_opts: ${says}`);
    assert.is(byModule(opts), `weave_docker_opts: ${says}`);
  });
}

test("a mistyped option is named, with the one that was probably meant", () => {
  for (const [opts, meant] of [
    ["--log-levle=warn", "log-level"],
    ["--loglevel=warn", "log-level"],
    ["--iptable=false", "iptables"],
    ["--registry-mirrors=https://a.example", "registry-mirror"],
    ["--insecure-registries=a:5000", "insecure-registry"],
    ["--Log_Level=warn", "log-level"],
    ["--brige=weave -D", "bridge"],
  ]) {
    const name = /^--[^=]+/.exec(opts ?? "")?.[0];
    assert.is(
      byRole(opts),
      `weave_docker_opts: ${name} must be an option of dockerd (found an unknown one for a). Did you mean --${meant}? If not, set it in daemon.json by hand.`,
    );
  }
  for (const [key, meant] of [
    ["log-levle", "log-level"],
    ["registry_mirrors", "registry-mirrors"],
    ["insecure-registrys", "insecure-registries"],
  ] as const) {
    assert.is(
      byRole({ [key]: "warn" }),
      `weave_docker_opts: "${key}" must be an option of dockerd (found an unknown one for a). Did you mean "${meant}"?`,
    );
  }
});

test("an option that only a newer Docker may have is left to the host", () => {
  for (const opts of ["--brand-new=1", "--icc6=false", "--bip8=a", "--iptables-backend=nft", "--x"]) {
    assert.is(byRole(opts), "", opts);
    assert.is(byModule(opts), "", opts);
  }
});

test("no option of dockerd is taken for another one", () => {
  for (const name of NAMES) assert.is(callPlugin("weave_invalid_docker_opts", "_meant_flag", [name]), "", name);
});

test("what agrees with the variables, or may agree with what the role has yet to compute, is accepted", () => {
  for (const opts of ["", "--bridge=weave --fixed-cidr=10.2.1.0/24 -D", {}, "{}"]) {
    assert.is(byRole(opts, { weave_docker_subnet: "10.2.1.0/24" }), "", JSON.stringify(opts));
  }
  const fixed = "--fixed-cidr=10.2.9.0/24";
  assert.match(
    byRole(fixed, { weave_docker_subnet: "10.2.1.0/24" }),
    "--fixed-cidr must be the same as weave_docker_sub",
  );
  assert.is(byRole(fixed, { weave_docker_subnet: "192.0.2.128/25" }), "");
});

test("the bridge's own options beside a Docker network of another name", () => {
  const says =
    "weave_docker_opts: must not have --bridge=weave with weave_docker_network: flat, as a bridge has one network only (found both). Remove --bridge and --fixed-cidr.";
  assert.is(withoutHost(byRole("--bridge=weave", { weave_docker_network: "flat" })), says);
  assert.is(byModule("--bridge=weave", { network: "flat" }), says);
});

test("a value that may contain a secret is not shown", () => {
  for (const opts of ["--registry-mirror=ftp://user:hush@a/", "--label hush=", "--log-level=x=hush"]) {
    assert.not.match(byRole(opts), "hush");
  }
});

const VALUES = [
  ...[
    "",
    "0",
    "1",
    "-1",
    "-2",
    "67",
    "68",
    "499",
    "500",
    "65535",
    "65536",
    "01",
    "0x10",
    "1e3",
    "1.5",
    "2147483647",
    "2147483648",
  ],
  ...[
    "-1000",
    "-1001",
    "1000",
    "1001",
    "true",
    "TRUE",
    "yes",
    "T",
    "f",
    "a",
    "a=",
    "=a",
    "a=b",
    "a/b",
    "a b",
    "warn",
    "WARN",
    "loud",
  ],
  ...[
    "text",
    "JSON",
    "private",
    "Shareable",
    "host",
    "8.8.8.8",
    "8.8.8.300",
    "::1",
    "10.2.0.1/16",
    "10.2.0.1/33",
    "fd00::/64",
  ],
  ...[
    "native.cgroupdriver=systemd",
    "native.cgroupdriver=",
    "native.cgroupdriver=x",
    "nofile=1:2",
    "nofile=2:1",
    "nofile=-1",
  ],
  ...[
    "nofile=-1:5",
    "nofile=5:-1",
    "files=1",
    "nofile=",
    "base=10.0.0.0/8,size=24",
    "base=10.0.0.0/8",
    "base=x",
    "size=24",
  ],
  ...["base=10.0.0.0/8,size=129", "base=10.0.0.0/8,x=1", "64M", "1.5G", "64mib", "64x", "runc=/x", "RunC=/x", "x=/y"],
  ...[
    "https://a.example/",
    "https://a.example",
    "https://a.example/b",
    "ftp://a",
    "unix:///a",
    "tcp://a:1",
    "fd://",
    "a:1",
    ":1",
    "a:b:1",
    "192.168.1.1",
    "[::1]:2375",
    "[::1]",
    "[1]:2375",
    "::1",
    "unix://",
    "unix://a://b",
    "tcp://",
    "tcp://a:x",
    "tcp://a:65536",
    "tcp://a:1/b",
    "ssh://a",
    "npipe://a",
    "http://a.b:5000",
    "http://a.b:5000/",
    "http://a_b:5000",
    "https://user@a.b",
    "https://a.b/c?d",
    "-a",
    "*.a.b",
    "fe80::1%eth0",
    "io.docker.x=1",
    "org.dockerproject.x=1",
    "base=10.0.0.0/16,size=8",
    "base=fd00::/48,size=64",
    "HOST",
    "Private",
    "slice",
  ],
  ...["service.consul", ".", "x.", "1.2", "a_b.c", "a..b", "x".repeat(15), "x".repeat(16), "x".repeat(300)],
];

const NAMES = Object.values(KINDS).flatMap((names) => names.split(" "));

test("each option of dockerd accepts the values that the module accepts", () => {
  for (const name of NAMES.filter((each) => each !== "storage-driver")) {
    for (const value of VALUES) {
      const role = callPlugin<string>("weave_invalid_docker_opts", "expected_instead", [name, value]);
      // What any version accepts is left to the host.
      assert.is(role || null, expectedInstead(name, value, "29.0.0"), `--${name}=${value}`);
    }
  }
});

test("each option is read as the module reads it, alone, before another one, and as a key", () => {
  for (const name of NAMES) {
    const keys = [true, 1, "1", ["a=b"], { a: "b" }].flatMap((value) => [{ [name]: value }, { [keyOf(name)]: value }]);
    for (const opts of [`--${name}`, `--${name} -D`, `--${name} a`, ...keys]) {
      assert.is(
        byRole(opts) !== "",
        byModule(opts) !== "",
        `${JSON.stringify(opts)}: ${byRole(opts)}/${byModule(opts)}`,
      );
    }
  }
});

test("a line is read as the module reads it", () => {
  const lines = [
    ...[
      "-Dl warn",
      "-lwarn",
      "-H fd:// -H=tcp://a:1",
      "--dns=1.1.1.1 --dns 8.8.8.8",
      "-x",
      "-r=false",
      "-e native",
      "--restart=false",
      "--x",
      "--x y",
      "--x --dns=1.1.1.1",
      "--",
      "-",
    ],
    ...[
      "--label 'a=b' --label \"c=d\"",
      "--label a\\=b",
      "--label=",
      "-D=false",
      "--debug=false",
      "--debug false",
      "=a",
      "--=a",
    ],
    ...[
      '{"dns": ["1.1.1.1"]}',
      '{"mtu": 1400, "debug": true}',
      '{"dns": "1.1.1.1"}',
      '{"label": ["a=b"]}',
      '{"labels": ["a=b"]}',
    ],
    ...[
      '{"log-opts": {"a": "b"}}',
      '{"features": {}}',
      '{"x": 1}',
      "{",
      '{"a"}',
      "[]",
      "--help",
      "-h",
      "-v",
      "-d",
      "--rootless",
    ],
    ...Object.values(HOSTILE).filter((value) => value.length < 1000 && !/\0|\p{Cs}/u.test(value)),
    ...Object.values(HOSTILE)
      .filter((value) => value.length < 1000 && !/\0|\p{Cs}/u.test(value))
      .map((value) => `--label=x=${value}`),
  ];
  for (const line of lines) {
    assert.is(
      byRole(line) !== "",
      byModule(line) !== "",
      `${JSON.stringify(line)}: ${byRole(line)} / ${byModule(line)}`,
    );
  }
});

test.run();
