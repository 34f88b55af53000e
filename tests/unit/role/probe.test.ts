import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { capacity, hostAddresses } from "../../../modules/net/host_addresses";
import { forAll } from "../support/property";
import { inTemporaryDirectory } from "../support/temporary_directory";

/** roles/weave/files/probe.sh, where fakes of the programs that it runs are first in the path. */
const test = suite("probe.sh");
const PROBE = join(__dirname, "../../../roles/weave/files/probe.sh");

interface Given {
  readonly network?: string;
  readonly prefix?: number;
  readonly index?: string;
  readonly address?: string;
  readonly interface?: string;
  readonly node?: string;
  readonly script?: string;
  readonly scope?: string;
  readonly program?: string;
  readonly modules?: string;
  readonly mac?: string;
  readonly bridgeAddress?: string;
  readonly dockerSubnet?: string;
  readonly identity?: string;
  readonly key?: string;
  readonly peer?: string;
  /** Commands that prepare a network namespace, in which the script runs with the real ip. */
  readonly devices?: string;
  /** Called with the directory before the script runs. */
  readonly prepare?: (directory: string) => void;
}

/** Runs the script; `programs` are the fakes' texts by name. */
function probe(given: Given, programs: Readonly<Record<string, string>> = {}, script = PROBE): Record<string, unknown> {
  let answer = {};
  inTemporaryDirectory((directory) => {
    // So that none of this machine's own is run.
    const fakes = { ...(given.devices === undefined && { ip: "" }), docker: "exit 1", "apt-cache": "", ...programs };
    for (const [name, text] of Object.entries(fakes)) {
      writeFileSync(join(directory, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    }
    const { network = "10.2.0.0/16", prefix = 24 } = given;
    const args = Object.entries({
      network,
      prefix,
      host_index: given.index,
      address: given.address,
      interface: given.interface,
      peer: given.peer,
      inventory_nodejs: given.node?.replace("DIRECTORY", directory),
      script: given.script,
      scope_script: given.scope,
      program: given.program,
      kernel_modules: given.modules,
      set_mac: given.mac,
      set_bridge: given.bridgeAddress,
      set_docker_subnet: given.dockerSubnet,
      set_wireguard_identity: given.identity,
      set_wireguard_key: given.key,
    }).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
    given.prepare?.(directory);
    const inNamespace = ["unshare", "--net", "sh", "-ec", `${given.devices}\nexec sh "$@"`];
    const [program = "", ...rest] = [...(given.devices === undefined ? [] : inNamespace), "sh", script, ...args];
    const { stdout, stderr } = spawnSync(program, rest, {
      encoding: "utf8",
      env: { PATH: `${directory}:/usr/sbin:/usr/bin:/sbin:/bin` },
    });
    assert.is(stderr, "");
    answer = JSON.parse(stdout) as Record<string, unknown>;
  });
  return answer;
}

/** The same with other paths in the script. */
function probeWithPaths(
  given: Given,
  programs: Readonly<Record<string, string>>,
  paths: Readonly<Record<string, string>>,
): Record<string, unknown> {
  const text = Object.entries(paths).reduce(
    (all, [path, other]) => all.replaceAll(path, other),
    readFileSync(PROBE, "utf8"),
  );
  const script = join(tmpdir(), `apollo-weave-probe-${process.pid}.sh`);
  writeFileSync(script, text);
  try {
    return probe(given, programs, script);
  } finally {
    rmSync(script);
  }
}

const bridgeWith = (...addresses: string[]): Record<string, string> => ({
  ip: `[ "$6" = weave ] || exit 1\n${addresses.map((cidr) => `echo '7: weave    inet ${cidr} brd 10.2.255.255 scope global weave'`).join("\n")}`,
});

test("a fresh host has no index", () => {
  const { host_index, keeps_host_index, address, router } = probe({});
  assert.equal(
    { host_index, keeps_host_index, address, router },
    { host_index: 0, keeps_host_index: false, address: "", router: false },
  );
});

test("the host's number is computed from its bridge's address, as the modules do", () => {
  const networks = fc.constantFrom(["10.2.0.0/16", 24], ["10.0.0.0/8", 24], ["172.20.0.0/20", 26], ["10.2.0.0/16", 29]);
  forAll(
    [networks as fc.Arbitrary<[string, number]>, fc.nat(1_000_000)],
    ([network, prefix], seed) => {
      const number = (seed % capacity(Number(network.replace(/.*\//, "")), prefix)) + 1;
      const { address } = hostAddresses(network, number, prefix);
      const { host_index, keeps_host_index } = probe({ network, prefix }, bridgeWith(address));
      assert.equal({ host_index, keeps_host_index }, { host_index: number, keeps_host_index: true });
    },
    40,
  );
});

test("an address outside the network, or one that belongs to no number, gives no number", () => {
  for (const address of ["10.3.0.5/16", "10.1.0.5/16", "192.168.0.7/24", "10.2.7.7/16"]) {
    assert.is(probe({}, bridgeWith(address))["host_index"], 0, address);
  }
  assert.is(probe({}, bridgeWith("10.32.0.1/12", "10.2.0.9/16"))["host_index"], 9, "the router's own beside it");
});

test("a mistyped argument is rejected, and values are taken as they are", () => {
  const run = (...args: string[]) => spawnSync("sh", [PROBE, ...args], { encoding: "utf8" });
  const { status, stderr } = run("network=10.2.0.0/16", "prefix=24", "host-index=7");
  assert.equal([status, stderr], [2, "probe.sh: unknown argument host-index\n"]);
  assert.is(run("10.2.0.0/16").status, 2);
  const odd = probe({ mac: "a=b $(exit 1) `exit 1` 'c'", index: "3" });
  assert.equal([odd["set_mac"], odd["host_index"]], ["ab exit 1 exit 1 c", 3]);
});

test("a weave script that is not found is missing", () => {
  assert.is(probe({ script: "/nonexistent/weave" })["missing_script"], "/nonexistent/weave");
  assert.is(probe({ script: PROBE })["missing_script"], "");
  assert.is(probe({})["missing_script"], "");
});

test("another program and the scope script that are not found are missing", () => {
  const { missing_scope_script, missing_program } = probe({ scope: "/nonexistent/scope", program: "no-such-program" });
  assert.equal(
    { missing_scope_script, missing_program },
    {
      missing_scope_script: "/nonexistent/scope",
      missing_program: "no-such-program",
    },
  );
  assert.is(probe({ program: "sh" })["missing_program"], "");
});

test("the inventory's number takes precedence over the host's, which is then not kept", () => {
  const { host_index, keeps_host_index } = probe({ index: "4" }, bridgeWith("10.2.0.9/16"));
  assert.equal({ host_index, keeps_host_index }, { host_index: 4, keeps_host_index: false });
});

test("the underlay's address: the inventory's, else the interface's", () => {
  const ip = `[ "$6" = eth1 ] && echo '3: eth1    inet 192.168.60.5/24 brd 192.168.60.255 scope global eth1'`;
  assert.is(probe({ interface: "eth1" }, { ip })["address"], "192.168.60.5");
  assert.is(probe({ interface: "eth1", address: "203.0.113.9" }, { ip })["address"], "203.0.113.9");
  assert.is(probe({ interface: "eth9" }, { ip })["address"], "");
});

/** Commands for a device with these addresses, in this order. */
const device = (name: string, ...addresses: string[]): string =>
  [
    `ip link add ${name} type veth peer name ${name}-peer`,
    ...addresses.map((address) => `ip addr add ${address} dev ${name}`),
    `ip link set ${name} up`,
    `ip link set ${name}-peer up`,
  ].join("\n");

const KEEPALIVED = "192.168.60.200/32";

for (const [name, expected, peer, devices] of [
  [
    "the network's before a single one that was there first",
    "192.168.60.5",
    "",
    device("eth1", KEEPALIVED, "192.168.60.5/24"),
  ],
  [
    "the network's before a single one that came later",
    "192.168.60.5",
    "",
    device("eth1", "192.168.60.5/24", KEEPALIVED),
  ],
  ["a single one, if there is no other", "192.168.60.200", "192.168.60.6", device("eth1", KEEPALIVED)],
  [
    "that in the peer's network",
    "10.60.0.5",
    "10.60.0.6",
    device("eth1", KEEPALIVED, "192.168.60.5/24", "10.60.0.5/24"),
  ],
  [
    "the source of the route to the peer, though all are single ones",
    "10.60.0.5",
    "10.60.7.6",
    `${device("eth1", KEEPALIVED, "10.60.0.5/32")}\nip route add 10.60.0.1 dev eth1\nip route add 10.60.7.0/24 via 10.60.0.1 src 10.60.0.5`,
  ],
  [
    "the source of the default route, where the peer is a name",
    "10.60.0.5",
    "docker2",
    `${device("eth1", KEEPALIVED, "10.60.0.5/32")}\nip route add 10.60.0.1 dev eth1\nip route add default via 10.60.0.1 src 10.60.0.5`,
  ],
  [
    "none of another interface, by which the peer's address of the inventory is reached",
    "192.168.60.5",
    "10.60.0.6",
    `${device("eth0", "10.60.0.5/24")}\nip route add default via 10.60.0.1\n${device("eth1", KEEPALIVED, "192.168.60.5/24")}`,
  ],
  [
    "none that the interface does not have, though the route's source is one",
    "192.168.60.5",
    "10.60.7.6",
    `ip addr add 10.99.0.1/32 dev lo\n${device("eth1", KEEPALIVED, "192.168.60.5/24")}\nip route add 10.60.7.0/24 via 192.168.60.1 src 10.99.0.1`,
  ],
] as const) {
  test(`of an interface's several addresses: ${name}`, () => {
    assert.is(probe({ interface: "eth1", peer, devices })["address"], expected);
  });
}

test("a Node.js of 16 or newer in the path is taken, an older one named", () => {
  const path = probe({}, { node: "echo v16.20.2" })["nodejs"] as string;
  assert.match(path, /\/node$/);
  const { nodejs, unsuitable_nodejs, nodejs_problem } = probe({ node: "DIRECTORY/node" }, { node: "echo v12.22.9" });
  assert.equal([nodejs, nodejs_problem], ["", "too_old"]);
  assert.match(unsuitable_nodejs as string, /\/node 12\.22\.9$/);
});

// dash's `command -v` looks at its first name only.
test("where the program node is too old, nodejs is taken", () => {
  const { nodejs } = probe({}, { node: "echo v12.22.9", nodejs: "echo v20.0.0" });
  assert.match(nodejs as string, /\/nodejs$/);
});

test("a Node.js that does not run is unsuitable, and a path without a program is not", () => {
  assert.match(
    probe({ node: "DIRECTORY/node" }, { node: "exit 127" })["unsuitable_nodejs"] as string,
    /\/node does not run$/,
  );
  const { nodejs, unsuitable_nodejs } = probe({ node: "/nonexistent/node" });
  assert.equal({ nodejs, unsuitable_nodejs }, { nodejs: "", unsuitable_nodejs: "" });
});

test("the inventory's Node.js is reported as such", () => {
  assert.is(probe({ node: "/nonexistent/node" })["inventory_nodejs"], "/nonexistent/node");
  assert.is(probe({}, { node: "echo v16.20.2" })["inventory_nodejs"], "");
});

/** What keeps the probe from running a Node.js that is prepared in this way; the prepared program records that it ran. */
function untrusted(node: string, prepare: (directory: string) => void): string {
  const answer = probe({ node, prepare }, { node: "echo v20.0.0" });
  assert.is(answer["nodejs"], "", node);
  assert.is(answer["nodejs_problem"], answer["unsuitable_nodejs"] === "" ? "" : "writable", node);
  return answer["unsuitable_nodejs"] as string;
}

const NOBODY = 65534;
const OTHERS = /^\S+node could be changed by other users$/;

test("a Node.js that others than root can change is not run, and named", () => {
  const node = "DIRECTORY/node";
  const cases: Readonly<Record<string, (directory: string) => void>> = {
    "another user's": (directory) => chownSync(join(directory, "node"), NOBODY, NOBODY),
    "writable for a group": (directory) => chmodSync(join(directory, "node"), 0o775),
    "writable for all": (directory) => chmodSync(join(directory, "node"), 0o757),
    "in another user's directory": (directory) => chownSync(directory, NOBODY, 0),
    "in a directory that a group can write": (directory) => chmodSync(directory, 0o770),
    "in a directory that all can write": (directory) => chmodSync(directory, 0o777),
    "in another user's directory with the sticky bit": (directory) => {
      chmodSync(directory, 0o1777);
      chownSync(directory, NOBODY, 0);
    },
  };
  for (const [name, prepare] of Object.entries(cases)) assert.match(untrusted(node, prepare), OTHERS, name);
});

test("a link to Node.js is followed, and each link and directory on the way counts", () => {
  const inside = (link: (directory: string) => void) => (directory: string) => {
    mkdirSync(join(directory, "open/bin"), { recursive: true });
    mkdirSync(join(directory, "bin"));
    link(directory);
    chmodSync(join(directory, "open"), 0o777);
  };
  const linked = (target: string, path: string) =>
    inside((directory) => symlinkSync(join(directory, target), join(directory, path)));
  assert.match(untrusted("DIRECTORY/bin/node", linked("open/bin/node", "bin/node")), /^$/, "a link to nothing");
  assert.match(
    untrusted("DIRECTORY/open/bin/node", linked("node", "open/bin/node")),
    OTHERS,
    "a link in such a directory",
  );
  const throughLink = inside((directory) => {
    symlinkSync(join(directory, "node"), join(directory, "open/bin/node"));
    symlinkSync("../open/bin/node", join(directory, "bin/node"));
  });
  assert.match(untrusted("DIRECTORY/bin/node", throughLink), OTHERS, "a link to such a link");
  const { nodejs } = probe(
    { node: "DIRECTORY/bin/node", prepare: linked("node", "bin/node") },
    { node: "echo v20.0.0" },
  );
  assert.match(nodejs as string, /\/bin\/node$/, "a link of root's, by its own name");
});

test("a Node.js that can't be checked is not run as root", () => {
  const script = join(tmpdir(), `apollo-weave-namei-${process.pid}.sh`);
  writeFileSync(script, readFileSync(PROBE, "utf8").replaceAll("namei", "namei-missing"));
  try {
    const { nodejs, unsuitable_nodejs } = probe({ node: "DIRECTORY/node" }, { node: "echo v20.0.0" }, script);
    assert.is(nodejs, "");
    assert.match(unsuitable_nodejs as string, /\/node could not be checked, as namei-missing is missing$/);
  } finally {
    rmSync(script);
  }
});

test("in a directory with the sticky bit, only root can change root's Node.js", () => {
  const { nodejs } = probe(
    { node: "DIRECTORY/node", prepare: (directory) => chmodSync(directory, 0o1777) },
    { node: "echo v20.0.0" },
  );
  assert.match(nodejs as string, /\/node$/);
});

test("the C library is reported where no Node.js is found, as it limits Node.js's version", () => {
  const libc = (programs: Readonly<Record<string, string>>): unknown =>
    probe({ node: "/nonexistent" }, programs)["libc"];
  assert.is(libc({ getconf: "echo glibc 2.31" }), "glibc 2.31");
  const without = { getconf: "exit 1" };
  assert.is(libc({ ...without, ldd: "echo 'ldd (Ubuntu EGLIBC 2.19-0ubuntu6.15) 2.19'" }), "glibc 2.19");
  assert.is(libc({ ...without, ldd: "echo 'musl libc (x86_64)' >&2; exit 1" }), "musl");
  assert.is(libc({ ...without, ldd: "exit 1" }), "");
  assert.is(probe({}, { node: "echo v16.20.2", getconf: "echo glibc 2.31" })["libc"], "");
});

test("what the inventory sets of the bridge is reported", () => {
  const set = { mac: "0e:5f:33:00:00:01", bridgeAddress: "10.2.0.5/16", dockerSubnet: "10.2.5.0/24" };
  const answer = probe({ ...set, identity: "203.0.113.7", key: "5feceb66" });
  assert.is(answer["set_wireguard_identity"], "203.0.113.7");
  assert.is(answer["set_wireguard_key"], "5feceb66");
  assert.is(answer["set_mac"], "0e:5f:33:00:00:01");
  assert.is(answer["set_bridge"], "10.2.0.5/16");
  assert.is(answer["set_docker_subnet"], "10.2.5.0/24");
});

test("the distribution's Node: its major version, unless that package or another Node.js is in its place", () => {
  const policy = (installed: string, candidate: string): string =>
    `echo 'nodejs:'; echo '  Installed: ${installed}'; echo '  Candidate: ${candidate}'`;
  const packaged = (installed: string, candidate: string, inItsPlace = "/nonexistent"): unknown =>
    probeWithPaths(
      { node: "/nonexistent" },
      { "apt-cache": policy(installed, candidate) },
      { "/usr/bin/node": inItsPlace },
    )["packaged_nodejs"];
  assert.is(packaged("(none)", "18.20.4+dfsg-1~deb12u1"), 18);
  assert.is(packaged("(none)", "2:20.1-1"), 20);
  assert.is(packaged("12.22.12~dfsg-1", "18.20.4+dfsg-1"), 0, "the role upgrades nobody's package");
  assert.is(packaged("18.20.4+dfsg-1", "18.20.4+dfsg-1"), 0);
  assert.is(packaged("(none)", "(none)"), 0);
  assert.is(packaged("(none)", "18.20.4+dfsg-1", "/bin/sh"), 0, "apt would replace it");
});

/** What is told of Docker where systemd shows this of its unit, or where no systemd runs; no daemon has left its process id. */
function dockerWhere(
  shown: string | null,
  programs: Readonly<Record<string, string>> = {},
  paths: Readonly<Record<string, string>> = {},
): unknown[] {
  const systemctl = shown === null ? "exit 1" : `[ "$1" = show ] && cat <<'END'\n${shown}\nEND`;
  const { docker, missing_docker } = probeWithPaths(
    { program: "sh" },
    { systemctl, ...programs },
    { "/var/run/docker.pid": "/nonexistent/docker.pid", ...paths },
  );
  return [docker, missing_docker];
}

test("a unit that is masked is found while Docker still runs: it would not start again", () => {
  inTemporaryDirectory((directory) => {
    mkdirSync(join(directory, "1234"));
    writeFileSync(join(directory, "1234/comm"), "dockerd\n");
    writeFileSync(join(directory, "docker.pid"), "1234");
    symlinkSync("/dev/null", join(directory, "masked"));
    writeFileSync(join(directory, "unit"), "[Service]\n");
    const running = { "/var/run/docker.pid": join(directory, "docker.pid"), "/proc/$": `${directory}/$` };
    for (const place of ["/etc/systemd/system", "/run/systemd/system"]) {
      const unitIn = (file: string) => ({ ...running, [`${place}/docker.service`]: join(directory, file) });
      assert.equal(dockerWhere("", {}, unitIn("masked")), ["masked", ""], place);
      assert.equal(dockerWhere("", {}, unitIn("unit")), ["running", ""], place);
    }
  });
});

test("a Docker that runs is found by its process id, also where no systemd runs", () => {
  inTemporaryDirectory((directory) => {
    mkdirSync(join(directory, "1234"));
    writeFileSync(join(directory, "1234/comm"), "dockerd\n");
    // As dockerd writes it, without a line feed (moby v20.10.24 and v28.5.2, pkg/pidfile).
    writeFileSync(join(directory, "docker.pid"), "1234");
    const here = {
      "/run/systemd/system": "/nonexistent",
      "/proc/$": `${directory}/$`,
      "/var/run/docker.pid": join(directory, "docker.pid"),
    };
    assert.equal(dockerWhere(null, {}, here), ["running", ""]);
    writeFileSync(join(directory, "1234/comm"), "sleep\n");
    assert.not.equal(dockerWhere(null, {}, here), ["running", ""]);
  });
});

const loaded = (program: string, state = "inactive"): string =>
  `ExecStart={ path=${program} ; argv[]=${program} -H fd:// $DOCKER_OPTS ; ignore_errors=no }\nLoadState=loaded\nActiveState=${state}`;

test("Docker is missing where its unit starts nothing that exists, however systemd came by the unit", () => {
  assert.equal(dockerWhere("LoadState=not-found\nActiveState=inactive"), ["missing", "docker.service"]);
  assert.equal(dockerWhere("LoadState=masked\nActiveState=inactive"), ["masked", ""]);
  assert.equal(dockerWhere(loaded("/nonexistent/dockerd")), ["missing", "/nonexistent/dockerd"]);
  assert.equal(dockerWhere(loaded("/bin/sh")), ["stopped", ""]);
  assert.equal(dockerWhere(loaded("/bin/sh", "failed")), ["stopped", ""]);
  assert.equal(dockerWhere(loaded("/nonexistent/dockerd", "active")), ["running", ""]);
  const ofScript = loaded("/etc/init.d/docker");
  assert.equal(dockerWhere(ofScript, { dockerd: "" }), ["stopped", ""]);
  if (spawnSync("sh", ["-c", "PATH=$PATH:/usr/sbin command -v dockerd"]).status !== 0)
    assert.equal(dockerWhere(ofScript), ["missing", "dockerd"]);
});

test("where no systemd runs, Docker is missing without an init script, or with a client alone", () => {
  const paths = { "/run/systemd/system": "/nonexistent", "/etc/init/docker.conf": "/nonexistent" };
  const where = (programs: Readonly<Record<string, string>>, script = PROBE): unknown[] =>
    dockerWhere(null, programs, { ...paths, "/etc/init.d/docker": script });
  const client = (version: string): Record<string, string> => ({
    docker: `echo 'Docker version ${version}, build 297e128'`,
  });
  assert.equal(where({ dockerd: "" }), ["stopped", ""]);
  assert.equal(where({ dockerd: "" }, "/nonexistent"), ["missing", "docker.service"]);
  if (spawnSync("sh", ["-c", "PATH=$PATH:/usr/sbin command -v dockerd"]).status === 0) return;
  assert.equal(where({}), ["missing", "dockerd"]);
  for (const version of ["0.9.1", "1.6.2", "1.11.2"]) assert.equal(where(client(version)), ["stopped", ""]);
  for (const version of ["1.12.0", "1.13.1", "26.1.5+dfsg1"])
    assert.equal(where(client(version)), ["missing", "dockerd"]);
});

test("the numbers of the VXLAN and the port of WireGuard are reported", () => {
  inTemporaryDirectory((directory) => {
    const file = join(directory, "weave-wg.conf");
    writeFileSync(file, "[Interface]\nListenPort = 51821\nPrivateKey = x\n");
    const devices = "ip link add weave-vx type vxlan id 77 dstport 8472 local 192.0.2.1";
    const inPlace = { "/sys/class/net/weave-vx": "/dev/null" };
    const numbers = (paths: Readonly<Record<string, string>>, given: Given = {}): unknown[] => {
      const { vxlan_id, vxlan_port, wireguard_port } = probeWithPaths(given, {}, paths);
      return [vxlan_id, vxlan_port, wireguard_port];
    };
    assert.equal(numbers(inPlace, { devices }), ["77", "8472", ""]);
    assert.equal(numbers({ ...inPlace, "/etc/wireguard/weave-wg.conf": file }, { devices }), ["77", "8472", "51821"]);
    assert.equal(numbers(inPlace), ["", "", ""], "one that is just being removed");
    assert.equal(numbers({}), ["", "", ""]);
  });
});

test("the user that the probe runs as is reported", () => {
  assert.is(probe({})["user_id"], process.getuid?.());
  assert.is(probe({}, { id: "echo 1000" })["user_id"], 1000);
});

test("kernel modules that are neither there nor can be loaded are missing, WireGuard's not with the program", () => {
  const missing = (
    modules: string,
    programs: Readonly<Record<string, string>>,
    list = "/dev/null",
    container = "/nonexistent",
  ): unknown => {
    const replaced = {
      "/proc/sys/kernel/modules_disabled": "/nonexistent",
      "/proc/modules": list,
      "/run/systemd/container": container,
    };
    return probeWithPaths({ modules }, programs, replaced)["missing_module"];
  };
  const [loads, fails] = [{ modprobe: "exit 0" }, { modprobe: "exit 1" }];
  assert.is(missing("vxlan_x wireguard_x", loads), "");
  assert.is(missing("vxlan_x", loads, "/nonexistent"), "vxlan_x", "a kernel that loads none");
  assert.is(missing("vxlan_x", fails), "vxlan_x");
  const elsewhere = { ...fails, uname: "echo 9.9-none" };
  assert.is(missing("vxlan_x", elsewhere, "/dev/null", "/dev/null"), "", "the machine's modprobe may load it");
  assert.is(missing("vxlan_x", { modprobe: "echo install /bin/false" }), "vxlan_x");
  assert.is(missing("vxlan_x", { modprobe: "echo insmod /lib/modules/vxlan_x.ko" }), "");
  assert.is(missing("vxlan_x", { modprobe: `[ "$*" = "--dry-run --verbose rtnl-link-vxlan_x" ]` }), "");
  const [there = ""] = readdirSync("/sys/module");
  assert.is(missing(there, fails), "");
  if (!existsSync("/sys/module/wireguard")) {
    assert.is(missing("wireguard", fails), "wireguard");
    assert.is(missing("wireguard", { ...fails, "wireguard-go": "" }), "");
  }
});

/** What is told of Weave's services on a host with these units or jobs, and whose weave script has this text. */
function servicesWhere(init: "systemd" | "upstart", units: Readonly<Record<string, string>>, script = ""): unknown[] {
  let told: unknown[] = [];
  inTemporaryDirectory((directory) => {
    const text = readFileSync(PROBE, "utf8")
      .replaceAll("/run/systemd/system", init === "systemd" ? directory : "/nonexistent")
      .replaceAll("/etc/systemd/system", directory)
      .replace("directory=/etc/init ", `directory=${directory} `);
    writeFileSync(join(directory, "probe.sh"), text);
    writeFileSync(join(directory, "weave"), script);
    for (const [name, unit] of Object.entries(units)) writeFileSync(join(directory, name), unit);
    const { services, script_version } = probe({ script: join(directory, "weave") }, {}, join(directory, "probe.sh"));
    told = [services, script_version];
  });
  return told;
}

test("Weave's services besides the router are told, and the version of the script that runs them", () => {
  const own = "# Ansible managed (weave_service). Manual changes will be overwritten.\n";
  const script = '#!/bin/sh\nSCRIPT_VERSION="1.9.8"\n';
  assert.equal(servicesWhere("systemd", {}, script), ["", ""]);
  assert.equal(servicesWhere("systemd", { "weaveproxy.service": "Apollo's" }, script), ["proxy", "1.9.8"]);
  const all = { "scope.service": own, "weaveplugin.service": own, "weaveproxy.service": own };
  assert.equal(servicesWhere("systemd", all, script.replace("1.9", "v1.4")), ["scope proxy plugin", "1.4.8"]);
  assert.equal(servicesWhere("systemd", all, "#!/bin/sh\n"), ["scope proxy plugin", ""]);
  assert.equal(servicesWhere("upstart", { "weavescope.conf": own, "weaveproxy.conf": own }), ["scope proxy", ""]);
  assert.equal(servicesWhere("upstart", all), ["", ""]);
});

test("another program's unit of Scope's name is none of Weave's", () => {
  assert.equal(servicesWhere("systemd", { "scope.service": "[Service]\nExecStart=/opt/scope\n" }), ["", ""]);
});

test("quotes in what a program prints do not end the string", () => {
  assert.is(probe({}, { uname: `echo 'odd"\\machine'` })["architecture"], "oddmachine");
});

test.run();
