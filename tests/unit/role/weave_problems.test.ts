import { suite } from "uvu";
import * as assert from "uvu/assert";
import { callPlugin } from "../support/python";

/** weave_findings.py, weave_printed_table.py and weave_problems.py, whose functions are called as tasks/verify.yml calls them. */
const test = suite("the results of verify.yml");

interface Source {
  readonly host: string;
  readonly container: string | null;
  readonly ms: Readonly<Record<string, number | null>>;
  readonly error: string;
}

interface Findings {
  readonly hosts: readonly Readonly<Record<string, unknown>>[];
  readonly targets: readonly Readonly<Record<string, unknown>>[];
  readonly sources: readonly Source[];
}

const tableOf = (found: Findings): string =>
  callPlugin<string[]>("weave_printed_table", "render_printed_table", [found, "weave_servers"]).join("\n");
const problemsOf = (
  found: Findings,
  usesBridge = true,
  excused: readonly string[] = [],
  network = "bridge",
): string[] => callPlugin("weave_problems", "list_problems", [found, usesBridge, excused, network]);

const router = { kind: "router", port: 6783, state: "up" };
const vxlan = { kind: "vxlan", port: 4789, state: "up" };
const none = { kind: "none", port: null, state: "missing" };

/** What a host of this number reports. */
const has = (number: number, more: object = {}) => ({
  bridge: { state: "up", address: `10.2.0.${number}` },
  datapath: vxlan,
  docker: "running",
  containers: [],
  containers_total: 0,
  off_network: [],
  ...more,
});

const host = (number: number, more: object = {}) => ({
  name: `h${number}`,
  underlay: `192.0.2.${number}`,
  error: "",
  ...has(number, more),
});

const target = (number: number, address = `10.2.0.${number}`, container: string | null = null) => ({
  host: `h${number}`,
  container,
  address,
});

const source = (number: number, ms: Source["ms"], more: Partial<Source> = {}): Source => ({
  host: `h${number}`,
  container: null,
  ms,
  error: "",
  ...more,
});

const container = (name: string, address: string) => ({ name, address, pid: 7 });

const apart: Findings = {
  hosts: [
    // The inventory may have another address for Ansible than the tunnel uses.
    host(1, { datapath: { ...router, local: "198.51.100.1" } }),
    host(2, { datapath: router, containers_total: 9, containers: [container("w", "10.2.2.1")] }),
    host(3, { datapath: vxlan }),
    host(4, { datapath: none }),
  ],
  targets: [target(1), target(2), target(3), target(4)],
  sources: [
    source(1, { "10.2.0.2": null, "10.2.0.3": null, "10.2.0.4": null }),
    source(2, {}, { error: "ping: command not found" }),
    source(1, { "10.2.0.2": 123.456, "10.2.0.3": 0.123, "10.2.0.4": 1 }, { container: "web" }),
  ],
};

