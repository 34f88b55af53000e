import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  apart,
  container,
  type Findings,
  host,
  none,
  problemsOf,
  router,
  source,
  target,
  vxlan,
} from "../support/verify_results";

/** weave_problems.py, whose function is called as tasks/verify.yml calls it. */
const test = suite("the problems that verify.yml finds");

test("the possible cause depends on what carries the frames of both", () => {
  assert.equal(problemsOf(apart), [
    "h1 does not reach h2 (10.2.0.2), h3 (10.2.0.3), h4 (10.2.0.4).",
    "h2: no path could be tested (found: ping: command not found). Correct this, and run playbooks/verify.yml again.",
    "h1 and h2: must reach each other through the router (found blocked paths between 198.51.100.1 and 192.0.2.2). Open TCP and UDP port 6783 in both directions, in both firewalls (weave_firewall: manage) and on the network between them. If it is open, check the state of the connection on either host (weave status connections).",
    "h1 and h3: must use the same datapath and port (found router on port 6783, and vxlan on port 4789). Set the same weave_datapath and weave_vxlan_port for both, and run the role.",
    "h4: must have a VXLAN on the bridge weave, or a Weave router on TCP port 6783 (found neither). Run the role on it (ansible-playbook -i INVENTORY site.yml --limit h4). If the router has exited, see its log (journalctl -u weave).",
  ]);
});

test("VXLANs with different identifiers, and one that is down: that is the cause, and no firewall", () => {
  const between = (one: object, other: object): Findings => ({
    hosts: [host(1, { datapath: { ...vxlan, ...one } }), host(2, { datapath: { ...vxlan, ...other } })],
    targets: [target(1), target(2)],
    sources: [source(1, { "10.2.0.2": null }), source(2, { "10.2.0.1": null })],
  });
  assert.is(
    problemsOf(between({ id: 77 }, { id: 6783 })).at(-1),
    "h1 and h2: must use the same VXLAN identifier (found 77 and 6783). Set the same weave_vxlan_id for both, and run the role.",
  );
  assert.match(problemsOf(between({ id: 77 }, { id: 77 })).at(-1) ?? "", "Open UDP port 4789");
  for (const down of [{ state: "down" }, { wireguard: { state: "down", port: 51820 } }]) {
    const problems = problemsOf(between({}, down));
    assert.match(problems[0] ?? "", /^h2: .* must be up \(found it down\)\. Run the role on it/);
    assert.not.match(problems.join("\n"), "port 4789");
    assert.is(problems.at(-1), "h2 does not reach h1 (10.2.0.1).");
  }
});

test("a firewall that drops by default is named where a path is blocked", () => {
  const found: Findings = {
    hosts: [
      host(1, { datapath: vxlan, firewall: "firewalld" }),
      host(2, { datapath: vxlan }),
      host(3, { firewall: "ufw" }),
    ],
    targets: [target(1), target(2)],
    sources: [source(1, { "10.2.0.2": null }), source(2, { "10.2.0.1": 1 })],
  };
  assert.is(
    problemsOf(found).at(-1),
    "h1: its firewall must accept what the other hosts send (found that firewalld drops by default, and that paths are blocked). Run the role on it: it warns about what the firewall drops, and with weave_firewall: manage it allows that.",
  );
});

test("hosts whose bridges have one MAC address: that is the cause, and no firewall", () => {
  const mac = "0e:5f:33:00:00:01";
  const clones = (ids: readonly string[]): Findings => ({
    hosts: ids.map((id, index) => host(index + 1, { identity: { mac, machine_id: id } })),
    targets: [target(1), target(2)],
    sources: [source(1, { "10.2.0.2": null }), source(2, { "10.2.0.1": null })],
  });
  const ID = "0123456789abcdef0123456789abcdef";
  const paths = ["h1 does not reach h2 (10.2.0.2).", "h2 does not reach h1 (10.2.0.1)."];
  assert.equal(problemsOf(clones([ID, ID])), [
    `h1 and h2: the bridges must have different MAC addresses (found ${mac}, and the machine-id ${ID} on each). If they are clones, run \`rm -f /etc/machine-id /var/lib/dbus/machine-id && systemd-machine-id-setup\` on all but one of them, or set weave_mac for each, and run the role.`,
    ...paths,
  ]);
  for (const ids of [
    ["", ""],
    [ID, "f".repeat(32)],
  ]) {
    assert.equal(problemsOf(clones(ids)), [
      `h1 and h2: the bridges must have different MAC addresses (found ${mac} on each). Set another weave_mac for each host, and run the role.`,
      ...paths,
    ]);
  }
});

