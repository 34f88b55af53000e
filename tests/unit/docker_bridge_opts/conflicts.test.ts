import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseOptions } from "../../../modules/core/options";
import { observe } from "../../../modules/docker_bridge_opts/observe";
import { options as table } from "../../../modules/docker_bridge_opts/options";
import { plan } from "../../../modules/docker_bridge_opts/plan";
import type { Contents } from "../support/fake_host/contents";
import { CONFIG, UNIT } from "../support/fake_host/docker";
import { userErrorOf } from "../support/user_error";
import { DEBIAN_UNIT, hostWith, PATH } from "./fixtures";

/** Options with which Docker 20.10.24, 26.1.5 and 28.5.2 of Debian were started: what each died of, or that it ran. */
async function planned(
  config: unknown,
  version: string | null,
  {
    line = "",
    given = {},
    unit = DEBIAN_UNIT,
    more = {},
  }: { line?: string; given?: object; unit?: string; more?: Contents } = {},
): Promise<ReturnType<typeof plan>> {
  const options = parseOptions("docker_bridge_opts", table, new Map(Object.entries(given)));
  const files = new Map([
    [UNIT, unit],
    [PATH, `DOCKER_OPTS="${line}"\n`],
    [CONFIG, JSON.stringify(config)],
  ]);
  const host = hostWith(files, null, more);
  return plan(options, { ...(await observe(options, host)), version, bridgeAddresses: ["10.2.0.1/16"] });
}

async function rejected(...args: Parameters<typeof planned>): Promise<string> {
  return planned(...args).then(
    () => "",
    (error: unknown) =>
      userErrorOf(() => {
        throw error;
      }),
  );
}

const DIE: readonly (readonly [config: object, diesBefore: number, says: string, more?: { line?: string }])[] = [
  [{ bip: "10.9.0.1/24", bridge: "br0" }, 99, "opts: bip and bridge must not both be set"],
  [
    { icc: false, iptables: false },
    99,
    "icc: must not be off without iptables, or dockerd does not start (found --icc=false and --iptables=false and no --ip6tables). Correct or remove one of them.",
  ],
  [{ ip6tables: true }, 27, "ip6tables: needs experimental with Docker before 27.0"],
  [{ ipv6: true }, 28, "ipv6: needs fixed-cidr-v6 with Docker before 28.0"],
  [
    { ipv6: true, "fixed-cidr-v6": "fd00:1::/64", "default-gateway-v6": "fd00:2::1" },
    99,
    "default-gateway-v6: must be in fixed-cidr-v6",
  ],
  [{ "cgroup-parent": "docker", "exec-opts": ["native.cgroupdriver=systemd"] }, 99, "cgroup-parent: must be a slice"],
  [{ "default-runtime": "nvidia" }, 99, "default-runtime: must be one of Docker's runtimes"],
  [{ "default-runtime": "io.containerd.kata.v2" }, 23, "default-runtime: must be one of Docker's runtimes"],
  [{ "log-opts": { "max-sizes": "1m" } }, 99, "log-opt: must have options of the log driver json-file"],
  [
    { "log-driver": "journald", "log-opts": { "max-size": "1m" } },
    99,
    "log-opt: must have options of the log driver journald",
  ],
  [{ tls: true }, 99, "tlsverify: needs --tlscacert and --tlscert and --tlskey"],
  [{ tlsverify: false }, 99, "tlsverify: needs --tlscert and --tlskey (found no --tlscert and no --tlskey)"],
  [
    { "insecure-registries": ["http://registry.example:5000/"] },
    99,
    "--insecure-registry must be HOST:PORT or a subnet",
  ],
  [{ "registry-mirrors": ["https://mirror.example/path"] }, 24, "--registry-mirror must be a URL"],
  [
    { proxies: { "http-proxy": "http://a:1" } },
    23,
    'must have options of dockerd only, or dockerd does not start (found "http-proxy")',
  ],
  [{ "containerd-plugin-namespace": "x" }, 23, '(found "containerd-plugin-namespace")'],
  [{ "host-gateway-ips": ["1.2.3.4"] }, 23, '(found "host-gateway-ips")'],
  [{ "max-download-attempts": 0 }, 23, "--max-download-attempts must be a number from 1"],
];

for (const [config, before, says, more] of DIE) {
  test(`${JSON.stringify(config)}: is rejected where dockerd dies of it`, async () => {
    for (const version of ["20.10.24", "26.1.5", "28.5.2"]) {
      const message = await rejected(config, version, more);
      if (Number.parseInt(version, 10) < before) assert.match(message, says, version);
      else assert.is(message, "", version);
    }
  });
}

