import { suite } from "uvu";
import * as assert from "uvu/assert";
import { capacity } from "../../../modules/net/host_addresses";
import { resolveDesired as resolveBridge } from "../../../modules/weave_bridge/desired";
import { resolveDesired as resolveService } from "../../../modules/weave_service/desired";
import { callPlugin } from "../support/python";
import { rejectedBy, withoutHost } from "../support/role_variables";
import { FRESH as BRIDGE_HOST, vxlan } from "../weave_bridge/fixtures";
import { FRESH as SERVICE_HOST, serviceOptions } from "../weave_service/fixtures";

/** roles/weave/filter_plugins/weave_contradictions.py, which rejects on the controller what the modules would reject on the hosts. */
const test = suite("contradictions among the role's variables");

const DEFAULTS = {
  ...{ weave_network: "10.2.0.0/16", weave_docker_prefix: 24, weave_host_index: 1 },
  ...{ weave_vxlan_port: 4789, weave_wireguard_port: 51820, weave_docker_network: "bridge" },
};

interface Run {
  readonly bridge?: boolean;
  readonly router?: boolean;
  readonly hosts?: number;
}

/** What is wrong with the variables of the host `a`. */
function wrong(given: object, { bridge = true, router = false, hosts = 0 }: Run = {}): string {
  const values = { ...DEFAULTS, ...given };
  return callPlugin("weave_contradictions", "find_contradictions", [
    values,
    "a",
    ["192.0.2.128/25"],
    bridge,
    router,
    hosts,
  ]);
}

test("a value that looks like what the role computes later is checked like others", () => {
  assert.is(wrong({ weave_network: "192.0.2.128/25", weave_docker_prefix: 28 }), "");
});

test("a network without room for the group is rejected before the first host gets an index", () => {
  const small = { weave_network: "10.2.0.0/22", weave_host_index: undefined };
  assert.is(wrong(small, { hosts: 2 }), "");
  assert.is(
    wrong(small, { hosts: 3 }),
    "weave_network: must have room for the 3 hosts of the group (found 10.2.0.0/22, which has room for 2 with a /24 each, for a). Set a larger network, such as 10.2.0.0/21.",
  );
  assert.is(wrong({ ...small, weave_bridge: "10.2.0.1/22", weave_docker_subnet: "10.2.1.0/24" }, { hosts: 9 }), "");
  assert.is(wrong(small, { hosts: 9, bridge: false, router: true }), "");
});

test("a mode that the VXLAN does not have is rejected, unless it is the default by Apollo's socket", () => {
  assert.is(
    wrong({ weave_mode: "plugin" }),
    "weave_mode: must be bridge with weave_datapath: vxlan, which has no other mode (found plugin for a). Remove it, or set weave_datapath: router.",
  );
  const socket = { docker_host: "unix:///var/run/weave/weave.sock" };
  assert.is(wrong({ weave_mode: "proxy", ...socket }), "");
  assert.match(wrong({ weave_mode: "plugin", ...socket }), "weave_mode: must be bridge");
  assert.is(wrong({ weave_mode: "proxy" }, { bridge: false, router: true }), "");
});

const PASSWORD = "a password of 16 characters";
const KEY = `${"A".repeat(43)}=`;

