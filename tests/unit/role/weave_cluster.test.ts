import { suite } from "uvu";
import * as assert from "uvu/assert";
import { callPlugin } from "../support/role_plugin";

/** roles/weave/filter_plugins/weave_cluster.py, whose functions are called as the role calls them. */
const test = suite("who is who in a cluster");

interface Clustered {
  readonly indexes: Readonly<Record<string, number>>;
  readonly underlays: Readonly<Record<string, string>>;
  readonly known: Readonly<Record<string, number>>;
  readonly unknown: readonly string[];
  readonly ask: Readonly<Record<string, readonly string[]>>;
  readonly peers: string;
  readonly doubtful: boolean;
  /** The others, as the role keeps them. */
  readonly hosts: string;
}

const call = <Result>(name: "cluster" | "of_host" | "refusal", args: readonly unknown[]): Result =>
  callPlugin("weave_cluster", name, args);

type Variables = Readonly<Record<string, unknown>>;

/** What the look at a host of this run has registered. */
const seen = (index: number, settled: boolean, more: Variables = {}): Variables => ({
  weave_look: { stdout: `Welcome!\r\n${JSON.stringify({ index, settled, address: "", ...more })}\r\n` },
});
const FRESH = seen(0, false);

/** What a host of this run has registered of hosts outside it, by their names; null for one that can't be reached. */
const asked = (answers: Readonly<Record<string, Variables | null>>): Variables => ({
  weave_look_elsewhere: {
    results: Object.entries(answers).map(([item, said]) =>
      said ? { item, stdout: JSON.stringify({ address: "", ...said }) } : { item, unreachable: true },
    ),
  },
});

function cluster(
  hosts: Readonly<Record<string, Variables>>,
  more: { running?: string[]; interface?: string; numbered?: boolean } = {},
): Clustered {
  const members = Object.keys(hosts);
  const args = [members, hosts, more.running ?? members, more.interface ?? "", more.numbered ?? true];
  const kept = call<Pick<Clustered, "ask" | "peers" | "doubtful" | "hosts">>("cluster", args);
  return { ...(JSON.parse(kept.hosts) as Omit<Clustered, keyof typeof kept>), ...kept };
}

/** Why a host is refused; the role asks only where there is doubt. */
function refusal({ hosts, doubtful }: Clustered, args: readonly unknown[]): string {
  const refused = call<string>("refusal", [hosts, ...args]);
  assert.ok(doubtful || refused === "", refused);
  return refused;
}

test("a fresh cluster gets Apollo's numbers, in the order of the group", () => {
  assert.equal(cluster({ c: FRESH, a: FRESH, b: FRESH }).indexes, { c: 1, a: 2, b: 3 });
});

test("each host finds itself in what is kept, and the peers are the addresses of all", () => {
  const { hosts, peers, doubtful } = cluster({
    a: { ...seen(0, false, { node: "/usr/bin/node" }), ansible_host: "192.168.50.11" },
    b: seen(2, true, { node: "/usr/bin/node" }),
  });
  assert.equal(call("of_host", [hosts, "a"]), { index: 1, underlay: "192.168.50.11" });
  assert.equal(call("of_host", [hosts, "b"]), { index: 2, underlay: "b" });
  assert.is(peers, "192.168.50.11,b");
  assert.not(doubtful);
});

test("a host that gave no answer, without a Node or without its script, is in doubt; one outside the run is not", () => {
  const steady = { node: "/usr/bin/node", missing: "" };
  const doubtful = (b: Variables): boolean => cluster({ a: seen(1, true, steady), b }).doubtful;
  assert.not(doubtful(seen(2, true, steady)));
  assert.ok(doubtful(seen(2, true, { ...steady, node: "" })));
  assert.ok(doubtful(seen(2, true, { ...steady, missing: "/usr/local/bin/weave" })));
  assert.ok(doubtful({ weave_look: { stdout: "?" }, weave_host_index: 2 }));
  assert.not(cluster({ a: seen(1, true, steady), off: {} }, { running: ["a"] }).doubtful);
});

