import * as fc from "fast-check";
import { ip2long, Netmask } from "netmask";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { capacity, hostAddresses, indexOfAddress } from "../../../modules/net/host_addresses";
import { forAll } from "../support/property";
import { userErrorOf } from "../support/user_error";

test("hosts 1 to 254 of 10.2.0.0/16 have Apollo's numbers: 10.2.0.N/16 and 10.2.N.0/24", () => {
  for (let index = 1; index <= 254; index++) {
    assert.equal(hostAddresses("10.2.0.0/16", index, 24), {
      address: `10.2.0.${index}/16`,
      dockerSubnet: `10.2.${index}.0/24`,
    });
  }
});

test("10.2.0.0/16 has room for 254 hosts with a /24 each, and for the 255th a larger network is named", () => {
  assert.is(capacity(16, 24), 254);
  const message = userErrorOf(() => hostAddresses("10.2.0.0/16", 255, 24));
  assert.is(
    message,
    "host_index: must be at most 254 in 10.2.0.0/16 with a /24 each (found 255). " +
      "Set a larger network, such as 10.2.0.0/15.",
  );
});

test("10.0.0.0/8 has room for 4,000 hosts with a /24 each: bridge addresses continue at the network's top", () => {
  assert.ok(capacity(8, 24) >= 4000);
  assert.equal(hostAddresses("10.0.0.0/8", 255, 24), { address: "10.0.0.255/8", dockerSubnet: "10.0.255.0/24" });
  assert.equal(hostAddresses("10.0.0.0/8", 256, 24), { address: "10.255.255.254/8", dockerSubnet: "10.1.0.0/24" });
  assert.equal(hostAddresses("10.0.0.0/8", 4000, 24), { address: "10.255.241.94/8", dockerSubnet: "10.15.160.0/24" });
  const hosts = Array.from({ length: 4000 }, (_, index) => hostAddresses("10.0.0.0/8", index + 1, 24));
  assert.is(new Set(hosts.map(({ address }) => address)).size, 4000);
  assert.is(new Set(hosts.map(({ dockerSubnet }) => dockerSubnet)).size, 4000);
});

test("a subnet as large as the network, or larger, leaves no room", () => {
  assert.is(capacity(16, 16), 0);
  assert.is(capacity(16, 12), 0);
  assert.match(
    userErrorOf(() => hostAddresses("10.2.0.0/16", 1, 16)),
    "must be at most 0 in 10.2.0.0/16 with a /16 each (found 1)",
  );
});

test("if no network has room for so many subnets, the message asks for smaller ones", () => {
  assert.match(
    userErrorOf(() => hostAddresses("10.0.0.0/8", 2 ** 20, 24)),
    "Set smaller subnets (docker_prefix) and a larger network.",
  );
});

test("the smallest cluster has one host", () => {
  assert.is(capacity(24, 26), 2);
  assert.equal(hostAddresses("192.168.0.0/24", 1, 26), { address: "192.168.0.1/24", dockerSubnet: "192.168.0.64/26" });
});

/** A network, a prefix length of subnets in it, and two hosts that fit. */
const clusters = fc
  .tuple(fc.integer({ min: 8, max: 28 }), fc.nat(), fc.integer({ min: 1, max: 12 }))
  .map(([bitmask, place, more]) => {
    const base = new Netmask(
      `${place % 224}.${(place >> 4) % 256}.${(place >> 8) % 256}.${(place >> 16) % 256}/${bitmask}`,
    );
    return { network: base.toString(), bitmask, dockerPrefix: Math.min(30, bitmask + more) };
  })
  .filter(({ bitmask, dockerPrefix }) => capacity(bitmask, dockerPrefix) >= 2);

/** Prefers indexes near the ends and where bridge addresses leave the first block. */
function indexOf(choice: number, most: number, block: number): number {
  const interesting = [1, 2, block - 1, block, block + 1, most - 1, most].filter(
    (index) => index >= 1 && index <= most,
  );
  return choice % 2 === 0 ? (interesting[(choice >> 1) % interesting.length] ?? 1) : ((choice >> 1) % most) + 1;
}