/** Variables that weave_bridge's options contradict in the same way. */
const OF_BRIDGE: readonly (readonly [variables: object, options: Record<string, unknown>, says: string])[] = [
  [
    { weave_docker_subnet: "10.3.1.0/24" },
    { docker_subnet: "10.3.1.0/24" },
    "weave_docker_subnet: must be in the bridge's network 10.2.0.0/16 (found 10.3.1.0/24). Set a subnet of that network.",
  ],
  [
    { weave_bridge: "10.3.0.1/16", weave_docker_subnet: "10.2.1.0/24" },
    { address: "10.3.0.1/16", docker_subnet: "10.2.1.0/24" },
    "weave_docker_subnet: must be in the bridge's network 10.3.0.0/16 (found 10.2.1.0/24). Set a subnet of that network.",
  ],
  [
    { weave_docker_subnet: "10.2.0.0/16" },
    { docker_subnet: "10.2.0.0/16" },
    "weave_docker_subnet: must not be the whole network, as containers of other hosts use it too (found 10.2.0.0/16). Set a smaller subnet, for this host only.",
  ],
  [
    { weave_host_index: 300 },
    { host_index: 300 },
    "weave_host_index: must be at most 254 in 10.2.0.0/16 with a /24 each (found 300). Set a larger network, such as 10.2.0.0/15.",
  ],
  [
    { weave_network: "10.0.0.0/8", weave_docker_prefix: 9, weave_host_index: 3 },
    { network: "10.0.0.0/8", docker_prefix: 9, host_index: 3 },
    "weave_host_index: must be at most 0 in 10.0.0.0/8 with a /9 each (found 3). Set smaller subnets (weave_docker_prefix) and a larger network.",
  ],
  [
    { weave_password: "hush" },
    { password: "hush" },
    "weave_password: must have at least 16 characters with weave_datapath: vxlan, as anyone who records the traffic can guess passwords offline (found 4, which are not shown). Set a random one, such as `openssl rand -base64 24` prints.",
  ],
  [
    { weave_wireguard_identity: "203.0.113.7" },
    { wireguard_identity: "203.0.113.7" },
    "weave_wireguard_identity: needs weave_password or weave_wireguard_key (found neither). Set one of them, or remove weave_wireguard_identity.",
  ],
  [
    { weave_wireguard_peer_keys: { "192.168.50.12": KEY } },
    { wireguard_peer_keys: { "192.168.50.12": KEY } },
    "weave_wireguard_peer_keys: needs weave_wireguard_key, this host's own key (found none). Set it, or remove the peers' keys to have all derived from weave_password.",
  ],
  [
    { weave_password: PASSWORD, weave_wireguard_port: "4789" },
    { password: PASSWORD, wireguard_port: 4789 },
    "weave_wireguard_port: must differ from weave_vxlan_port (found 4789 for both). Set another one on all hosts.",
  ],
  [
    { weave_password: PASSWORD, weave_wireguard_identity: "10.2.7.7" },
    { password: PASSWORD, wireguard_identity: "10.2.7.7" },
    "weave_wireguard_identity: must be outside the container network 10.2.0.0/16 (found 10.2.7.7). Set the address by which the peers know this host.",
  ],
  [
    { weave_launch_peers: "192.168.50.12,10.2.7.7" },
    { peers: "192.168.50.12,10.2.7.7" },
    "weave_launch_peers: a peer's address must be outside the container network 10.2.0.0/16 (found 10.2.7.7). Set the host's address on the underlay.",
  ],
];

for (const [variables, options, says] of OF_BRIDGE) {
  test(`${JSON.stringify(variables)} are rejected as by weave_bridge`, () => {
    assert.is(withoutHost(wrong(variables)), says);
    assert.is(
      rejectedBy("weave_bridge", () => resolveBridge(vxlan(options), BRIDGE_HOST)),
      says,
    );
  });
}

test("what the router's datapath or another mode does not read is not compared", () => {
  assert.is(wrong({ weave_password: "hush", weave_launch_peers: "10.2.7.7" }, { router: true }), "");
  assert.is(wrong({ weave_host_index: 300, weave_docker_subnet: "10.3.1.0/24" }, { bridge: false, router: true }), "");
  assert.is(wrong({ weave_bridge: "10.3.0.1/16", weave_docker_subnet: "10.3.1.0/24", weave_host_index: 300 }), "");
});

test("what stands for a computed value is not compared", () => {
  assert.is(wrong({ weave_docker_subnet: "192.0.2.128/25" }), "");
  assert.match(wrong({ weave_docker_subnet: "192.0.2.128/25", weave_host_index: 300 }), "must be at most");
});

test("the room for hosts is weave_bridge's", () => {
  for (let prefix = 8; prefix <= 30; prefix += 1) {
    for (let own = 9; own <= 30; own += 1) {
      assert.is(
        callPlugin("weave_contradictions", "capacity", [prefix, own]),
        capacity(prefix, own),
        `${prefix} ${own}`,
      );
    }
  }
});