test("hosts keep what they have, whatever the order; a new one gets the lowest that is free", () => {
  const hosts = { new1: FRESH, b: seen(2, true), new2: FRESH, d: seen(4, true), a: seen(1, true) };
  assert.equal(cluster(hosts).indexes, { new1: 3, b: 2, new2: 5, d: 4, a: 1 });
});

test("the inventory's number counts first, also of hosts outside the run", () => {
  const hosts = { a: { weave_host_index: "2" }, b: FRESH, c: seen(7, false) };
  assert.equal(cluster(hosts).indexes, { a: 2, b: 1, c: 7 });
});

test("a host that is to run alone in a fresh cluster gets the number that it has in the whole", () => {
  const fresh = { index: 0, settled: false };
  assert.is(cluster({ a: {}, b: {}, c: { ...FRESH, ...asked({ a: fresh, b: fresh }) } }).indexes["c"], 3);
});

test("nobody is asked while all keep what they have; all without a number in the inventory are where one does not", () => {
  assert.equal(cluster({ a: {}, b: seen(2, true), c: { weave_host_index: 3 } }).ask, {});
  assert.equal(cluster({ a: {}, b: FRESH, c: { weave_host_index: 3 } }).ask, { b: ["a"] });
  assert.equal(cluster({ a: {}, b: seen(5, false) }).ask, { b: ["a"] });
  assert.equal(cluster({ a: {}, b: FRESH }, { numbered: false }).ask, {});
});

test("those to ask are dealt out to the hosts that run now and have answered", () => {
  const hosts = { a: {}, b: {}, c: {}, d: FRESH, e: seen(2, true), f: seen(3, true), g: {} };
  assert.equal(cluster(hosts, { running: ["d", "e", "g"] }).ask, { d: ["a", "c"], e: ["b", "g"] });
  assert.equal(cluster({ a: {}, d: FRESH, e: FRESH }).ask, { d: ["a"] });
});

test("a host that was asked, or could not be reached, is not asked again", () => {
  const off = { weave_look: { unreachable: true } };
  const asker = { ...FRESH, ...asked({ a: null, b: { index: 2, settled: true } }) };
  const clustered = cluster({ a: {}, b: {}, c: asker, d: off, e: {} });
  assert.equal([clustered.ask, clustered.unknown], [{ c: ["e"] }, ["a", "d", "e"]]);
});

test("in a fresh cluster provisioned host by host, what a host said before it was is no harm", () => {
  const hosts = { a: FRESH, b: FRESH, c: { ...FRESH, ...asked({ b: { index: 2, settled: true } }) } };
  assert.equal(cluster(hosts).indexes, { a: 1, b: 2, c: 3 });
  assert.equal(cluster({ ...hosts, a: seen(1, true) }).indexes, { a: 1, b: 2, c: 3 });
});

test("a number is not guessed while a host that may have it can't be reached", () => {
  const clustered = cluster({ a: {}, b: { ...FRESH, ...asked({ a: null }) }, c: seen(3, true) });
  assert.equal(clustered.unknown, ["a"]);
  assert.match(
    refusal(clustered, ["b", "weave_servers", "", true, true]),
    /^weave_host_index: b has no number yet, .* as a can't be reached; reach them, .* or give numbers in the inventory\.$/,
  );
  assert.is(refusal(clustered, ["c", "weave_servers", "", true, true]), "", "a host that has one goes on");
});

test("a template in what a host says is no answer: Ansible would run it on the controller", () => {
  for (const address of ["{{ lookup('pipe', 'id') }}", "{% raw %}", "\\u007b{ 1 }}", "{# #}"]) {
    const host = { weave_look: { stdout: `{"index": 1, "settled": true, "address": "${address}"}\n` } };
    assert.is(cluster({ a: host }).underlays["a"], "a", address);
  }
});

