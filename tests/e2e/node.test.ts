import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { installCommand } from "./command";
import { differences, fingerprint } from "./fingerprint";
import { bootHosts } from "./hosts";
import { ansiblePlaybook, changedTasks, failures, type PlaybookRun } from "./playbook";
import { sh } from "./shell";

/** Hosts that lack a suitable Node.js, each in another way, get one; a check leaves none behind. */
const test = suite("Node on the hosts");
let cluster: Cluster;
/** The major version of the hosts' own Node.js. */
let major: string;
const play = (...args: string[]): Promise<PlaybookRun> =>
  ansiblePlaybook(cluster.inventory, ["site.yml", "--extra-vars", "weave_datapath=vxlan", ...args]);

const REMOVE_NODE = "dpkg --purge --force-depends nodejs 2>/dev/null";

/** Makes a repository on the host itself, with a package of the Node.js that the host has, which its other packages may depend on. */
const OWN_REPOSITORY = `
set -eu
mkdir -p /srv/repository/package/DEBIAN /srv/repository/package/usr/bin
cd /srv/repository
cp /usr/bin/node package/usr/bin/
printf 'Package: nodejs\\nVersion: %s\\nArchitecture: %s\\nMulti-Arch: allowed\\nMaintainer: nobody\\nDescription: Node.js\\n' "$(dpkg-query --show --showformat '\${Version}' nodejs)" "$(dpkg --print-architecture)" >package/DEBIAN/control
dpkg-deb -Znone --build package nodejs.deb >/dev/null
{ cat package/DEBIAN/control; echo "Filename: ./nodejs.deb"; stat -c 'Size: %s' nodejs.deb; sha256sum nodejs.deb | sed 's/ .*//; s/^/SHA256: /'; } >Packages
echo 'deb [trusted=yes] file:/srv/repository ./' >/etc/apt/sources.list
apt-get -o Dir::Etc::sourceparts=- update
`;

/** A Node.js that only its owner, who is not root, can write; it records that it was run. */
const ANOTHER_USERS = `
mkdir -p /opt/node-v22/bin
printf '#!/bin/sh\\nid -u >>/opt/ran\\necho v22.0.0\\n' >/opt/node-v22/bin/node
chmod 755 /opt/node-v22/bin/node
chown -R nobody /opt/node-v22`;

/** How each host is prepared, and the Node.js that the role then uses. */
const HOSTS: Readonly<Record<string, { has: string; by: string; takes: string; changes: readonly string[] }>> = {
  apollo1: {
    has: "none, and an old C library",
    by: `${REMOVE_NODE}; printf '#!/bin/sh\\necho glibc 2.19\\n' >/usr/local/bin/getconf && chmod 755 /usr/local/bin/getconf`,
    takes: "/var/lib/apollo-weave/node-16.20.2/bin/node",
    changes: ["Copy Node.js to the host"],
  },
  apollo2: {
    has: "one that is too old, and another user's",
    by: `printf '#!/bin/sh\\necho v12.22.9\\n' >/usr/bin/node; ${ANOTHER_USERS}`,
    takes: "/var/lib/apollo-weave/node-24.21.0/bin/node",
    changes: ["Copy Node.js to the host"],
  },
  apollo3: {
    has: "one in an odd place",
    by: "mkdir -p /opt/node-v18/bin && mv /usr/bin/node /opt/node-v18/bin/",
    takes: "/opt/node-v18/bin/node",
    changes: [],
  },
  apollo4: {
    has: "none, while the distribution has one",
    by: `${OWN_REPOSITORY}\n${REMOVE_NODE}`,
    takes: "/usr/bin/node",
    changes: ["Install the distribution's Node.js"],
  },
};

test.before(async () => {
  cluster = await bootHosts(5);
  major = await sh(cluster.host("apollo1"), "node --version | sed 's/^v//; s/\\..*//'");
  await Promise.all(Object.entries(HOSTS).map(([name, { by }]) => sh(cluster.host(name), by)));
  await sh(cluster.host("apollo5"), REMOVE_NODE);
  await cluster.host("apollo5").write("/usr/local/bin/uname", "#!/bin/sh\necho aarch64\n", 0o755);
});
test.after(() => cluster.down());

const state = async (host: Host): Promise<string> =>
  (await fingerprint(host)) + (await sh(host, "find /tmp /var/tmp /var/lib/apollo* /var/lib -maxdepth 1 | sort"));

const changesOf = (run: PlaybookRun, name: string): string[] =>
  changedTasks(run).flatMap((task) => (task.startsWith(`${name}: `) ? task.replace(/.* : /, "") : []));

const STEPS = [
  "Configure the bridge",
  "Configure Docker to use the bridge",
  "Report that Docker must restart",
  "restart docker",
];

test("a check gives each host's whole plan and leaves nothing behind, and the run makes just that plan", async () => {
  const before = await Promise.all(cluster.hosts.map(state));
  const check = await play("--check", "--limit", "!apollo5");
  assert.is(check.status, 0, check.output);
  const after = await Promise.all(cluster.hosts.map(state));
  // What Ansible's own modules leave behind is not the role's.
  const left = before.flatMap((text, index) => differences(text, after[index] ?? ""));
  assert.equal(
    left.filter((line) => !line.startsWith("+ /root/.ansible")),
    [],
  );
  for (const [name, { changes }] of Object.entries(HOSTS))
    assert.equal(changesOf(check, name), [...changes, ...STEPS], name);

  const run = await play("--limit", "!apollo5");
  assert.is(run.status, 0, run.output);
  assert.equal(changedTasks(run).sort(), changedTasks(check).sort());
});