test("an address that two hosts have is reported, although one of them answers", () => {
  const targets = [target(1), target(2, "10.2.0.1")];
  const same = { hosts: [host(1), host(2)], targets, sources: [source(1, { "10.2.0.1": 0.1 })] };
  assert.equal(problemsOf(same), [
    "h1 and h2: must have different addresses (found 10.2.0.1 on each). Set another weave_host_index for each host, and run the role.",
  ]);
});

test("a Docker that is not on the bridge and has no container is a problem, too", () => {
  const found: Findings = {
    hosts: [host(1, { subnet: null }), host(2, { subnet: "10.2.2.0/24" })],
    targets: [],
    sources: [],
  };
  assert.equal(problemsOf(found), [
    "h1: Docker must use the bridge weave (found it on another one). Run the role on it (ansible-playbook -i INVENTORY site.yml --limit h1), which restarts Docker.",
  ]);
  assert.equal(problemsOf(found, false), []);
});

test("what is wrong on a host is reported with what to do, Docker's part only if Docker uses the bridge", () => {
  const hosts = [
    host(1, { bridge: { state: "missing", address: null }, datapath: none, off_network: ["web", "db"] }),
    host(2, { bridge: { state: "down", address: "10.2.0.2" } }),
    host(3, { bridge: { state: "up", address: null } }),
    host(4, { datapath: { ...vxlan, state: "down" } }),
    { ...host(5), bridge: { state: "unknown", address: null }, error: "sudo: a password is required." },
    { ...host(6), bridge: { state: "unknown", address: null }, error: "a@h6: Permission denied (publickey,password)." },
  ];
  const remedy = (number: number): string =>
    `Run the role on it (ansible-playbook -i INVENTORY site.yml --limit h${number})`;
  const offNetwork = `h1: Docker must use the bridge weave (found containers that are not on the network: web, db). ${remedy(1)}, which restarts Docker.`;
  const expected = [
    `h1: must have the bridge weave (found none). ${remedy(1)}.`,
    offNetwork,
    `h2: the bridge weave must be up (found it down). ${remedy(2)}.`,
    `h3: the bridge weave must have an address (found none). ${remedy(3)}.`,
    `h4: the VXLAN of the bridge weave must be up (found it down). ${remedy(4)}.`,
    "h5: Ansible must become root there (found: sudo: a password is required). Run with -K, which asks for the sudo password, or correct ansible_user and sudo's configuration (ansible -i INVENTORY h5 --become -K -m raw -a id).",
    "h6: must be reachable by Ansible (found: a@h6: Permission denied (publickey,password)). Check that it is powered on, and that Ansible can log in (ansible -i INVENTORY h6 --become -m raw -a id).",
  ];
  assert.equal(problemsOf({ hosts, targets: [], sources: [] }), expected);
  assert.equal(
    problemsOf({ hosts, targets: [], sources: [] }, false),
    expected.filter((line) => line !== offNetwork),
  );
  assert.match(
    problemsOf({ hosts, targets: [], sources: [] }, true, [], "flat")[1] ?? "",
    /^h1: its Docker network flat must use the bridge weave \(found .*web, db\)\. Run the role on it \([^)]*\)\.$/,
  );
});

test("a host that is blocked with all its containers is reported once; a single container, by itself", () => {
  const found = {
    hosts: [host(1), host(2, { containers: [container("a", "10.2.2.1"), container("b", "10.2.2.2")] })],
    targets: [target(1), target(2), target(2, "10.2.2.1", "a"), target(2, "10.2.2.2", "b")],
    sources: [
      source(1, { "10.2.0.2": 0.1, "10.2.2.1": null, "10.2.2.2": 0.1 }),
      source(1, { "10.2.0.2": null, "10.2.2.1": null, "10.2.2.2": null }, { container: "web" }),
    ],
  };
  assert.equal(problemsOf(found), [
    "h1 does not reach h2's container a (10.2.2.1).",
    "h1's container web does not reach h2 and its containers (10.2.0.2, 10.2.2.1, 10.2.2.2).",
    "h2: container a must answer pings, as its host does (found no answer). Check that it runs, and check its own firewall and that of h2 (iptables -S FORWARD, iptables -S DOCKER-USER).",
    "h1: container web must reach what its host reaches (found blocked paths). Check the firewall of h1 (iptables -S FORWARD, iptables -S DOCKER-USER) and the container's own.",
  ]);
});