test("the possible cause depends on what carries the frames of both", () => {
  assert.equal(problemsOf(apart), [
    "h1 does not reach h2 (10.2.0.2), h3 (10.2.0.3), h4 (10.2.0.4).",
    "h2: no path could be tested (found: ping: command not found). Correct this, and run playbooks/verify.yml again.",
    "h1 and h2: must reach each other through the router (found blocked paths between 198.51.100.1 and 192.0.2.2). Open TCP and UDP port 6783 in both directions, in both firewalls (weave_firewall: manage) and on the network between them. If it is open, check the state of the connection on either host (weave status connections).",
    "h1 and h3: must use the same datapath and port (found router on port 6783, and vxlan on port 4789). Set the same weave_datapath and weave_vxlan_port for both, and run the role.",
    "h4: must have a VXLAN on the bridge weave, or a Weave router on TCP port 6783 (found neither). Run the role on it (ansible-playbook -i INVENTORY site.yml --limit h4). If the router has exited, see its log (journalctl -u weave).",
  ]);
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

test("cells are short, and untested containers are listed", () => {
  const table = tableOf(apart);
  assert.match(table, /h1: web +- +ok 123\.0 ok 0\.12 +ok 1/);
  assert.match(table, "3 of 6 paths work, 3 are blocked; the slowest took 123.456 ms.");
  assert.match(table, "h2: 1 of its 9 containers are tested (weave_verify_containers).");
  assert.not.match(table, /^h2 {2,}/m);
});

test("a single host is reported, and is not a failure", () => {
  const alone = { hosts: [host(1)], targets: [target(1)], sources: [] };
  assert.match(tableOf(alone), "h1 is the only host of weave_servers: there is no other host to reach.");
  assert.equal(problemsOf(alone), []);
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

test("many addresses make no table, but their number and the blocked paths", () => {
  const targets = Array.from({ length: 30 }, (_, index) => target(1 + (index % 2), `10.2.9.${index}`));
  const reached = Object.fromEntries(Array.from({ length: 15 }, (_, index) => [`10.2.9.${2 * index + 1}`, 0.2]));
  const table = tableOf({ hosts: [host(1), host(2)], targets, sources: [source(1, reached)] });
  assert.match(table, "30 addresses are too many for a table; blocked paths are listed below.");
  assert.match(table, "All 15 paths work");
});

test("a table has eight columns side by side, and names of forty characters", () => {
  const targets = Array.from({ length: 9 }, (_, index) => target(2, `10.2.2.${index}`, "c".repeat(36 + index)));
  const sources = [source(1, { "10.2.2.0": 0.5, "10.2.2.8": null })];
  assert.is(
    tableOf({
      hosts: [
        host(1, { containers_total: 0 }),
        host(2, { docker: "unresponsive" }),
        host(3, { docker: "missing" }),
        host(4, { docker: "no_client" }),
      ],
      targets,
      sources,
    }),
    [
      ...targets.map(
        (_, index) =>
          ` ${index + 1}  10.2.2.${index}         h2: ${index === 0 ? "c".repeat(36) : `${"c".repeat(34)}..`}`,
      ),
      "",
      "from, to  1        2        3        4        5        6        7        8",
      "h1        ok 0.5   -        -        -        -        -        -        -",
      "",
      "from, to  9",
      "h1        BLOCKED",
      "",
      "Tested 4 of 4 hosts, and 0 of 0 containers.",
      "1 of 2 paths work, 1 is blocked; the slowest took 0.5 ms.",
      "The traffic between hosts is not encrypted.",
      "h1: no running container is on the network.",
      "h2: Docker is unresponsive, so none of its containers is tested.",
      "h3: Docker is not installed, so none of its containers is tested.",
      "h4: Docker's client is not installed (apt install docker-cli), so none of its containers is tested.",
    ].join("\n"),
  );
});

test("what could not be tested is counted and a problem, unless the host is excused", () => {
  const found: Findings = {
    hosts: [
      host(1, { docker: "stopped" }),
      host(2, { docker: "missing" }),
      host(3, { not_running: ["db", "web"], containers_total: 1, containers: [container("api", "10.2.3.1")] }),
      { name: "h4", underlay: "", error: "timed out", bridge: { state: "unknown", address: null }, containers: [] },
      host(5),
    ],
    targets: [],
    sources: [source(5, {}, { error: "ping: command not found" })],
  };
  const started =
    "h3: all containers that were started must run, or they can't be tested (found that Docker fails to start db, web). See why (docker inspect --format '{{.State.Error}}' db; docker logs db), remove them, or list h3 in weave_verify_excused.";
  const problems = problemsOf(found);
  assert.equal(problems.slice(1, 4), [
    "h1: Docker must run, or its containers can't be tested (found it stopped). Start it (systemctl start docker), or list h1 in weave_verify_excused.",
    "h2: Docker must be installed, or its containers can't be tested (found no dockerd). Install it (apt install docker.io), or list h2 in weave_verify_excused.",
    started,
  ]);
  assert.match(problems[0] ?? "", "h4: must be reachable by Ansible");
  assert.match(problems[4] ?? "", "h5: no path could be tested");
  assert.is(problems.length, 5);
  assert.equal(problemsOf(found, true, ["h1", "h2", "h4", "h5"]), [started]);
  assert.equal(problemsOf(found, true, ["all"]), []);
  const table = tableOf(found);
  assert.match(table, "Tested 4 of 5 hosts, and 1 of 3 containers.\nNo path was tested.\n");
  assert.match(table, "h4: it gave no answer, so neither the host nor its containers are tested.");
  assert.match(table, "h3: db, web do not run, so nothing is tested there.");
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
  assert.equal(problemsOf(found({ frames: "isolated" }, null)).slice(2), [
    "h2: Docker must let containers on the bridge weave reach one another (found its rule that drops their frames, as icc: false sets it). Set Docker's icc to true and restart Docker.",
  ]);
  assert.is(problemsOf(found({}, null)).length, 5, "a line for each container");
  // Something else lets them pass.
  assert.equal(problemsOf(found(dropped, 0.1)), []);
});

const UNDERLAYS = { h1: "192.0.2.1", h2: "192.0.2.2", h3: "192.0.2.3" };

/** The registered result of a script: its line, after what a login may print. */
const printed = (answer: object): object => ({ stdout: `Welcome\r\n\r\n${JSON.stringify(answer)}\r\n`, rc: 0 });

const findings = (variables: Record<string, object>, playing: string[]): Findings =>
  callPlugin("weave_findings", "combine_findings", [UNDERLAYS, { h1: {}, h2: {}, h3: {}, ...variables }, playing]);
const pingArguments = (found: Findings, name: string): string[] =>
  callPlugin("weave_findings", "list_ping_arguments", [found, name]);

test("answers from hosts in the play and outside it are combined, in the order of the group", () => {
  const containers = [container("web", "10.2.1.1"), container("db", "10.2.1.2")];
  const others = {
    results: [
      { item: "h2", ...printed(has(2)) },
      { item: "h3", unreachable: true, msg: "no route\r\nto host" },
    ],
  };
  const probe = { __weave_verify_probe: printed(has(1, { containers })), __weave_verify_probe_others: others };
  const before = findings({ h1: probe }, ["h1"]);
  assert.equal(before.hosts, [
    host(1, { containers }),
    host(2),
    {
      name: "h3",
      underlay: "192.0.2.3",
      error: "no route to host",
      bridge: { state: "unknown", address: null },
      containers: [],
    },
  ]);
  assert.equal(before.targets, [target(1), target(1, "10.2.1.1", "web"), target(1, "10.2.1.2", "db"), target(2)]);
  assert.equal(before.sources, []);
  assert.equal(pingArguments(before, "h1"), ["7", "10.2.0.2"]);
  assert.equal(pingArguments(before, "h2"), ["0", "10.2.0.1", "10.2.1.1", "10.2.1.2"]);
  assert.equal(pingArguments(before, "h3"), [], "no path is tested from a host without an answer");
  assert.equal(pingArguments(before, "elsewhere"), []);

  const tried = (answer: object): Findings =>
    findings({ h1: { ...probe, __weave_verify_pings: answer }, h2: { __weave_verify_pings: {} } }, ["h1"]);
  assert.equal(tried(printed({ host: { "10.2.0.2": 0.1 }, container: { "10.2.0.2": null } })), {
    ...before,
    sources: [source(1, { "10.2.0.2": 0.1 }), source(1, { "10.2.0.2": null }, { container: "web" })],
  });
  assert.equal(tried(printed({ host: { "10.2.0.2": 0.1 }, container: null })).sources, [
    source(1, { "10.2.0.2": 0.1 }),
    source(1, {}, { container: "web", error: "the container has stopped" }),
  ]);
  assert.equal(tried({ rc: 1, stdout: "Welcome\r\n", stderr: "ping: command not found\n" }).sources, [
    source(1, {}, { error: "ping: command not found" }),
  ]);
  assert.equal(tried({ skipped: true }).sources, []);
});

test("the error of a host without an answer is its last line, else Ansible's", () => {
  const why = (__weave_verify_probe: object): unknown =>
    findings({ h1: { __weave_verify_probe } }, ["h1"]).hosts[0]?.["error"];
  assert.is(
    why({ stdout: "Welcome\n", stderr: "sudo: a password is required\r\n\n", msg: "non-zero return code" }),
    "sudo: a password is required",
  );
  assert.is(why({ stdout: "Permission denied\r\n" }), "Permission denied");
  assert.is(why({ unreachable: true, msg: "Task failed: ssh: connection refused\r\n" }), "ssh: connection refused");
  assert.is(why({}), "it gave no answer");
});

test("nothing that a host prints becomes a template of the controller's Ansible", () => {
  const evil = "{{ 6 * 7 }}{% x %}{# x #}";
  const escaped = { stdout: JSON.stringify(has(2, { docker: evil })).replaceAll("{{", "\\u007b\\u007b") };
  const found = findings(
    {
      h1: { __weave_verify_probe: printed(has(1, { docker: evil })) },
      h2: { __weave_verify_probe: escaped },
      h3: { __weave_verify_probe: { msg: evil } },
    },
    ["h1", "h2", "h3"],
  );
  assert.is(found.hosts[0]?.["docker"], "{ { 6 * 7 }}{ % x %}{ # x #}");
  assert.not.match(JSON.stringify(found), /\{[{%#]/);
});

test("unreadable output is no answer, and an address that is not one never becomes an option of ping", () => {
  const found = findings(
    {
      h1: { __weave_verify_probe: printed(has(1)) },
      h2: { __weave_verify_probe: printed(has(2, { bridge: { state: "up", address: "-f" } })) },
      h3: { __weave_verify_probe: { stdout: '{"bridge": nonsense}' } },
    },
    ["h1", "h2", "h3"],
  );
  assert.is.not(found.hosts[2]?.["error"], "");
  assert.equal(pingArguments(found, "h1"), []);
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

test.run();
