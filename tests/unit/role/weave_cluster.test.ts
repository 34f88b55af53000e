import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { derivedMac } from "../../../modules/net/validators";
import { asked, cluster, FRESH, probed } from "../support/clusters";
import { forAll } from "../support/property";
import { callPlugin } from "../support/python";

/** roles/weave/filter_plugins/weave_cluster.py, whose functions are called as the role calls them. */
const test = suite("the indexes and addresses of a cluster");

const call = <Result>(name: string, args: readonly unknown[]): Result => callPlugin("weave_cluster", name, args);

test("a fresh cluster gets Apollo's indexes, in the order of the group", () => {
  assert.equal(cluster({ c: FRESH, a: FRESH, b: FRESH }).indexes, { c: 1, a: 2, b: 3 });
});

test("fresh indexes follow the inventory's order, in whatever order Ansible returns the group", () => {
  const hosts = { m1: FRESH, m2: probed(2, true), s1: FRESH, other: {}, s2: FRESH };
  for (const members of [
    ["m1", "m2", "s1", "s2"],
    ["s2", "s1", "m2", "m1"],
    ["s1", "m1", "s2", "m2"],
  ]) {
    const { indexes, peers } = cluster(hosts, { members });
    assert.equal(indexes, { m1: 1, m2: 2, s1: 3, s2: 4 }, members.join());
    assert.is(peers, "m1,m2,s1,s2");
  }
});

test("each host finds its own number and address, and the peers are the addresses of all", () => {
  const { hosts, peers } = cluster({ a: { ...FRESH, ansible_host: "192.168.50.11" }, b: probed(2, true) });
  assert.equal(call("select_host", [hosts, "a"]), { host_index: 1, underlay: "192.168.50.11" });
  assert.equal(call("select_host", [hosts, "b"]), { host_index: 2, underlay: "b" });
  assert.is(peers, "192.168.50.11,b");
});

test("hosts keep their indexes, whatever the order; a new one gets the lowest free index", () => {
  const hosts = { new1: FRESH, b: probed(2, true), new2: FRESH, d: probed(4, true), a: probed(1, true) };
  assert.equal(cluster(hosts).indexes, { new1: 3, b: 2, new2: 5, d: 4, a: 1 });
});

test("the inventory's number takes precedence, also of hosts outside the run", () => {
  const hosts = { a: { weave_host_index: "2" }, b: FRESH, c: probed(7, false) };
  assert.equal(cluster(hosts).indexes, { a: 2, b: 1, c: 7 });
});

test("a host that is provisioned by itself in a fresh cluster gets the number that it has among all", () => {
  const fresh = { host_index: 0, keeps_host_index: false };
  assert.is(cluster({ a: {}, b: {}, c: { ...FRESH, ...asked({ a: fresh, b: fresh }) } }).indexes["c"], 3);
});

test("no host is probed while all keep their indexes; otherwise all without an index in the inventory are probed", () => {
  assert.equal(cluster({ a: {}, b: probed(2, true), c: { weave_host_index: 3 } }).to_probe, {});
  assert.equal(cluster({ a: {}, b: FRESH, c: { weave_host_index: 3 } }).to_probe, { b: ["a"] });
  assert.equal(cluster({ a: {}, b: probed(5, false) }).to_probe, { b: ["a"] });
  assert.equal(cluster({ a: {}, b: FRESH }, { needsHostIndex: false }).to_probe, {});
});

test("the hosts to ask are spread over the running hosts that have answered", () => {
  const hosts = { a: {}, b: {}, c: {}, d: FRESH, e: probed(2, true), f: probed(3, true), g: {} };
  assert.equal(cluster(hosts, { running: ["d", "e", "g"] }).to_probe, { d: ["a", "c"], e: ["b", "g"] });
  assert.equal(cluster({ a: {}, d: FRESH, e: FRESH }).to_probe, { d: ["a"] });
});

