import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseRoutes, parseRules } from "../../../modules/formats/routes";

// iproute2 6.1, with -d; the first routes as an old one prints them.
const ROUTES = `prohibit default table 100 
throw 10.9.0.0/16 table 100 
unicast default via 192.168.50.1 dev eth0 table main proto dhcp scope global src 192.168.50.11 metric 100 
unreachable 10.0.0.0/8 table main proto boot scope global 
blackhole 10.2.5.0/24 table main proto bird scope global 
unicast 192.168.50.0/24 dev eth0 table main proto kernel scope link src 192.168.50.11 
unicast default table 200 proto boot scope global 
	nexthop via 192.168.60.1 dev eth1 weight 1 
	nexthop via 192.168.60.2 dev eth1 weight 1 
local 10.7.0.0/16 dev lo table local scope host 
local 192.168.50.11 dev eth0 table local proto kernel scope host src 192.168.50.11 
broadcast 192.168.50.255 dev eth0 table local proto kernel scope link src 192.168.50.11 
`;

test("routes of all tables are read, with those that lead nowhere", () => {
  const words = parseRoutes(ROUTES).map(({ type, network, device, table, via, source, metric }) =>
    [type, network, device, table, via, source, metric].join(" "),
  );
  assert.equal(words, [
    "prohibit 0.0.0.0/0  100   0",
    "throw 10.9.0.0/16  100   0",
    "unicast 0.0.0.0/0 eth0 main 192.168.50.1 192.168.50.11 100",
    "unreachable 10.0.0.0/8  main   0",
    "blackhole 10.2.5.0/24  main   0",
    "unicast 192.168.50.0/24 eth0 main  192.168.50.11 0",
    "unicast 0.0.0.0/0 eth1 200 192.168.60.1  0",
    "local 10.7.0.0/16 lo local   0",
    "local 192.168.50.11/32 eth0 local  192.168.50.11 0",
    "broadcast 192.168.50.255/32 eth0 local  192.168.50.11 0",
  ]);
});

test("a host without routes has none, and a line that is no route is none", () => {
  for (const output of ["", "\n", "cache <local>\n", "\tnexthop via 192.168.60.1 dev eth1\n"])
    assert.equal(parseRoutes(output), []);
});

// iproute2 6.1 with -d and Linux 6.18, of routes that were added with these words; the last as lwt_print_encap() prints it.
test("a next hop may be of IPv6, an object of its own, or several", () => {
  const output = `unicast default via inet6 fe80::1 dev eth0 table main proto static scope global onlink 
unicast 10.9.1.0/24 nhid 7 via 192.168.50.1 dev eth0 table main proto boot scope global 
\tnh_info id 7 via 192.168.50.1 dev eth0 scope link proto unspec 
unicast 10.9.2.0/24 nhid 9 table main proto boot scope global 
\tnh_info id 9 group 8/10 scope global proto unspec 
\tnexthop via inet6 fe80::2 dev eth0 weight 1 
\tnexthop via 192.168.60.2 dev eth1 weight 1 
unicast 10.9.3.0/24  encap ip id 5 src 0.0.0.0 dst 10.0.0.9 ttl 0 tos 0 via 192.168.50.3 dev eth0 table main proto boot scope global 
`;
  const words = parseRoutes(output).map(({ type, network, device, via }) => [type, network, device, via].join(" "));
  assert.equal(words, [
    "unicast 0.0.0.0/0 eth0 ",
    "unicast 10.9.1.0/24 eth0 192.168.50.1",
    "unicast 10.9.2.0/24 eth0 ",
    "unicast 10.9.3.0/24 eth0 192.168.50.3",
  ]);
});

// iproute2 6.1, `ip -d rule show`; some lines as an older one prints them.
const RULES = `0:	from all lookup local proto kernel
50:	from 10.2.0.0/16 to 10.3.0.1 iif lo ipproto tcp dport 80 lookup 100
60:	from all to 10.3.0.0/16 unreachable proto unspec
70:	from all lookup main suppress_prefixlength 0 proto unspec
80:	from all goto 32766
5210:	from all fwmark 0x80000/0xff0000 lookup main
32765:	not from all fwmark 0xca6c lookup 51820
32765:	from all uidrange 1000-1000 lookup 7 proto static
32766:	from all lookup main
`;

test("rules are read with their conditions and what they do", () => {
  const any = {
    ...{ inverted: false, from: null, to: null, incoming: null, outgoing: null, mark: null },
    ...{ hasProtocolMatch: false, hasOtherMatch: false },
  };
  const lookup = (table: string, suppressed = -1) => ({ lookup: table, suppressed });
  assert.equal(parseRules(RULES), [
    { ...any, priority: 0, action: lookup("local") },
    {
      ...any,
      priority: 50,
      from: "10.2.0.0/16",
      to: "10.3.0.1/32",
      incoming: "lo",
      hasProtocolMatch: true,
      action: lookup("100"),
    },
    { ...any, priority: 60, to: "10.3.0.0/16", action: { verdict: "unreachable" } },
    { ...any, priority: 70, action: lookup("main", 0) },
    { ...any, priority: 80, action: { goTo: 32766 } },
    { ...any, priority: 5210, mark: { value: 0x80000, mask: 0xff0000 }, action: lookup("main") },
    { ...any, priority: 32765, inverted: true, mark: { value: 0xca6c, mask: 0xffffffff }, action: lookup("51820") },
    { ...any, priority: 32765, hasOtherMatch: true, action: lookup("7") },
    { ...any, priority: 32766, action: lookup("main") },
  ]);
  assert.equal(parseRules(""), []);
});

// What print_rule() of iproute2's ip/iprule.c prints besides, and a word that it does not print yet.
test("a rule with a condition that is not understood applies to some packets only", () => {
  const flags = (text: string) => {
    const [rule] = parseRules(`100:\tfrom all ${text}\n`);
    return [rule?.hasOtherMatch, rule?.hasProtocolMatch, JSON.stringify(rule?.action)].join(" ");
  };
  const lookup = JSON.stringify({ lookup: "7", suppressed: -1 });
  for (const some of ["dscp EF", "dscp 0x28/0x38", "flowlabel 0x5", "tun_id 5", "tos 0x10", "uidrange 0-9", "new 5"]) {
    assert.is(flags(`lookup 7 proto static ${some}`), `true false ${lookup}`);
    assert.is(flags(`${some} lookup 7`), `true false ${lookup}`);
    assert.is(flags(`unreachable proto static ${some}`), 'true false {"verdict":"unreachable"}');
  }
  for (const some of ["ipproto tcp", "sport 80", "sport 0x50/0xff", "dport 1-9", "ipproto udp dport 53"])
    assert.is(flags(`${some} lookup 7`), `false true ${lookup}`);
  for (const every of [
    ...["lookup 7", "iif eth9 [detached] oif eth8 [detached] lookup 7", "lookup 7 realms 1/2 proto zebra"],
    ...["lookup 7 suppress_ifgroup 5"],
  ])
    assert.is(flags(every), `false false ${lookup}`);
  assert.is(flags("goto 200 [unresolved] proto static"), 'false false {"goTo":200}');
  for (const verdict of ["nop", "prohibit", "blackhole", "masquerade"])
    assert.is(flags(`${verdict} proto static`), JSON.stringify({ verdict }).replace(/^/, "false false "));
  assert.is(flags("lookup [l3mdev-table] unreachable").slice(0, 11), "false false");
});

test.run();