/** Variables that weave_service's options contradict in the same way. */
const OF_SERVICE: readonly (readonly [variables: object, options: Record<string, unknown>, says: string, run?: Run])[] =
  [
    [
      { weave_launch_args: "--name=0e:00:00:00:00:01" },
      { args: "--name=0e:00:00:00:00:01" },
      "weave_launch_args: must not have --name with weave_mode: bridge, where the router's name is the bridge's MAC address (found --name=0e:00:00:00:00:01). Remove it, and set the bridge's weave_mac.",
    ],
    [
      { weave_launch_args: ["--no-dns"], weave_dns: true },
      { args: ["--no-dns"], dns: true, mode: "proxy" },
      "weave_launch_args: must not have --no-dns with weave_dns (found both). Remove one of them.",
      { bridge: false },
    ],
    [
      { weave_expose: "yes" },
      { expose: true },
      "weave_expose: must be off with weave_mode: bridge, where this host has an address on the network (found it on). Remove weave_expose, or set another weave_mode.",
    ],
    [
      { weave_expose: true, weave_launch_args: "--ipalloc-range=" },
      { expose: true, args: "--ipalloc-range=", mode: "plugin" },
      "weave_expose: needs a router that allocates addresses (found --ipalloc-range= in weave_launch_args). Turn it off, or name a range.",
      { bridge: false },
    ],
    [
      { weave_env: { WEAVE_NO_FASTDP: "1" } },
      { env: { WEAVE_NO_FASTDP: "1" } },
      "weave_env: must not have WEAVE_NO_FASTDP with weave_mode: bridge, where there is no fast datapath anyway (found WEAVE_NO_FASTDP). Remove it.",
    ],
    ...["6784", ":6784", "127.0.0.1:0", "127.0.0.1:65536", "localhost:6784", "127.0.0.1:6784x"].map(
      (address) =>
        [
          { weave_env: { WEAVE_HTTP_ADDR: address } },
          { env: { WEAVE_HTTP_ADDR: address } },
          `weave_env: WEAVE_HTTP_ADDR must be an IPv4 address and a port (found "${address}"). Write it as 127.0.0.1:6784.`,
        ] as const,
    ),
  ];

for (const [variables, options, says, run] of OF_SERVICE) {
  test(`${JSON.stringify(variables)} are rejected as by weave_service`, () => {
    assert.is(withoutHost(wrong(variables, { router: true, ...run })), says);
    assert.is(
      rejectedBy("weave_service", () => resolveService(serviceOptions(options), SERVICE_HOST)),
      says,
    );
  });
}

test("Weave DNS where no container would have a name", () => {
  assert.match(
    wrong({ weave_dns: "on" }),
    /^weave_dns: must be off with weave_mode: bridge .* \(found it on for a\)\. .* playbooks\/teardown\.yml/,
  );
  assert.is(wrong({ weave_dns: true }, { bridge: false, router: true }), "");
});

test("another port of the router is rejected, as the role uses the default", () => {
  const run = { bridge: false, router: true };
  const must =
    "must not set another port of the router than 6783, which the firewall's rules, the handlers and verify.yml use";
  assert.is(
    wrong({ weave_launch_args: "--no-dns --port=7000" }, run),
    `weave_launch_args: ${must} (found --port=7000 for a). Remove it.`,
  );
  assert.match(wrong({ weave_launch_args: ["--port", "7000"] }, run), "found --port=7000 for a");
  assert.is(
    wrong({ weave_env: { WEAVE_PORT: 7000 } }, run),
    `weave_env: ${must} (found WEAVE_PORT: 7000 for a). Remove it.`,
  );
  assert.is(wrong({ weave_launch_args: "--port=6783", weave_env: { WEAVE_PORT: "6783" } }, run), "");
  assert.is(wrong({ weave_launch_args: "--port=7000" }), "", "no router runs");
});

test("a separate Docker network needs the mode in which the role attaches Docker to the bridge", () => {
  const flat = { weave_docker_network: "flat" };
  assert.match(wrong(flat, { bridge: false, router: true }), /^weave_docker_network: .* \(found flat for a\)/);
  assert.is(wrong({}, { bridge: false, router: true }), "");
  assert.is(wrong(flat), "");
});

test.run();
