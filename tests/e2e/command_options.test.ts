import { suite } from "uvu";
import * as assert from "uvu/assert";
import { MODULES } from "../../build/modules";
import { flagOf } from "../../modules/command/arguments";
import { optionNames } from "../../modules/core/option_names";
import type { OptionTable } from "../../modules/core/options";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { busyboxImage } from "../hosts/images";
import { installCommand } from "./command";
import { bootHosts } from "./hosts";

/**
 * Every option of the command's subcommands by itself, on a host with the VXLAN and a container: what is not given stays as it is, and
 * what an operator may not expect is said on the terminal.
 */
const test = suite("the command's options, each by itself");
let cluster: Cluster;
let host: Host;

interface Case {
  readonly value: string | number | boolean;
  /** Standard input for --args, of an option that may not be on the command line. */
  readonly input?: boolean;
  /** The only changes, by their subjects; none unless given. */
  readonly changes?: readonly string[];
  /** What else the terminal says: what is interrupted, pending or kept, or why it is rejected. */
  readonly says?: readonly RegExp[];
}

const FILE = "/etc/network/interfaces.d/weave.cfg";
const KEEPS =
  /^Docker keeps the subnet 10\.2\.1\.0\/24, not \S+; then run: apollo-weave docker-opts --bridge weave --fixed-cidr /m;
const KEEPS_MTU = /^Docker keeps the MTU 1450, not \d+; then run: apollo-weave docker-opts /m;
const GATEWAY =
  /^would interrupt traffic to other networks of 1 container with the gateway 10\.2\.0\.1, until Docker recreates /m;
const RECREATED = /^would interrupt traffic with each other host, until it has the same --vxlan-id and --vxlan-port$/m;
const NO_ROUTER =
  /^apollo-weave: failed: --component: the router must not run next to a VXLAN, .* \(found weave-vx on this host\)\./m;
const RESTART = [
  /^would interrupt Docker: its restart stops 1 running container$/m,
  /^would be pending: a restart of Docker$/m,
];
const ADDRESS = ["bridge weave: address"];
const NO_CASE: Case = { value: "no case" };
const NOTHING: Case["says"] = [/^ok: nothing to change$/m];