test("a cgroup-parent that is no slice: rejected where dockerd takes systemd's cgroups by default, too", async () => {
  const unified = { more: { kernel: { "/sys/fs/cgroup/cgroup.controllers": "cpu memory\n" } } };
  const config = { "cgroup-parent": "/docker" };
  assert.is(
    await rejected(config, "28.5.2", unified),
    "cgroup-parent: must be a slice of systemd's, such as docker.slice, with the cgroup driver systemd, or dockerd does not start " +
      "(found --cgroup-parent=/docker and no --exec-opt). Correct it, or set the exec-opt native.cgroupdriver=cgroupfs.",
  );
  assert.is(await rejected(config, "28.5.2"), "", "cgroups of version 1");
  assert.is(await rejected(config, "19.03.15", unified), "", "before 20.10");
  const options = (...drivers: string[]): object => ({
    ...config,
    "exec-opts": drivers.map((driver) => `native.cgroupdriver=${driver}`),
  });
  assert.is(await rejected(options("cgroupfs"), "28.5.2", unified), "");
  assert.is(await rejected(options("cgroupfs", "systemd"), "28.5.2", unified), "", "the first one counts");
  assert.match(await rejected(options("systemd"), "28.5.2"), "cgroup-parent: must be a slice");
  assert.is(await rejected({ "cgroup-parent": "docker.slice" }, "28.5.2", unified), "");
});

test("an option of the command line that is in an object of daemon.json too", async () => {
  assert.match(
    await rejected({ proxies: { "http-proxy": "http://a:1" } }, "28.5.2", { line: "--http-proxy=http://b:1" }),
    "http-proxy: (from flag: [http://b:1], from file: http://a:1)",
  );
});

test("what dockerd starts with is accepted", async () => {
  for (const config of [
    {},
    { icc: false },
    { tls: false },
    { "default-runtime": "nvidia", runtimes: { nvidia: { path: "nvidia-container-runtime", runtimeArgs: [] } } },
    { "default-gateway-v6": "fd00:2::1" },
    { "log-driver": "syslog", "log-opts": { "syslog-address": "udp://1.2.3.4:1" } },
    { "log-opts": { "max-size": "1m", "max-file": "3", mode: "non-blocking", "cache-disabled": "true" } },
    { runtimes: { x: { runtimeType: "io.containerd.runsc.v1", options: { a: 1.5 } } } },
    { "registry-mirrors": ["https://mirror.example"], "insecure-registries": ["10.0.0.0/8", "registry.example:5000"] },
    { restart: false, label: ["a=b"], "containerd-plugins-namespace": "x" },
    { ip6tables: true, experimental: true, ipv6: true, "fixed-cidr-v6": "fd00::/64" },
  ]) {
    assert.is(await rejected(config, "20.10.24"), "", JSON.stringify(config));
  }
  assert.is(
    await rejected({}, "20.10.24", {
      line: "-r=false -H unix:// -H [::1]:2375 --add-runtime=X=/x --default-runtime=x",
    }),
    "",
  );
});

test("certificates that dockerd finds by a variable of its unit", async () => {
  const unit = DEBIAN_UNIT.replace("[Service]\n", "[Service]\nEnvironment=DOCKER_CERT_PATH=/etc/docker/certs\n");
  assert.is(
    await rejected({ hosts: [] }, "20.10.24", { line: "--tlsverify", unit: unit.replace(" -H fd://", "") }),
    "",
  );
  assert.match(await rejected({}, "20.10.24", { line: "--tlsverify" }), "tlsverify: needs");
});

test("an option of a dockerd whose options are not known", async () => {
  const line = "--selinux-enabled --log-driver=journald --signature-verification=false --enable-secrets";
  for (const version of ["1.13.1", null]) assert.is(await rejected({}, version, { line }), "");
  assert.match(await rejected({}, "20.10.24", { line }), "(found --signature-verification)");
});

test("containers of a bridge that hosts share must reach one another", async () => {
  const on = { given: { bridge: "weave" } };
  assert.is(
    await rejected({ icc: false }, "20.10.24", on),
    "icc: must not be off on the bridge weave, whose containers reach those of other hosts (found --icc=false). Remove it, or set network, which leaves the default network its own bridge.",
  );
  const other = { given: { bridge: "weave", network: "flat", fixed_cidr: "10.2.1.0/24" } };
  assert.is(await rejected({ icc: false }, "20.10.24", other), "");
});

test("a gateway outside the bridge's network, and an address in it that is taken", async () => {
  const on = { given: { bridge: "weave", fixed_cidr: "10.2.1.0/24" } };
  assert.is(await rejected({ "default-gateway": "10.2.9.1" }, "20.10.24", on), "");
  for (const gateway of ["10.9.0.1", "10.2.0.1", "10.2.0.0"]) {
    assert.is(
      await rejected({ "default-gateway": gateway }, "20.10.24", on),
      `default-gateway: must be another address in the bridge's network 10.2.0.0/16, or dockerd does not start (found ${gateway}; the bridge has 10.2.0.1/16). Correct or remove it.`,
    );
  }
});

test("IPv6 addresses that all hosts may assign: a warning", async () => {
  const { warnings } = await planned({ ipv6: true, "fixed-cidr-v6": "fd00::/64" }, "20.10.24", {
    given: { bridge: "weave" },
  });
  assert.equal(warnings, [
    "fixed-cidr-v6: must differ from host to host on weave, or containers get the same addresses (found fd00::/64). Set another on each host, or remove ipv6.",
  ]);
});

test.run();
