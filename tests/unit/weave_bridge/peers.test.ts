import * as fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { resolveDesired } from "../../../modules/weave_bridge/desired";
import type { ObservedBridge } from "../../../modules/weave_bridge/observed";
import type { BridgeOptions } from "../../../modules/weave_bridge/options";
import { forAll } from "../support/property";
import { userErrorOf } from "../support/user_error";
import { FRESH, ipLink, resolving, vxlan } from "./fixtures";

const errorOf = (options: BridgeOptions, observed: ObservedBridge): string =>
  userErrorOf(() => resolveDesired(options, observed));

const peersOf = (peers: readonly string[], observed: ObservedBridge = FRESH): readonly string[] | undefined =>
  resolveDesired(vxlan({ peers }), observed).vxlan?.peers;

test("the order of the peers and a peer named twice make no difference", () => {
  const peers = ["192.168.50.12", "192.168.50.13", "192.168.50.12"];
  assert.equal(resolveDesired(vxlan({ peers }), FRESH), resolveDesired(vxlan({ peers: peers.reverse() }), FRESH));
});

test("a peer inside the container network is rejected", () => {
  assert.is(
    errorOf(vxlan({ peers: ["192.168.50.12", "10.2.0.2"] }), FRESH),
    "peers: a peer's address must be outside the container network 10.2.0.0/16 (found 10.2.0.2). Set the host's address on the underlay.",
  );
});

test("a single host has no peers", () => {
  assert.equal(resolveDesired(vxlan({ peers: [] }), FRESH).vxlan?.peers, []);
  assert.equal(resolveDesired(vxlan({ peers: ["192.168.50.11"] }), FRESH).vxlan?.peers, []);
});

test("names are resolved, and sorted like addresses", () => {
  const observed = resolving({ a: "192.168.50.13", b: "192.168.50.9", "c.example.com": "192.168.50.12" });
  assert.equal(peersOf(["a", "192.168.50.12", "b", "c.example.com"], observed), [
    "192.168.50.9",
    "192.168.50.12",
    "192.168.50.13",
  ]);
});

test("a name that resolves to an address of this host is this host, whatever the name", () => {
  for (const found of ["192.168.50.11", ["127.0.1.1", "192.168.50.11"], ["192.168.50.11", "10.2.0.1"]]) {
    assert.equal(peersOf(["other", "192.168.50.12"], resolving({ other: found })), ["192.168.50.12"]);
  }
});

/** Host 1 with what each Docker host has, libvirt's network, and the address that keepalived (VRRP) has put here. */
const CROWDED: ObservedBridge = {
  ...FRESH,
  links: [
    ipLink("eth0", ["192.168.50.11/24", "192.168.50.100/32"]),
    ipLink("eth1", ["172.20.0.4/24"]),
    ipLink("docker0", ["172.17.0.1/16"]),
    ipLink("br-0123456789ab", ["172.18.0.1/16"]),
    ipLink("virbr0", ["192.168.122.1/24"]),
  ],
};
const SHARED = ["172.17.0.1", "172.18.0.1", "192.168.122.1"];

test("a name that also has addresses which this host has too is another host by its other ones", () => {
  for (const shared of SHARED) {
    const observed = resolving({ host2: [shared, "192.168.50.12"], host3: ["198.51.100.13", shared] }, CROWDED);
    assert.equal(peersOf(["host2", "host3"], observed), ["192.168.50.12", "198.51.100.13"], shared);
  }
  assert.equal(peersOf(["host2"], resolving({ host2: ["192.168.50.100", "192.168.50.12"] }, CROWDED)), [
    "192.168.50.12",
  ]);
});

test("this host's own name is this host by any of its addresses, such as another than the underlay's", () => {
  for (const [name, found] of [
    ["host1", ["192.168.50.11", "203.0.113.5"]],
    ["host1", ["172.20.0.4", "203.0.113.5"]],
    ["host1.example.com", ["172.17.0.1", "192.168.50.11"]],
    ["alias", ["172.20.0.4", "192.168.50.11"]],
    ["alias", ["192.168.50.11", "203.0.113.5"]],
    ["172.20.0.4", []],
  ] as const) {
    const observed = resolving({ [name]: found, host2: "192.168.50.12" }, CROWDED);
    assert.equal(peersOf([name, "host2"], observed), ["192.168.50.12"], `${name} ${found}`);
  }
});

test("a peer with nothing but an address which each host with Docker or libvirt has is rejected", () => {
  for (const shared of SHARED) {
    const message =
      `peers: a peer's address must be another host's (found ${shared}, which this host has for its own containers or virtual machines). ` +
      "Set the host's address on the underlay.";
    assert.is(errorOf(vxlan({ peers: [shared] }), CROWDED), message);
    assert.is(errorOf(vxlan({ peers: ["host2"] }), resolving({ host2: shared }, CROWDED)), message);
  }
});

