import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseOptions } from "../../../modules/core/options";
import { resolveDesired } from "../../../modules/weave_bridge/desired";
import type { ObservedWireguard } from "../../../modules/weave_bridge/observed";
import { options } from "../../../modules/weave_bridge/options";
import { plan } from "../../../modules/weave_bridge/plan";
import { userErrorOf } from "../support/user_error";
import { router, vxlan } from "./fixtures";
import { about, encrypted, errorOf, HOST, needing, PASSWORD, with_ } from "./wireguard_fixtures";

test("what the host lacks is named with a remedy", () => {
  assert.match(errorOf(encrypted(), needing({ tools: false })), /^password: needs wireguard-tools .* \(apt install /);
  assert.match(
    errorOf(encrypted(), needing({ implementation: null })),
    /wireguard-go, on this host \(found neither\)\. Install /,
  );
  assert.match(errorOf(encrypted(), needing({ ipv6: false })), /^password: needs a kernel with IPv6/);
  assert.match(
    errorOf(encrypted(), needing({ portHolder: "x (process 1)" })),
    /^wireguard_port: UDP port 51820 must be free/,
  );
  const other = { ...HOST, wireguard: { ...with_(encrypted()).wireguard, config: null } as ObservedWireguard };
  assert.match(errorOf(encrypted(), other), /^name: weave-wg must be a WireGuard device, or not exist yet/);
  const small = { ...HOST, mtus: new Map([["eth0", 1339]]) };
  assert.match(
    errorOf(encrypted(), small),
    /^underlay: must have an MTU of 1340 or more with a password \(found 1339 on eth0\)/,
  );
  plan(encrypted(), { ...HOST, mtus: new Map([["eth0", 1340]]) });
});

test("wireguard-go needs /dev/net/tun, which the kernel's WireGuard does not", () => {
  assert.match(
    errorOf(encrypted(), needing({ implementation: "wireguard-go", tun: false })),
    /^password: wireguard-go needs \/dev\/net\/tun/,
  );
  plan(encrypted(), needing({ tun: false }));
});

test("IPv6 is turned on without another program", () => {
  const { changes } = plan(encrypted(), HOST);
  const setting = "/proc/sys/net/ipv6/conf/weave-wg/disable_ipv6";
  assert.ok(about(encrypted(), HOST).at(-1)?.steps.includes(`set ${setting} 0`));
  assert.not.match(JSON.stringify(changes), "sysctl");
  assert.match(changes[1]?.after ?? "", `echo 0 >${setting}`);
});

test("options that contradict one another", () => {
  assert.match(errorOf(router({ password: PASSWORD })), /^password: needs datapath: vxlan/);
  assert.match(
    errorOf(encrypted({ password: "fifteen letters" })),
    /^password: must have at least 16 .* \(found 15, which are not shown\)/,
  );
  assert.match(errorOf(encrypted({ wireguard_port: 4789 })), /^wireguard_port: must differ from vxlan_port/);
  const key = `${"A".repeat(42)}E=`;
  assert.match(
    errorOf(encrypted({ wireguard_peer_keys: { "192.168.50.12": key } })),
    /^wireguard_peer_keys: needs wireguard_key/,
  );
  assert.match(
    errorOf(encrypted({ wireguard_key: key })),
    /^wireguard_peer_keys: must have the public key of each peer .*192\.168\.50\.12/,
  );
});

test("the identity behind NAT decides the keys, and is no peer", () => {
  const at = (identity: string) => {
    const { wireguard } = resolveDesired(
      encrypted({ wireguard_identity: identity, peers: ["203.0.113.7", "192.168.50.12"] }),
      HOST,
    );
    return wireguard?.config.peers.map(({ endpoint }) => endpoint);
  };
  assert.equal(at("203.0.113.7"), ["192.168.50.12:51820"]);
});

test("a key that is none is rejected; a private one is not shown", () => {
  const rejection = (given: Record<string, unknown>): string =>
    userErrorOf(() => parseOptions("weave_bridge", options, new Map(Object.entries(given))));
  for (const key of ["", "hunter2", `${"A".repeat(43)}B`, `${"A".repeat(42)}A=\n`]) {
    assert.is(
      rejection({ wireguard_key: key }),
      "wireguard_key: must be a WireGuard key (found a value of another form, not shown). Set it in base64, 44 characters, as wg " +
        "genkey prints it.",
    );
    assert.match(
      rejection({ wireguard_peer_keys: { "192.168.50.12": key } }),
      `wireguard_peer_keys: must be a WireGuard key (found "${key}"). Set it in base64`,
    );
  }
});

test("an identity that is another host's, or nobody's, is rejected", () => {
  const error = (wireguard_identity: string, more: object = {}): string =>
    errorOf(encrypted({ wireguard_identity, ...more }));
  const another =
    /^wireguard_identity: must be the address by which the peers know this host, .*\(found 192\.168\.50\.12, /;
  assert.match(error("192.168.50.12"), another, "this host is among the peers by its own address");
  assert.match(error("192.168.50.12", { peers: ["192.168.50.12"] }), another, "no peer is left");
  assert.match(
    error("10.2.0.5"),
    /^wireguard_identity: .* outside the container network 10\.2\.0\.0\/16 \(found 10\.2\.0\.5\)/,
  );
  assert.match(error("192.168.50.255"), /^wireguard_identity: .*broadcast address/);
  assert.match(
    errorOf(vxlan({ wireguard_identity: "203.0.113.7" })),
    /^wireguard_identity: needs password or wireguard_key \(found neither\)/,
  );
  plan(vxlan({ wireguard_identity: "203.0.113.7", state: "absent" }), HOST);
  plan(encrypted({ wireguard_identity: "192.168.50.11" }), HOST);
});

test("each peer has a different key", () => {
  const [own = "", other = ""] = ["A", "Q"].map((letter) => `${letter.repeat(42)}E=`);
  const error = errorOf(
    encrypted({ wireguard_key: own, wireguard_peer_keys: { "192.168.50.12": other, "192.168.50.13": other } }),
  );
  assert.match(error, `must have each host's own key (found ${other} for 192.168.50.12 and 192.168.50.13)`);
});

test.run();
