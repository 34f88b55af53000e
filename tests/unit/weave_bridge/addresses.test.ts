import * as fc from "fast-check";
import { Netmask } from "netmask";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { UserError } from "../../../modules/core/errors";
import { addressOf, contains } from "../../../modules/net/ipv4";
import { plan } from "../../../modules/weave_bridge/plan";
import { forAll } from "../support/property";
import { FRESH, router } from "./fixtures";

interface Host {
  readonly address: string;
  readonly subnet: string;
}

/** A host's addresses as the module returns them; null if the host does not fit. */
function hostOf(network: string, docker_prefix: number, host_index: number): Host | null {
  try {
    const { returns } = plan(router({ network, docker_prefix, host_index }), { ...FRESH, links: [], routes: [] });
    return { address: String(returns["address"]), subnet: String(returns["docker_subnet"]) };
  } catch (error) {
    if (error instanceof UserError && error.message.startsWith("host_index: ")) return null;
    throw error;
  }
}

const NETWORKS = fc
  // 1.0.0.0 to 126.255.255.255: all of them addresses that hosts can have.
  .record({ base: fc.integer({ min: 1 << 24, max: 0x7effffff }), prefix: fc.integer({ min: 8, max: 28 }) })
  .map(({ base, prefix }) => {
    const octets = [24, 16, 8, 0].map((shift) => (base >>> shift) & 255).join(".");
    return new Netmask(`${octets}/${prefix}`).toString();
  });
const INDEX = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 2 ** 20 }));

test("no two hosts of a cluster ever share an address or a subnet, whatever the network and the sizes", () => {
  let pairs = 0;
  forAll(
    [NETWORKS, fc.integer({ min: 9, max: 30 }), INDEX, INDEX],
    (network, prefix, one, other) => {
      if (one === other) return;
      const [a, b] = [hostOf(network, prefix, one), hostOf(network, prefix, other)];
      if (a === null || b === null) return;
      pairs++;
      assert.is.not(a.address, b.address);
      assert.not.ok(contains(a.subnet, b.subnet) || contains(b.subnet, a.subnet), `${a.subnet} ${b.subnet}`);
      for (const { subnet } of [a, b]) {
        for (const { address } of [a, b]) assert.not.ok(contains(subnet, addressOf(address)), `${subnet} ${address}`);
        assert.ok(contains(network, subnet));
      }
    },
    4000,
  );
  assert.ok(pairs > 400, `only ${pairs} pairs were compared`);
});

test("the default numbers are Apollo's, and larger networks go on past 254 hosts", () => {
  assert.equal(hostOf("10.2.0.0/16", 24, 1), { address: "10.2.0.1/16", subnet: "10.2.1.0/24" });
  assert.equal(hostOf("10.2.0.0/16", 24, 254), { address: "10.2.0.254/16", subnet: "10.2.254.0/24" });
  const hosts = Array.from({ length: 4000 }, (_, index) => hostOf("10.0.0.0/8", 24, index + 1));
  assert.is(new Set(hosts.map((host) => host?.address)).size, 4000);
  assert.is(new Set(hosts.map((host) => host?.subnet)).size, 4000);
  assert.not.ok(hosts.includes(null));
});

test.run();