test("a host that was asked, or could not be reached, is not asked again", () => {
  const off = { __weave_probe: { unreachable: true } };
  const asker = { ...FRESH, ...asked({ a: null, b: { host_index: 2, keeps_host_index: true } }) };
  const clustered = cluster({ a: {}, b: {}, c: asker, d: off, e: {} });
  assert.equal([clustered.to_probe, clustered.unknown], [{ c: ["e"] }, ["a", "d", "e"]]);
});

test("in a fresh cluster provisioned host by host, answers from before a host was provisioned do no harm", () => {
  const hosts = { a: FRESH, b: FRESH, c: { ...FRESH, ...asked({ b: { host_index: 2, keeps_host_index: true } }) } };
  assert.equal(cluster(hosts).indexes, { a: 1, b: 2, c: 3 });
  assert.equal(cluster({ ...hosts, a: probed(1, true) }).indexes, { a: 1, b: 2, c: 3 });
});

test("hosts that failed before the probe are told from those that it could not reach, or that it failed on", () => {
  const off = { __weave_probe: { unreachable: true } };
  const hosts = { a: probed(1, true), b: {}, c: { __weave_probe: { rc: 1 } }, d: {}, e: off };
  const args = [Object.keys(hosts), hosts, ["a"], "", true, "", ["b", "c", "e"]];
  const { hosts: json } = call<{ hosts: string }>("resolve_cluster", args);
  const { failed_before_probe, unreachable, unanswered } = JSON.parse(json) as Record<string, unknown>;
  assert.equal([failed_before_probe, unreachable, unanswered], [["b"], ["e"], ["b", "e"]]);
});

test("a host that can't be reached may have any number", () => {
  const clustered = cluster({ a: {}, b: { ...FRESH, ...asked({ a: null }) }, c: probed(3, true) });
  assert.equal(clustered.unknown, ["a"]);
});

test("an answer with a template is ignored: Ansible would run it on the controller", () => {
  for (const address of ["{{ lookup('pipe', 'id') }}", "{% raw %}", "\\u007b{ 1 }}", "{# #}"]) {
    const host = {
      __weave_probe: { stdout: `{"host_index": 1, "keeps_host_index": true, "address": "${address}"}\n` },
    };
    assert.is(cluster({ a: host }).underlays["a"], "a", address);
  }
});

test("other output than an answer is ignored, and the other hosts go on", () => {
  for (const output of [
    "{}",
    '{"host_index": 1}',
    '{"host_index": "1", "keeps_host_index": true, "address": ""}',
    "{a}",
    '{"host_index": 1,}',
  ]) {
    const clustered = cluster({ a: { __weave_probe: { stdout: `${output}\n` } }, b: probed(2, true) });
    assert.equal([clustered.indexes["b"], clustered.unknown], [2, ["a"]], output);
  }
});

test("the underlay's address: the inventory's, the connection's, the name; never one that only facts have", () => {
  const facts = { ansible_facts: { default_ipv4: { address: "192.168.50.99" } } };
  const { underlays } = cluster({
    inventory: { weave_underlay_address: "192.168.60.1", ansible_host: "203.0.113.1" },
    own: { ...probed(1, true, { address: "192.168.60.2" }), ansible_host: "203.0.113.2" },
    connected: { ansible_host: "192.168.50.13", ...facts },
    apollos: { ansible_ssh_host: "192.168.50.14" },
    "192.168.50.15": {},
    facts: { ansible_host: "facts.example.com", ...facts },
    named: { ansible_host: "named.example.com" },
    plain: {},
  });
  assert.equal(underlays, {
    inventory: "192.168.60.1",
    own: "192.168.60.2",
    connected: "192.168.50.13",
    apollos: "192.168.50.14",
    "192.168.50.15": "192.168.50.15",
    facts: "facts.example.com",
    named: "named.example.com",
    plain: "plain",
  });
});

const TEMPLATE = "{{ ansible_facts.eth1.ipv4.address }}";

