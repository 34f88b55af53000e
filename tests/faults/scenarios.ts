/** From where to where modules go with something failing on the way. */

/** A module with its options, as a play would call it. */
export interface Call {
  readonly module: "weave_bridge" | "weave_service" | "docker_bridge_opts";
  readonly options: Readonly<Record<string, unknown>>;
}

export interface Scenario {
  readonly name: string;
  /** A shell script that brings the host to where it starts from, whatever the last run has left. */
  readonly start: string;
  /** The task that is run. */
  readonly call: Call;
  /** Whether the handler's restart of Docker follows if it is pending; then that is what fails on the way. */
  readonly restarts?: true;
  /** Which provider manages the host's network; ifupdown by default. */
  readonly network?: "networkd";
  /** Whether a run takes seconds, so that each system call gets one error in turn instead of all. */
  readonly slow?: true;
}

/** Where a call's bundle, with the options in it, is on the host. */
export function bundlePath({ module, options }: Call): string {
  const words = [module, ...Object.values(options)].join("-").replace(/[^\w.-]+/g, "_");
  return `/var/lib/faults/${words}.js`;
}

const bridge = (options: object = {}): Call => ({
  module: "weave_bridge",
  options: { host_index: 1, datapath: "vxlan", underlay: "eth0", peers: "192.168.50.98,192.168.50.99", ...options },
});
const docker = (options: object = {}): Call => ({
  module: "docker_bridge_opts",
  options: { bridge: "weave", fixed_cidr: "10.2.1.0/24", mtu: 1450, dns: "8.8.8.8", ...options },
});
const service = (options: object = {}): Call => ({
  module: "weave_service",
  options: { peers: "192.168.50.12,192.168.50.13", password: "over the top", ...options },
});

/** The handler's call. */
export const RESTART: Call = { module: "docker_bridge_opts", options: { state: "restarted" } };

const run = (call: Call): string => `node ${bundlePath(call)} >/dev/null`;

/** Puts all of a host's files back that modules write, as `SAVE` kept them, and the network with them. */
const RESTORED = `
[ ! -e /var/lib/apollo-weave/docker-network ] || docker network rm flat
ip link del weave-vx; ip link del weave-wg; ip link del weave
iptables-restore </var/lib/faults/iptables
sed -i '/^weave/d' /run/network/ifstate; rm -f /run/weave*
cd / && rm -rf $(cat /var/lib/faults/places) && tar -xpf /var/lib/faults/fresh.tar
`;
export const SAVE = `
echo etc/network etc/default etc/docker etc/systemd/network etc/systemd/system/docker.service.d etc/NetworkManager/conf.d \\
  etc/systemd/system/weave-bridge.service etc/systemd/system/multi-user.target.wants/weave-bridge.service \\
  etc/wireguard etc/systemd/system/weave-wg.service etc/systemd/system/systemd-networkd.service.d \\
  etc/systemd/system/docker.service.requires var/lib/apollo-weave etc/systemd/system/weave.service etc/systemd/system/docker.service.wants etc/weave.env >/var/lib/faults/places
iptables-save >/var/lib/faults/iptables
cd / && tar -cpf /var/lib/faults/fresh.tar $(ls -d $(cat /var/lib/faults/places))
`;

// Without its file, a unit is stopped without its commands.
const FRESH = `exec 2>/dev/null\n${RESTORED}
for unit in weave-bridge weave-wg; do
  ! systemctl is-active --quiet $unit || { systemctl daemon-reload; systemctl stop $unit; }
done\n`;
const RELOADED = `${FRESH}networkctl reload; systemctl daemon-reload; systemctl reset-failed weave-wg\n`;
const UNIT_FORGOTTEN = `${FRESH}systemctl daemon-reload; systemctl reset-failed weave-bridge\n`;
const encrypted = (options: object = {}): Call => bridge({ password: "correct horse battery staple", ...options });
const byUnit = (options: object = {}): Call => bridge({ provider: "systemd", ...options });

/** Docker runs with the options of the fresh host. One is to change, so that the others join it in its line. */
const DOCKER_FRESH = `${RELOADED}ip link add weave type bridge; ip addr add 10.2.0.1/16 dev weave; ip link set weave up
echo 'DOCKER_OPTS="--log-level=warn --mtu=1400"' >/etc/default/docker
systemctl reset-failed docker; tr '\\0' ' ' </proc/$(cat /run/docker.pid)/cmdline | grep -q -- '--log-level=warn --mtu=1400 $' ||
  systemctl restart docker
`;
const WITH_DAEMON_JSON = `mkdir -p /etc/docker; printf '%s\\n' '{ "labels": ["a=b"], "dns": ["9.9.9.9"] }' >/etc/docker/daemon.json\n`;