test("this host's own name is this host if it resolves to the loopback or not at all", () => {
  for (const name of ["host1", "HOST1", "host1.example.com"]) {
    for (const found of [["127.0.1.1"], []]) assert.equal(peersOf([name], resolving({ [name]: found })), []);
  }
});

test("another host of the same name in another domain is a peer", () => {
  assert.equal(peersOf(["host1.example.org"], resolving({ "host1.example.org": "192.168.50.21" })), ["192.168.50.21"]);
});

const unresolved = (found: string): string =>
  `peers: a peer's name must resolve to another host's IPv4 address on this host, host1 (found ${found}). ` +
  "Set its address, or add the name to DNS or to this host's /etc/hosts.";

test("a name without an address is rejected with what to do", () => {
  assert.is(
    errorOf(vxlan({ peers: ["192.168.50.12", "host2"] }), resolving({ host2: [] })),
    unresolved('none for "host2"'),
  );
});

test("another name that resolves to the loopback is rejected", () => {
  for (const name of ["host2", "localhost", "host11"]) {
    assert.is(
      errorOf(vxlan({ peers: [name] }), resolving({ [name]: "127.0.0.1" })),
      unresolved(`127.0.0.1 for "${name}"`),
    );
  }
});

test("a name that resolves only inside the container network is rejected", () => {
  assert.match(
    errorOf(vxlan({ peers: ["host2"] }), resolving({ host2: "10.2.0.2" })),
    '(found 10.2.0.2 for "host2"). Set',
  );
  assert.equal(peersOf(["host2"], resolving({ host2: ["10.2.0.2", "192.168.50.12"] })), ["192.168.50.12"]);
});

test("of several addresses, in any order, the one in the underlay's network is used, or else the lowest", () => {
  for (const order of [(all: string[]) => all, (all: string[]) => all.reverse()]) {
    const found = (...all: string[]) => resolving({ host2: order(["127.0.1.1", ...all]) });
    assert.equal(peersOf(["host2"], found("172.20.0.2", "192.168.50.12", "198.51.100.2")), ["192.168.50.12"]);
    assert.equal(peersOf(["host2"], found("198.51.100.2", "172.20.0.2")), ["172.20.0.2"]);
  }
});

test("an address that no host has is rejected, given or resolved", () => {
  for (const [address, role] of [
    ["192.168.50.0", "network"],
    ["192.168.50.255", "broadcast"],
  ] as const) {
    const message =
      `peers: a peer's address must be one that a host can have (found ${address}, the ${role} address of this host's network ` +
      "192.168.50.11/24). Set the host's address on the underlay.";
    assert.is(errorOf(vxlan({ peers: ["192.168.50.12", address] }), FRESH), message);
    assert.is(errorOf(vxlan({ peers: ["host2"] }), resolving({ host2: address })), message);
  }
  const links = [...FRESH.links, ipLink("eth1", ["172.20.0.4/28"])];
  assert.match(
    errorOf(vxlan({ peers: ["172.20.0.15"] }), { ...FRESH, links }),
    "broadcast address of this host's network 172.20.0.4/28",
  );
  assert.equal(peersOf(["172.20.0.16", "192.168.51.255"], { ...FRESH, links }), ["172.20.0.16", "192.168.51.255"]);
  const pair = { ...FRESH, links: [...FRESH.links, ipLink("eth1", ["172.20.0.4/31", "172.20.0.9/32"])] };
  assert.equal(peersOf(["172.20.0.5"], pair), ["172.20.0.5"]);
});

test("a name that resolves to no host's address is rejected, as blocklists in /etc/hosts have it", () => {
  for (const found of ["0.0.0.0", "255.255.255.255", "224.0.0.1"])
    assert.is(errorOf(vxlan({ peers: ["host2"] }), resolving({ host2: found })), unresolved(`${found} for "host2"`));
  assert.equal(peersOf(["host2"], resolving({ host2: ["0.0.0.0", "192.168.50.12"] })), ["192.168.50.12"]);
});

test("one list of all hosts gives each host the others, by address, by name or by both", () => {
  forAll(
    [fc.uniqueArray(fc.integer({ min: 1, max: 254 }), { minLength: 1, maxLength: 20 }), fc.infiniteStream(fc.nat(2))],
    (numbers, forms) => {
      const address = (number: number): string => `192.168.50.${number}`;
      const peers = numbers.flatMap((number) => {
        const both = [`h${number}`, address(number)];
        return [both, both.slice(0, 1), both.slice(1)][forms.next().value ?? 0] ?? [];
      });
      for (const self of numbers) {
        const own = {
          hostName: `h${self}`,
          links: [ipLink("eth0", [`${address(self)}/24`])],
        };
        const lookups = numbers.map((number) => [`h${number}`, number === self ? "127.0.1.1" : address(number)]);
        const expected = numbers.filter((number) => number !== self).sort((a, b) => a - b);
        assert.equal(peersOf(peers, { ...resolving(Object.fromEntries(lookups)), ...own }), expected.map(address));
      }
    },
    50,
  );
});

test.run();