test("a template that can't be rendered without its host's facts is no address, and the host is not asked for it", () => {
  const off = { __weave_probe: { unreachable: true } };
  const variables = ["weave_underlay_address", "ansible_host", "ansible_ssh_host"];
  for (const variable of variables) {
    for (const [host, more] of Object.entries({ off, outside: {} })) {
      const found = cluster({
        a: probed(1, true, { address: "192.168.60.1" }),
        [host]: { [variable]: TEMPLATE, ...more },
      });
      assert.equal(found.underlays, { a: "192.168.60.1", [host]: "" }, variable);
      assert.equal(found.unrendered, { [host]: variable });
      assert.equal(found.to_probe, {});
      assert.not.match(found.hosts + found.peers, /\{[{%#]/);
    }
  }
  const probedItself = { ...probed(2, true, { address: "192.168.60.2" }), weave_underlay_address: TEMPLATE };
  assert.equal(cluster({ a: FRESH, b: probedItself }).unrendered, {});
  const withInterface = cluster({ a: FRESH, b: { weave_underlay_address: TEMPLATE } }, { interface: "eth1" });
  assert.equal(withInterface.unrendered, { b: "weave_underlay_address" }, "the interface's is another one");
});

test("nor is it any other value of the host", () => {
  const names = ["host_index", "mac", "bridge", "docker_subnet", "wireguard_identity", "wireguard_key"];
  const set = Object.fromEntries(names.map((name) => [`weave_${name}`, `1${TEMPLATE}`]));
  const found = cluster({ a: FRESH, b: { ansible_host: "b", ...set }, c: { ansible_host: "c", ...set } });
  assert.equal([found.unknown, found.duplicates, found.known], [["b", "c"], [], {}]);
  assert.not.match(found.hosts, /\{[{%#]/);
  for (const name of names) assert.is(call("host_variable", [set, `weave_${name}`]), "");
  assert.equal(
    [
      call("host_variable", [{ a: null, b: 3 }, "a"]),
      call("host_variable", [{ b: 3 }, "b"]),
      call("host_variable", [{}, "b"]),
    ],
    ["", 3, ""],
  );
});

test("names of the loopback interface lead a peer to itself, as its addresses do", () => {
  const shared = (ansible_host: string): unknown =>
    (JSON.parse(cluster({ a: { ...FRESH, ansible_host }, b: FRESH }).hosts) as { shared: unknown }).shared;
  for (const name of [
    "127.0.0.1",
    "127.1.2.3",
    "localhost",
    "Localhost.localdomain",
    "localhost6",
    "ip6-localhost",
    "::1",
  ])
    assert.equal(shared(name), { [name]: ["a"] });
  for (const name of ["localhosts", "mylocalhost", "localhost.example.com", "192.168.50.127"])
    assert.equal(shared(name), {}, name);
  assert.equal((JSON.parse(cluster({ localhost: FRESH, b: FRESH }).hosts) as { shared: unknown }).shared, {
    localhost: ["localhost"],
  });
});

test("a chosen interface's address: from the host, from facts, or from a probe of another host", () => {
  const hosts = {
    probedHost: probed(1, true, { address: "192.168.60.1" }),
    cached: { ansible_host: "203.0.113.2", ansible_facts: { br_lan: { ipv4: { address: "192.168.60.2" } } } },
    asked: { ansible_host: "203.0.113.3" },
  };
  const first = cluster(hosts, { interface: "br-lan" });
  assert.equal(first.to_probe, { probedHost: ["asked"] });
  const answers = asked({ asked: { host_index: 3, keeps_host_index: true, address: "192.168.60.3" } });
  const { underlays } = cluster({ ...hosts, probedHost: { ...hosts.probedHost, ...answers } }, { interface: "br-lan" });
  assert.equal(underlays, { probedHost: "192.168.60.1", cached: "192.168.60.2", asked: "192.168.60.3" });
});

test("each host may have another interface, or none; whichever host reads it", () => {
  const eth = (number: number) => ({ ansible_facts: { eth1: { ipv4: { address: `192.168.60.${number}` } } } });
  const hosts = {
    a: { ...FRESH, ansible_host: "a.example", ...eth(1) },
    b: { ...eth(2), ansible_host: "b.example", weave_underlay_interface: "eth1" },
    c: { ...eth(3), ansible_host: "c.example", weave_underlay_interface: "eth2" },
  };
  for (const [interfaceOf, own] of [
    ["a", ""],
    ["b", "eth1"],
    ["c", "eth2"],
  ] as const) {
    const { interfaces, peers, to_probe } = cluster(hosts, { interfaceOf, interface: own, needsHostIndex: false });
    assert.equal(interfaces, { a: "", b: "eth1", c: "eth2" }, interfaceOf);
    assert.is(peers, "a.example,192.168.60.2,", interfaceOf);
    assert.equal(to_probe, { a: ["c"] }, interfaceOf);
  }
});

test("an interface that the play sets is that of all hosts, whatever the inventory says", () => {
  const hosts = { a: FRESH, b: { weave_underlay_interface: "eth1" } };
  assert.equal(cluster(hosts, { interfaceOf: "a", interface: "eth0" }).interfaces, { a: "eth0", b: "eth0" });
  assert.equal(cluster(hosts, { interfaceOf: "b", interface: "eth0" }).interfaces, { a: "eth0", b: "eth0" });
  // As a teardown reads it, to which the other hosts' addresses don't matter.
  assert.equal(cluster(hosts, { interface: "" }).interfaces, { a: "", b: "" });
});

test("hosts that were probed and can't be reached are unanswered, in this run or outside it", () => {
  const off = { __weave_probe: { unreachable: true } };
  assert.equal(cluster({ a: { ...FRESH, ...asked({ c: null }) }, b: off, c: {}, d: {} }).unanswered, ["b", "c"]);
});

// LinuxNetwork and PrefixFactNamespace in ansible.module_utils.facts change only ":" and "-".
test("facts of a VLAN's interface keep its dot", () => {
  const ansible_facts = {
    "br_lan.5": { ipv4: { address: "192.168.60.2" } },
    br_lan_5: { ipv4: { address: "10.9.9.9" } },
  };
  assert.equal(cluster({ a: { ansible_facts } }, { interface: "br-lan.5" }).underlays, { a: "192.168.60.2" });
});

test("a chosen interface's address from facts: the host's own, not a single one that keepalived adds", () => {
  const [own, other, single] = [
    { address: "192.168.60.2", netmask: "255.255.255.0" },
    { address: "10.60.0.2", netmask: "255.255.255.0" },
    { address: "192.168.60.200", netmask: "255.255.255.255" },
  ];
  const underlayOf = (ansible_facts: object): unknown =>
    cluster({ a: { ansible_facts } }, { interface: "eth1" }).underlays["a"];
  assert.is(underlayOf({ eth1: { ipv4: single, ipv4_secondaries: [own] } }), "192.168.60.2");
  assert.is(underlayOf({ eth1: { ipv4: own, ipv4_secondaries: [single] } }), "192.168.60.2");
  assert.is(underlayOf({ eth1: { ipv4: single } }), "192.168.60.200");
  const both = { eth1: { ipv4: own, ipv4_secondaries: [other, single] } };
  assert.is(underlayOf({ ...both, default_ipv4: { interface: "eth1", address: "10.60.0.2" } }), "10.60.0.2");
  assert.is(underlayOf({ ...both, default_ipv4: { interface: "eth0", address: "10.99.0.2" } }), "192.168.60.2");
  assert.is(underlayOf({ ...both, default_ipv4: { interface: "eth1", address: "10.99.0.2" } }), "192.168.60.2");
});

test("a MAC is derived from a machine-id as the module weave_bridge does", () => {
  forAll(
    [fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), maxLength: 40 })],
    (id) => assert.is(call("derived_mac", [`${id} weave`]), derivedMac(`${id} weave`)),
    100,
  );
});

const ID = "0123456789abcdef0123456789abcdef";
const MAC = derivedMac(`${ID} weave`);
const OTHERS_ID = "f".repeat(32);
const clone = (more: object = {}) => probed(0, false, { machine_id: ID, ...more });
const sameOf = (hosts: Parameters<typeof cluster>[0], running?: string[]) =>
  cluster(hosts, running ? { running } : {}).duplicates;

test("clones would have the same MAC, by their machine-id; hosts without one are compared by nothing", () => {
  assert.equal(sameOf({ a: clone(), b: clone(), c: probed(0, false, { machine_id: OTHERS_ID }) }), [
    { option: "mac", value: MAC, hosts: ["a", "b"], machine_id: ID },
  ]);
  assert.equal(
    sameOf({ a: probed(0, false, { machine_id: "" }), b: probed(0, false, { machine_id: "" }), c: FRESH }),
    [],
  );
});

test("a MAC that the inventory sets is compared with the others' derived ones", () => {
  assert.equal(sameOf({ a: clone(), b: clone({ set_mac: "0e:00:00:00:00:01" }) }), []);
  const others = probed(0, false, { machine_id: OTHERS_ID, set_mac: MAC.toUpperCase() });
  assert.equal(sameOf({ a: clone(), b: others }), [{ option: "mac", value: MAC, hosts: ["a", "b"], machine_id: "" }]);
  const set = { set_mac: "0e:00:00:00:00:01" };
  assert.equal(
    sameOf({ a: clone(set), b: clone(set) }).map(({ hosts, machine_id }) => [hosts, machine_id]),
    [[["a", "b"], ""]],
  );
});

test("a host of this run counts with the MAC that it will have, another one with what it has, too", () => {
  const repaired = clone({ machine_id: OTHERS_ID, bridge_mac: MAC });
  assert.equal(sameOf({ a: clone({ bridge_mac: MAC }), b: repaired }), []);
  const outside = (answer: object) => ({
    a: { ...clone(), ...asked({ b: { host_index: 2, keeps_host_index: true, ...answer } }) },
    b: {},
  });
  assert.equal(sameOf(outside({ machine_id: ID }), ["a"])[0]?.hosts, ["a", "b"]);
  assert.equal(sameOf(outside({ machine_id: OTHERS_ID, bridge_mac: MAC }), ["a"])[0]?.hosts, ["a", "b"]);
  assert.equal(sameOf(outside({ machine_id: OTHERS_ID }), ["a"]), []);
});

test("clones outside this run do not stop it", () => {
  const others = asked({
    b: { host_index: 2, keeps_host_index: true, machine_id: OTHERS_ID },
    c: { host_index: 3, keeps_host_index: true, machine_id: OTHERS_ID },
  });
  assert.equal(sameOf({ a: { ...clone(), ...others }, b: {}, c: {} }, ["a"]), []);
});

test("bridge addresses and subnets that the inventory sets are compared, without their prefix length", () => {
  const a = probed(1, true, { set_bridge: "10.2.0.5/16", set_docker_subnet: "10.2.5.0/24" });
  const b = probed(2, true, { set_bridge: "10.2.0.5/24", set_docker_subnet: "10.2.5.0/24" });
  assert.equal(
    sameOf({ a, b }).map(({ option, value, hosts }) => [option, value, hosts]),
    [
      ["bridge", "10.2.0.5", ["a", "b"]],
      ["docker_subnet", "10.2.5.0/24", ["a", "b"]],
    ],
  );
  assert.equal(sameOf({ a, b: { weave_bridge: "10.2.0.5/16" } }, ["a"])[0]?.hosts, ["a", "b"], "one that is off");
  const has = { host_index: 2, keeps_host_index: true, bridge_address: "10.2.0.5" };
  assert.equal(
    sameOf({ a: { ...a, ...asked({ b: has }) }, b: {} }, ["a"])[0]?.hosts,
    ["a", "b"],
    "the one that it has",
  );
});

test("underlay addresses are compared that the inventory sets or an interface has, not those of the connection", () => {
  const nat = probed(1, true, { address: "10.0.2.15" });
  const found = [{ option: "underlay_address", value: "10.0.2.15", hosts: ["a", "b"], machine_id: "" }];
  assert.equal(sameOf({ a: nat, b: nat }), found);
  assert.equal(sameOf({ a: nat, b: { weave_underlay_address: "10.0.2.15" } }, ["a"]), found, "one that is off");
  assert.equal(sameOf({ a: { ...FRESH, ansible_host: "127.0.0.1" }, b: { ...FRESH, ansible_host: "127.0.0.1" } }), []);
});

test("identities are compared with one another and with the other hosts' underlay addresses", () => {
  const a = probed(1, true, { set_wireguard_identity: "203.0.113.7" });
  const found = { option: "wireguard_identity", value: "203.0.113.7", hosts: ["a", "b"], machine_id: "" };
  assert.equal(sameOf({ a, b: a }), [found]);
  assert.equal(sameOf({ a, b: { weave_wireguard_identity: "203.0.113.7" } }, ["a"]), [found], "one that is off");
  for (const variable of ["ansible_host", "weave_underlay_address"]) {
    assert.equal(sameOf({ a, b: { ...FRESH, [variable]: "203.0.113.7" } })[0], found, variable);
  }
  assert.equal(sameOf({ a, b: probed(2, true, { address: "203.0.113.7" }) }), [found]);
  const taken = probed(2, true, { address: "203.0.113.7", set_wireguard_identity: "203.0.113.8" });
  assert.equal(sameOf({ a, b: taken }), [found], "b takes the address for its own");
  assert.equal(sameOf({ a: { ...a, ansible_host: "203.0.113.7" }, b: FRESH }), [], "its own address");
});

test("hosts with separate identities may have the same address behind different routers", () => {
  const behind = (identity: string) => probed(1, true, { address: "10.0.2.15", set_wireguard_identity: identity });
  assert.equal(sameOf({ a: behind("203.0.113.7"), b: behind("203.0.113.8") }), []);
});

test("WireGuard's keys are compared by their checksums, of a host that is off, too", () => {
  const key = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
  const value = createHash("sha256").update(key).digest("hex");
  const a = probed(1, true, { set_wireguard_key: value });
  assert.equal(sameOf({ a, b: { weave_wireguard_key: key } }, ["a"]), [
    { option: "wireguard_key", value, hosts: ["a", "b"], machine_id: "" },
  ]);
  assert.equal(sameOf({ a, b: { weave_wireguard_key: "another" } }, ["a"]), []);
});

test("variables that all hosts must have alike are compared among the hosts of this run", () => {
  const host = (values: string, more: object = {}) => ({ ...probed(1, true, { set_cluster_wide: values }), ...more });
  const differences = (a: object, b: object): unknown => cluster({ a: { ...a }, b: { ...b } }).differences;
  const usual = "vxlan 10.2.0.0/16 6783 4789 -";
  assert.equal(differences(host(usual), host(usual)), {});
  assert.equal(differences(host(usual), host("vxlan 10.2.0.5/16 6783 4789 -")), {}, "an address of the network");
  assert.equal(differences(host(usual), host("encrypted 10.3.0.0/16 99 8472 51820")), {
    weave_datapath: { vxlan: ["a"], encrypted: ["b"] },
    weave_network: { "10.2.0.0/16": ["a"], "10.3.0.0/16": ["b"] },
    weave_vxlan_id: { 6783: ["a"], 99: ["b"] },
    weave_vxlan_port: { 4789: ["a"], 8472: ["b"] },
    weave_wireguard_port: { "-": ["a"], 51820: ["b"] },
  });
  assert.equal(differences(host("router - - - -"), host("router - - - -")), {});
  assert.equal(differences(host(usual), {}), {}, "one that is off");
  const [one, other] = ["correct horse battery", "staple correct horse"].map((weave_password) => ({ weave_password }));
  assert.equal(differences(host(usual, one), host(usual, one)), {});
  assert.equal(differences(host(usual, one), host(usual, other)), { weave_password: { a: ["a"], b: ["b"] } });
  assert.equal(differences(host(usual, one), host(usual, { ...other, weave_wireguard_key: "k" })), {});
});

test.run();