/** A Docker network on the bridge, beside Docker's default network, whose options stay as they are. */
const network = (options: object = {}): Call => ({
  module: "docker_bridge_opts",
  options: { network: "flat", bridge: "weave", fixed_cidr: "10.2.1.0/24", mtu: 1450, ...options },
});
const NETWORK_FRESH = `${RELOADED}ip link add weave type bridge; ip addr add 10.2.0.1/16 dev weave; ip link set weave up
echo 'DOCKER_OPTS="--log-level=warn"' >/etc/default/docker
systemctl reset-failed docker; tr '\\0' ' ' </proc/$(cat /run/docker.pid)/cmdline | grep -q -- '--log-level=warn $' || systemctl restart docker
docker network rm flat
`;

const DRIFTED_FILE =
  "sed -i 's/mtu 1450/mtu 1400/; 1d' /etc/network/interfaces.d/weave.cfg; chmod 600 /etc/network/interfaces.d/weave.cfg\n";
const DRIFTED_LINK = `
ip link set weave mtu 1400; ip addr del 10.2.0.1/16 dev weave; ip addr add 10.2.0.9/16 dev weave; ip link set weave address 02:00:00:00:00:01
ip link set weave-vx nomaster; ip link set weave-vx down; bridge fdb del 00:00:00:00:00:00 dev weave-vx dst 192.168.50.98
bridge fdb append 00:00:00:00:00:00 dev weave-vx dst 192.168.50.97; iptables -D FORWARD -i weave -o weave -m comment --comment weave_bridge -j ACCEPT
`;

const SERVICE_FRESH = `${FRESH}systemctl reset-failed; systemctl start docker; systemctl stop weave; docker rm -f weave weavedb
systemctl daemon-reload; ip link del vethwe-bridge; ip link del weave
ip link add weave type bridge; ip addr add 10.2.0.1/16 dev weave; ip link set weave up
`;