test("a host that says anything else than an answer has not answered, and the others go on", () => {
  for (const said of ["{}", '{"index": 1}', '{"index": "1", "settled": true, "address": ""}', "{a}", '{"index": 1,}']) {
    const clustered = cluster({ a: { weave_look: { stdout: `${said}\n` } }, b: seen(2, true) });
    assert.equal([clustered.indexes["b"], clustered.unknown], [2, ["a"]], said);
  }
});

test("two hosts of one number are refused by name", () => {
  const clustered = cluster({ a: seen(2, true), b: { weave_host_index: 2 }, c: seen(3, true) });
  assert.match(
    refusal(clustered, ["c", "weave_servers", "", true, true]),
    /^weave_host_index: two hosts of the group weave_servers have the same number.*\(a is 2, b is 2, c is 3\)/,
  );
  assert.is(refusal(clustered, ["c", "weave_servers", "", false, true]), "", "without numbers they can't clash");
});

test("a host outside the group is refused by name", () => {
  assert.match(
    refusal(cluster({ a: FRESH }, { running: ["a", "z"] }), ["z", "weave_servers", "", true, true]),
    /^weave_server_group: z is not in the group weave_servers, .*; put it there, or run the role on that group alone/,
  );
});

test("the underlay's address: the inventory's, the connection's, the name; never one that only facts tell", () => {
  const facts = { ansible_facts: { default_ipv4: { address: "192.168.50.99" } } };
  const { underlays } = cluster({
    told: { weave_underlay_address: "192.168.60.1", ansible_host: "203.0.113.1" },
    own: { ...seen(1, true, { address: "192.168.60.2" }), ansible_host: "203.0.113.2" },
    connected: { ansible_host: "192.168.50.13", ...facts },
    apollos: { ansible_ssh_host: "192.168.50.14" },
    "192.168.50.15": {},
    facts: { ansible_host: "facts.example.com", ...facts },
    named: { ansible_host: "named.example.com" },
    plain: {},
  });
  assert.equal(underlays, {
    told: "192.168.60.1",
    own: "192.168.60.2",
    connected: "192.168.50.13",
    apollos: "192.168.50.14",
    "192.168.50.15": "192.168.50.15",
    facts: "facts.example.com",
    named: "named.example.com",
    plain: "plain",
  });
});

test("an address that several hosts are connected to by, or a loopback one, joins nobody and is refused", () => {
  const vagrants = cluster({ a: { ansible_host: "127.0.0.1" }, b: { ansible_host: "127.0.0.1" } }, { numbered: false });
  assert.match(
    refusal(vagrants, ["a", "weave_servers", "", false, true]),
    /^weave_underlay_address: 127\.0\.0\.1 of a, b is not where other hosts reach each of them; give each host its own/,
  );
  assert.is(refusal(vagrants, ["a", "weave_servers", "", false, false]), "", "where peers are told otherwise");
});

test("a chosen interface's address: from the host, from facts, or asked for; where there is none, refused", () => {
  const hosts = {
    looked: seen(1, true, { address: "192.168.60.1" }),
    cached: { ansible_host: "203.0.113.2", ansible_facts: { br_lan: { ipv4: { address: "192.168.60.2" } } } },
    asked: { ansible_host: "203.0.113.3" },
  };
  const first = cluster(hosts, { interface: "br-lan" });
  assert.equal(first.ask, { looked: ["asked"] });
  const answers = asked({ asked: { index: 3, settled: true, address: "192.168.60.3" } });
  const { underlays } = cluster({ ...hosts, looked: { ...hosts.looked, ...answers } }, { interface: "br-lan" });
  assert.equal(underlays, { looked: "192.168.60.1", cached: "192.168.60.2", asked: "192.168.60.3" });
  assert.match(
    refusal(first, ["looked", "weave_servers", "br-lan", true, true]),
    /^weave_underlay_interface: no IPv4 address on br-lan is known of asked; name an interface that all hosts have, /,
  );
});

test.run();