test("a host whose iptables drops frames between containers has that as its cause, once", () => {
  const web = { containers: [container("a", "10.2.2.1"), container("b", "10.2.2.2")] };
  const found = (more: object, ms: number | null): Findings => ({
    hosts: [host(1), host(2, { ...web, ...more })],
    targets: [target(1), target(2), target(2, "10.2.2.1", "a"), target(2, "10.2.2.2", "b")],
    sources: [
      source(1, { "10.2.0.2": 0.1, "10.2.2.1": ms, "10.2.2.2": ms }),
      source(2, { "10.2.0.1": 0.1 }),
      source(2, { "10.2.0.1": ms }, { container: "a" }),
    ],
  });
  const dropped = { frames: "dropped" };
  assert.equal(problemsOf(found(dropped, null)).slice(2), [
    "h2: iptables must accept frames between the ports of the bridge weave (found no rule for them in FORWARD, which drops them). Run the role on it (ansible-playbook -i INVENTORY site.yml --limit h2). If the rule disappears again, find out what replaces the host's rules.",
  ]);
  assert.equal(problemsOf(found({ frames: "icc_off" }, null)).slice(2), [
    "h2: Docker must let containers on the bridge weave reach one another (found its rule that drops their frames, as icc: false sets it). Set Docker's icc to true and restart Docker.",
  ]);
  assert.is(problemsOf(found({}, null)).length, 5, "a line for each container");
  // Something else lets them pass.
  assert.equal(problemsOf(found(dropped, 0.1)), []);
});

test("a thousand hosts of which one is unreachable are reported in time", () => {
  const numbers = Array.from({ length: 1000 }, (_, index) => index + 1);
  const address = (number: number): string => `10.2.${number >> 8}.${number & 255}`;
  const hosts = numbers.map((number) => host(number, { bridge: { state: "up", address: address(number) } }));
  const sources = numbers.slice(1).map((number) => source(number, { [address(1)]: null, [address(2)]: 0.1 }));
  const targets = numbers.map((number) => target(number, address(number)));
  const lines = problemsOf({ hosts, targets, sources });
  assert.is(lines.length, 2 * 999);
  assert.is(lines[998], "h1000 does not reach h1 (10.2.0.1).");
  assert.match(
    lines[1997] ?? "",
    "h1 and h1000: must reach each other through the vxlan (found blocked paths between 192.0.2.1 and 192.0.2.1000). Open UDP port 4789 ",
  );
});

test("a Docker whose client fails is reported with its error, and one that hangs with what to look for", () => {
  const found: Findings = {
    hosts: [
      host(1, { docker: "failing", docker_error: "client version {1} is too old" }),
      host(2, { docker: "unresponsive" }),
    ],
    targets: [],
    sources: [],
  };
  assert.equal(problemsOf(found), [
    "h1: Docker must answer, or its containers can't be tested (found client version {1} is too old). Correct this (docker ps; docker inspect), or list h1 in weave_verify_excused.",
    "h2: Docker must answer, or its containers can't be tested (found no answer within 15 seconds). See which container hangs (docker ps; docker inspect NAME) and remove it, or restart Docker (systemctl restart docker), or list h2 in weave_verify_excused.",
  ]);
});

test("a path without a result is a problem, unless its source is excused", () => {
  const found: Findings = {
    hosts: [host(1), host(2)],
    targets: [target(2)],
    sources: [source(1, {}, { untested: ["10.2.0.2"] })],
  };
  assert.match(problemsOf(found).join(), /^h1: each address must be pinged, .* \(found no result for 10\.2\.0\.2\)/);
  assert.equal(problemsOf(found, true, ["h1"]), []);
});

test("a host on which Ansible does not become root is reported as that, and nothing that follows from it", () => {
  const found: Findings = {
    hosts: [
      host(1, { user_id: 1000, docker: "failing", off_network: ["web"] }),
      { ...host(2), bridge: { state: "unknown", address: null }, error: "sh: 1: sudo: not found" },
    ],
    targets: [],
    sources: [],
  };
  assert.equal(problemsOf(found), [
    "h1: Ansible must become root there (found that it becomes the user with the id 1000). Remove ansible_become and ansible_become_user from the inventory, or set them to true and root.",
    "h2: Ansible must become root there (found: sh: 1: sudo: not found). Install sudo, or if Ansible logs in as root, set ansible_user: root or ansible_become: false.",
  ]);
});

test("a VXLAN that is not encrypted though it should be is a problem, whichever paths work", () => {
  const wireguard = { state: "up", port: 51820, peers: [] };
  const hosts = [host(1), host(2, { datapath: { ...vxlan, wireguard } }), host(3), host(4, { datapath: router })];
  const found = { hosts, targets: [], sources: [] };
  const of = (encrypted: boolean): string[] => problemsOf(found, true, ["h1"], "bridge", encrypted);
  assert.equal(of(true), [
    "weave_password: WireGuard must encrypt the VXLAN of each host, as this or weave_wireguard_key is set (found none on h1, h3). Run the role on all hosts together (ansible-playbook -i INVENTORY site.yml).",
  ]);
  assert.equal(of(false), []);
});

test.run();