export const SCENARIOS: readonly Scenario[] = [
  { name: "bridge: fresh host", start: FRESH, call: bridge() },
  { name: "bridge: no change needed", start: `${FRESH}${run(bridge())}`, call: bridge() },
  { name: "bridge: drifted file", start: `${FRESH}${run(bridge())}\n${DRIFTED_FILE}`, call: bridge() },
  { name: "bridge: drifted link", start: `${FRESH}${run(bridge())}\n${DRIFTED_LINK}`, call: bridge() },
  { name: "bridge: removal", start: `${FRESH}${run(bridge())}`, call: bridge({ state: "absent" }) },
  { name: "bridge under networkd: fresh host", network: "networkd", start: RELOADED, call: bridge() },
  {
    name: "bridge under networkd: drifted link",
    network: "networkd",
    start: `${RELOADED}${run(bridge())}\n${DRIFTED_LINK}`,
    call: bridge(),
  },
  {
    name: "bridge under networkd: removal",
    network: "networkd",
    start: `${RELOADED}${run(bridge())}`,
    call: bridge({ state: "absent" }),
  },
  { name: "bridge under systemd: fresh host", start: UNIT_FORGOTTEN, call: byUnit() },
  {
    name: "bridge under systemd: after ifupdown",
    start: `${UNIT_FORGOTTEN}${run(bridge())}\n`,
    call: byUnit(),
  },
  {
    name: "bridge under systemd: removal",
    start: `${UNIT_FORGOTTEN}${run(byUnit())}\n`,
    call: byUnit({ state: "absent" }),
  },
  { name: "bridge with a password: fresh host", start: FRESH, call: encrypted() },
  {
    name: "bridge with a password: password changed",
    start: `${FRESH}${run(encrypted())}\n`,
    call: encrypted({ password: "another staple of horses" }),
  },
  {
    name: "bridge with a password: removal",
    start: `${FRESH}${run(encrypted())}\n`,
    call: bridge({ state: "absent" }),
  },
  {
    name: "bridge with a password under networkd: fresh host",
    network: "networkd",
    start: RELOADED,
    call: encrypted(),
  },
  { name: "docker options: fresh host", start: DOCKER_FRESH, call: docker() },
  { name: "docker options: existing daemon.json", start: `${DOCKER_FRESH}${WITH_DAEMON_JSON}`, call: docker() },
  {
    name: "docker options: Docker stopped",
    start: `${DOCKER_FRESH}systemctl stop docker.socket docker\n`,
    call: docker(),
  },
  {
    name: "docker options: drifted file",
    start: `${DOCKER_FRESH}${run(docker())}\necho 'DOCKER_OPTS="--bridge=weave --mtu=9000 --debug"' >/etc/default/docker\n`,
    call: docker(),
  },
  {
    name: "docker options: removal",
    start: `${DOCKER_FRESH}${run(docker())}\n`,
    call: docker({ state: "absent" }),
  },
  {
    name: "docker restart: pending",
    start: `${DOCKER_FRESH}${run(docker())}\n`,
    call: docker(),
    restarts: true,
    slow: true,
  },
  {
    name: "docker restart: Docker stopped",
    start: `${DOCKER_FRESH}${run(docker())}\nsystemctl stop docker.socket docker\n`,
    call: docker(),
    restarts: true,
    slow: true,
  },
  { name: "docker network: fresh host", start: NETWORK_FRESH, call: network() },
  {
    name: "docker network: drifted network",
    start: `${NETWORK_FRESH}${run(network({ mtu: 1400 }))}\n`,
    call: network(),
  },
  {
    name: "docker network: removal",
    start: `${NETWORK_FRESH}${run(network())}\n`,
    call: network({ state: "absent" }),
  },
  { name: "service: fresh host", start: SERVICE_FRESH, call: service(), slow: true },
  {
    name: "service: Docker stopped",
    start: `${SERVICE_FRESH}systemctl stop docker.socket docker\n`,
    call: service(),
    slow: true,
  },
  {
    name: "service: drifted file",
    start: `${SERVICE_FRESH}${run(service())}\nsed -i '/^WEAVE_MTU/d' /etc/weave.env; sed -i 1d /etc/systemd/system/weave.service\n`,
    call: service(),
    slow: true,
  },
  {
    name: "service: drifted live",
    start: `${SERVICE_FRESH}${run(service())}\nethtool -K vethwe-bridge tx on; curl -s -d peer=192.168.50.13 http://127.0.0.1:6784/forget\n`,
    call: service(),
    slow: true,
  },
  {
    name: "service: removal",
    start: `${SERVICE_FRESH}${run(service())}\n`,
    call: service({ state: "absent" }),
    slow: true,
  },
];

/** The call that goes wrong: the handler's where there is one. */
export function failingCall({ restarts, call }: Scenario): Call {
  return restarts ? RESTART : call;
}

/** A whole play of the role, with the router: its tasks in order, and the handler. The MTU is the bridge's, as the role has it. */
export const PLAY: readonly Scenario[] = [
  { name: "bridge", start: "", call: { module: "weave_bridge", options: { host_index: 1 } } },
  { name: "docker", start: "", call: docker({ mtu: 1438 }), restarts: true },
  { name: "service", start: "", call: service() },
];

/**
 * A host that no play has been at. A Docker whose bridge is deleted keeps its network, and does not start with a bridge of this name
 * again ("networks have same bridge name", 26.1.5; moby's issue 49291).
 */
export const UNTOUCHED = `${SERVICE_FRESH}ip link del weave
systemctl stop docker; rm -f /var/lib/docker/network/files/local-kv.db; systemctl start docker
`;

/** Runs at once: the same, and others. */
export const PAIRS: readonly (readonly [string, Scenario, Scenario])[] = [
  ["bridge, same options", scenario(FRESH, bridge()), scenario(FRESH, bridge())],
  ["bridge, other options", scenario(FRESH, bridge()), scenario(FRESH, bridge({ host_index: 7, mtu: 1400 }))],
  [
    "docker options, others",
    scenario(DOCKER_FRESH, docker()),
    scenario(DOCKER_FRESH, docker({ fixed_cidr: "10.2.7.0/24", location: "daemon_json" })),
  ],
  ["bridge, present and absent", scenario(FRESH, bridge()), scenario(FRESH, bridge({ state: "absent" }))],
];

function scenario(start: string, call: Call): Scenario {
  return { name: call.module, start, call };
}

/** Every call that is made, for their bundles. */
export const CALLS: readonly Call[] = [
  ...[bridge(), docker(), service(), RESTART],
  ...[...SCENARIOS, ...PLAY, ...PAIRS.flatMap(([, ...both]) => both)].map(({ call }) => call),
  network({ mtu: 1400 }),
];