const CASES: Readonly<Record<string, Readonly<Record<string, Case>>>> = {
  bridge: {
    state: {
      value: "absent",
      says: [/^apollo-weave: failed: bridge weave: must have no containers .* or set --force true\.$/m],
    },
    force: { value: true, says: NOTHING },
    ignore_docker_ports: { value: true, says: NOTHING },
    name: {
      value: "other",
      says: [/^apollo-weave: failed: --host-index: must be set unless both --address and --docker-subnet are/m],
    },
    network: {
      value: "10.9.0.0/16",
      changes: [FILE, "bridge weave: promote_secondaries", ...ADDRESS],
      says: [/^would interrupt all traffic with other hosts' containers and to other networks of 1 container /m, KEEPS],
    },
    host_index: { value: 2, changes: [FILE, "bridge weave: promote_secondaries", ...ADDRESS], says: [GATEWAY, KEEPS] },
    docker_prefix: { value: 25, changes: [], says: [KEEPS] },
    address: {
      value: "10.2.0.9/16",
      changes: [FILE, "bridge weave: promote_secondaries", ...ADDRESS],
      says: [GATEWAY],
    },
    docker_subnet: { value: "10.2.9.0/24", changes: [], says: [KEEPS] },
    datapath: {
      value: "router",
      changes: [FILE, "bridge weave: mtu", "bridge weave: datapath"],
      says: [/^would interrupt traffic between hosts, until the Weave router carries it$/m, KEEPS_MTU],
    },
    peers: { value: "192.168.50.13", changes: [FILE, "bridge weave: peers"] },
    underlay: { value: "eth0", says: NOTHING },
    vxlan_id: { value: 7, changes: [FILE, "bridge weave: datapath"], says: [RECREATED] },
    vxlan_port: { value: 4790, changes: [FILE, "bridge weave: datapath"], says: [RECREATED] },
    password: {
      value: "a password of 16 characters",
      input: true,
      changes: [
        "/etc/wireguard/weave-wg.conf",
        FILE,
        "bridge weave: encryption",
        "bridge weave: mtu",
        "bridge weave: datapath",
      ],
      says: [/^would interrupt traffic with each other host, until its encryption is turned on, too$/m, KEEPS_MTU],
    },
    wireguard_port: { value: 51821, says: NOTHING },
    wireguard_key: { value: `${"A".repeat(42)}A=`, input: true, says: [/failed: .*/m] },
    wireguard_peer_keys: {
      value: `192.168.50.12=${"A".repeat(42)}A=`,
      says: [/failed: --wireguard-peer-keys: needs wireguard_key, this host's own key \(found none\)/m],
    },
    wireguard_identity: {
      value: "203.0.113.7",
      says: [
        /failed: --wireguard-identity: needs password or wireguard_key \(found neither\)\. .* or remove --wireguard-identity\./m,
      ],
    },
    mtu: {
      value: 1400,
      changes: [FILE, "bridge weave: mtu", "weave-vx: mtu"],
      says: [
        /^would interrupt packets of more than 1400 bytes of 1 container, /m,
        /^Docker keeps the MTU 1450, not 1400; /m,
      ],
    },
    router_encrypts: { value: true, says: NOTHING },
    mac: { value: "0e:5f:33:00:00:07", changes: [FILE, "bridge weave: arp_notify", "bridge weave: mac"] },
    provider: {
      value: "systemd",
      changes: [
        FILE,
        "ifupdown: weave",
        "/etc/systemd/system/weave-bridge.service",
        "weave-bridge.service: started by",
        "weave-bridge.service: state",
      ],
    },
    firewall: {
      value: "off",
      changes: [FILE, "bridge weave: frames between its ports"],
      says: [
        /^would interrupt traffic between containers and with other hosts, unless another rule of iptables accepts it$/m,
      ],
    },
  },
  service: {
    component: { value: "scope", says: [/failed: --script: /m] },
    state: { value: "absent", says: NOTHING },
    mode: { value: "proxy", says: [NO_ROUTER] },
    script: { value: "/opt/weave", says: [NO_ROUTER] },
    script_version: { value: "2.8.1", says: [NO_ROUTER] },
    bridge: { value: "weave", says: [NO_ROUTER] },
    peers: { value: "192.168.50.12", says: [NO_ROUTER] },
    mtu: { value: 1400, says: [NO_ROUTER] },
    args: { value: "--log-level=debug", says: [NO_ROUTER] },
    dns: { value: true, says: [NO_ROUTER] },
    expose: { value: true, says: [NO_ROUTER] },
    iptables_backend: { value: "nft", says: [NO_ROUTER] },
    env: { value: "WEAVE_DEBUG=1", says: [NO_ROUTER] },
    password: { value: "hush", input: true, says: [NO_ROUTER] },
    timeout: { value: 10, says: [NO_ROUTER] },
  },
  "docker-opts": {
    state: { value: "absent", changes: ["/etc/default/docker", "running dockerd"], says: RESTART },
    location: { value: "daemon_json", says: NOTHING },
    network: { value: "flat", says: [/failed: --network: /m] },
    bridge: { value: "br9", changes: ["/etc/default/docker", "running dockerd"], says: RESTART },
    fixed_cidr: { value: "10.2.9.0/24", changes: ["/etc/default/docker", "running dockerd"], says: RESTART },
    bridge_address: { value: "10.2.0.1/16", says: NOTHING },
    dns: { value: "8.8.8.8", changes: ["/etc/docker/daemon.json", "running dockerd"], says: RESTART },
    dns_search: { value: "service.consul", changes: ["/etc/docker/daemon.json", "running dockerd"], says: RESTART },
    mtu: { value: 1400, changes: ["/etc/default/docker", "running dockerd"], says: RESTART },
    opts: { value: "--log-level=warn", changes: ["/etc/docker/daemon.json", "running dockerd"], says: RESTART },
  },
};

const command = (argv: readonly string[], input = "") =>
  host.exec(["apollo-weave", ...argv], { check: false, input, timeoutSeconds: 120 });

test.before(async () => {
  cluster = await bootHosts(1);
  host = cluster.host("apollo1");
  await installCommand([host]);
  for (const argv of [
    ["bridge", "--host-index=1", "--datapath=vxlan", "--peers=192.168.50.12"],
    ["docker-opts", "--bridge=weave", "--fixed-cidr=10.2.1.0/24", "--mtu=1450"],
    ["docker-opts", "--state=restarted"],
  ]) {
    const { status, stdout, stderr } = await command(argv);
    assert.is(status, 0, stdout + stderr);
  }
  await host.exec(["docker", "run", "--detach", "--name=one", await busyboxImage(host), "sleep", "10000"]);
});
test.after(() => cluster.down());

const SUBCOMMANDS = { weave_bridge: "bridge", weave_service: "service", docker_bridge_opts: "docker-opts" } as const;

for (const { module } of MODULES) {
  const [subcommand, table] = [SUBCOMMANDS[module.name as keyof typeof SUBCOMMANDS], module.options as OptionTable];
  const names = Object.keys(table).filter((name) => table[name] !== optionNames);

  test(`each option of ${subcommand} is a case`, () => {
    assert.equal(Object.keys(CASES[subcommand] ?? {}), names);
  });

  for (const name of names) {
    test(`${subcommand} --${flagOf(name)} alone`, async () => {
      const { value, input = false, changes = [], says = [] } = CASES[subcommand]?.[name] ?? NO_CASE;
      const args = input ? ["--args=-"] : [`--${flagOf(name)}=${value}`];
      const run = await command([subcommand, "--check", ...args], input ? JSON.stringify({ [name]: value }) : "");
      const said = run.stdout + run.stderr;
      for (const each of says) assert.match(said, each, said);
      const lines = run.stdout.split("\n").filter((line) => !/^(would |ok: |Docker keeps |$)/.test(line));
      assert.equal(lines, changes, said);
    });
  }
}

test.run();