for (const [name, { has, takes }] of Object.entries(HOSTS)) {
  test(`a host that has ${has}: the modules run on ${takes}`, async () => {
    const version = /\/node-(16|24)\.[\d.]+\//.exec(takes)?.[1] ?? major;
    assert.is(await sh(cluster.host(name), `${takes} --version | sed 's/\\..*//'`), `v${version}`);
  });
}

test("the command runs on the Node.js that the role has installed, where the host has no other one", async () => {
  const host = cluster.host("apollo1");
  await installCommand([host]);
  const { status, stdout, stderr } = await host.exec(["apollo-weave", "status", "--format=prometheus"]);
  assert.equal([status, stderr], [0, ""]);
  assert.match(stdout, "apollo_weave_bridge_up 1\n");
});

test("another user's Node.js is neither run nor changed", async () => {
  assert.is(
    await sh(cluster.host("apollo2"), "ls -d /opt/ran /opt/node-v22/bin/node 2>/dev/null || true"),
    "/opt/node-v22/bin/node",
  );
});

test("the inventory's Node.js is rejected if others can change it", async () => {
  const run = await play("--limit", "apollo2", "--extra-vars", "ansible_node_interpreter=/opt/node-v22/bin/node");
  assert.is(run.status, 2);
  assert.match(
    failures(run)["apollo2"] ?? run.output,
    /^ansible_node_interpreter: \/opt\/node-v22\/bin\/node on apollo2 must be a program that only root can change, /,
  );
  assert.is(await sh(cluster.host("apollo2"), "ls /opt"), "node-v22");
});

test("a host whose C library runs none of npm's Node.js releases is rejected, with the reason", async () => {
  const host = cluster.host("apollo5");
  await host.write("/usr/local/bin/getconf", "#!/bin/sh\nexit 1\n", 0o755);
  await host.write("/usr/local/bin/ldd", "#!/bin/sh\necho 'musl libc (x86_64)' >&2\nexit 1\n", 0o755);
  const run = await play("--limit", "apollo5", "--check");
  assert.is(run.status, 2);
  assert.match(
    failures(run)["apollo5"] ?? run.output,
    /^ansible_node_interpreter: must be set for apollo5, .* \(found no Node\.js on aarch64 with musl\)\. Install Node\.js 16 or newer there, /,
  );
  await sh(host, "rm /usr/local/bin/getconf /usr/local/bin/ldd");
});

test("a second run changes nothing, and copies no Node.js", async () => {
  const run = await play("--limit", "!apollo5");
  assert.equal(changedTasks(run), [], run.output);
  assert.not(
    run.results.some(({ task }) => /the package from npm|Node\.js from the controller/.test(task)),
    run.output,
  );
});

test("only root can enter the role's directory; a Node.js in it that others could have changed is not run", async () => {
  const host = cluster.host("apollo1");
  assert.is(await sh(host, "stat -c '%a %U' /var/lib/apollo-weave"), "700 root");
  await sh(
    host,
    "chmod 777 /var/lib/apollo-weave; echo 'touch /root/run-by-root' >/var/lib/apollo-weave/node-16.20.2/bin/node",
  );
  const run = await play("--limit", "apollo1");
  assert.is(run.status, 2, run.output);
  assert.is(
    failures(run)["apollo1"],
    "/var/lib/apollo-weave: must be owned by root on apollo1, and not writable by others (found owner root, mode 0777). " +
      "Delete the directory and run again.",
  );
  assert.is(await sh(host, "ls /root/run-by-root 2>/dev/null || echo none"), "none");
  await sh(host, "rm -r /var/lib/apollo-weave");
  const again = await play("--limit", "apollo1");
  assert.equal([again.status, changedTasks(again)], [0, ["apollo1: weave : Copy Node.js to the host"]], again.output);
});

test("the temporary Node.js that an interrupted check has left is removed by a later run, unless it may still be in use", async () => {
  const host = cluster.host("apollo1");
  const left =
    "cd /var/lib && mkdir apollo-weave-check-old apollo-weave-check-new && touch -d '3 days ago' *-check-old";
  await sh(host, `rm -r /var/lib/apollo-weave; ${left}`);
  const run = await play("--limit", "apollo1", "--check");
  assert.is(run.status, 0, run.output);
  assert.is(await sh(host, "ls /var/lib | grep apollo"), "apollo-weave-check-new");
  await sh(host, "rmdir /var/lib/apollo-weave-check-new");
  assert.is((await play("--limit", "apollo1")).status, 0);
});

test("an arm64 host gets the Node.js for arm64; if that does not run, as under this stand-in for uname, the role says so", async () => {
  const run = await play("--limit", "apollo5");
  assert.is(run.status, 2);
  assert.match(
    failures(run)["apollo5"] ?? run.output,
    /^ansible_node_interpreter: must be set for apollo5, as Node\.js 24\.21\.0 for aarch64 does not run there \(found .*Exec format error.*\)\. Install a Node\.js /s,
  );
  // The machine in the ELF header: 0xb7 is AArch64.
  const header = await sh(cluster.host("apollo5"), "od -An -tx1 -j18 -N2 /var/lib/apollo-weave/node-24.21.0/bin/node");
  assert.is(header, "b7 00");
});

test("other tasks of the play run with the inventory's Node.js, not with the role's", async () => {
  const { output } = await ansiblePlaybook(cluster.inventory, [
    "tests/e2e/plays/interpreter.yml",
    "--limit",
    "apollo1",
  ]);
  assert.match(output, "after the role: not set");
});

test.run();