test("two hosts' addresses and subnets do not overlap, and are inside the network", () => {
  forAll(
    [clusters, fc.nat(), fc.nat()],
    ({ network, bitmask, dockerPrefix }, first, second) => {
      const most = capacity(bitmask, dockerPrefix);
      const block = 2 ** (32 - dockerPrefix);
      const one = indexOf(first, most, block);
      const drawn = indexOf(second, most, block);
      const two = drawn === one ? (one % most) + 1 : drawn;
      const whole = new Netmask(network);
      const hosts = [one, two].map((index) => hostAddresses(network, index, dockerPrefix));
      const bridges = hosts.map(({ address }) => address.replace(/\/.*/, ""));
      const subnets = hosts.map(({ dockerSubnet }) => new Netmask(dockerSubnet));

      assert.is.not(bridges[0], bridges[1]);
      for (const [index, bridge] of bridges.entries()) {
        assert.is(new Netmask(hosts[index]?.address ?? "").toString(), network);
        assert.ok(ip2long(bridge) > ip2long(whole.base), `${bridge} is the network's first address or below`);
        assert.ok(ip2long(bridge) < ip2long(whole.base) + whole.size - 1, `${bridge} is the network's last or beyond`);
        for (const subnet of subnets) assert.not.ok(subnet.contains(bridge), `${bridge} is in ${subnet}`);
      }
      for (const subnet of subnets) {
        assert.is(subnet.bitmask, dockerPrefix);
        assert.ok(whole.contains(subnet.base) && whole.contains(subnet.last ?? subnet.base), `${subnet}`);
        assert.ok(
          ip2long(subnet.base) + subnet.size < ip2long(whole.base) + whole.size,
          `${subnet} has the broadcast address`,
        );
      }
      assert.not.ok(subnets[0]?.contains(subnets[1]?.base ?? ""), "the subnets overlap");
      assert.not.ok(subnets[1]?.contains(subnets[0]?.base ?? ""), "the subnets overlap");
    },
    1000,
  );
});

test("an address leads back to its host's index, and one that no host gets to none", () => {
  forAll(
    [clusters, fc.nat()],
    ({ network, bitmask, dockerPrefix }, choice) => {
      const index = indexOf(choice, capacity(bitmask, dockerPrefix), 2 ** (32 - dockerPrefix));
      assert.is(indexOfAddress(hostAddresses(network, index, dockerPrefix).address, dockerPrefix), index);
    },
    1000,
  );
  assert.is(indexOfAddress("10.2.0.0/16", 24), null);
  assert.is(indexOfAddress("10.2.0.255/16", 24), null);
  assert.is(indexOfAddress("10.2.9.1/16", 24), null);
  assert.is(indexOfAddress("10.2.255.255/16", 24), null);
  assert.is(indexOfAddress("10.2.0.1/16", 12), null);
});

test("in small clusters, no two hosts overlap, and one more would not fit", () => {
  for (const [bitmask, dockerPrefix] of [
    [24, 30],
    [24, 29],
    [22, 30],
    [20, 28],
    [26, 28],
  ] as const) {
    const most = capacity(bitmask, dockerPrefix);
    const network = `10.0.0.0/${bitmask}`;
    const all = Array.from({ length: most }, (_, index) => hostAddresses(network, index + 1, dockerPrefix));
    const taken = new Set<number>();
    const take = (address: number): void => {
      assert.not.ok(taken.has(address), `${address - ip2long("10.0.0.0")} of ${network} is given twice`);
      taken.add(address);
    };
    for (const { address, dockerSubnet } of all) {
      take(ip2long(address.replace(/\/.*/, "")));
      const { base, size } = new Netmask(dockerSubnet);
      for (let offset = 0; offset < size; offset++) take(ip2long(base) + offset);
    }
    take(ip2long("10.0.0.0"));
    take(ip2long("10.0.0.0") + 2 ** (32 - bitmask) - 1);
    userErrorOf(() => hostAddresses(network, most + 1, dockerPrefix));
  }
});

test("an index that does not fit is rejected, naming a network in which it fits", () => {
  forAll([clusters, fc.integer({ min: 1, max: 100_000 })], ({ network, bitmask, dockerPrefix }, more) => {
    const index = capacity(bitmask, dockerPrefix) + more;
    const message = userErrorOf(() => hostAddresses(network, index, dockerPrefix));
    const [, larger] = /Set a larger network, such as (\S+)\.$/.exec(message) ?? [];
    if (larger === undefined) {
      assert.match(message, "Set smaller subnets (docker_prefix) and a larger network.");
      assert.ok(capacity(8, dockerPrefix) < index, message);
      return;
    }
    assert.ok(new Netmask(larger).contains(network));
    hostAddresses(larger, index, dockerPrefix);
  });
});

test("a host's addresses depend on nothing but its own index", () => {
  const alone = hostAddresses("10.2.0.0/16", 7, 24);
  for (let index = 1; index < 20; index++) hostAddresses("10.2.0.0/16", index, 24);
  assert.equal(hostAddresses("10.2.0.0/16", 7, 24), alone);
});

test.run();
