import type { Status } from "./status";
import { runsWithoutReport } from "./summarise";

const PREFIX = "apollo_weave_";

/** A gauge: its name, text, and value, or values by peer; one that is unknown or does not apply is left out. */
type Gauge = readonly [name: string, text: string, value: number | boolean | null | ReadonlyMap<string, number>];

/**
 * The status for node_exporter's textfile collector:
 * https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
export function renderMetrics(status: Status): string {
  return gauges(status)
    .map(([name, text, value]) => {
      const full = PREFIX + name;
      const samples = samplesOf(full, value);
      return samples.length === 0 ? "" : `# HELP ${full} ${text}\n# TYPE ${full} gauge\n${samples.join("")}`;
    })
    .join("");
}

function samplesOf(name: string, value: Gauge[2]): string[] {
  if (value === null) return [];
  if (typeof value !== "object") return [`${name} ${Number(value)}\n`];
  // Addresses have nothing to be escaped.
  return [...value].map(
    ([peer, each]) => `${name}{peer="${peer}"} ${each === Number.POSITIVE_INFINITY ? "+Inf" : each}\n`,
  );
}

function gauges({ bridge, datapath, peers, firewall, network, docker, router, ...status }: Status): Gauge[] {
  const connections = peers.filter(({ state }) => state !== null);
  // What is not there may be what could not be read.
  const absent = status.errors.length > 0 ? null : 0;
  const withoutDocker = status.dockerIsMissing ? 0 : null;
  return [
    [
      "bridge_up",
      "Whether the bridge is up and has an address.",
      bridge === null ? absent : bridge.up && bridge.addresses.length > 0,
    ],
    ["bridge_containers", "Number of Docker containers on the bridge.", bridge?.containers ?? absent],
    [
      "datapath_up",
      "Whether the VXLAN is up and attached to the bridge, or the router answers.",
      datapath?.kind === "vxlan"
        ? datapath.attached
        : router !== null || runsWithoutReport(status.service?.container) || absent,
    ],
    ["peers", "Number of other hosts that this one has tunnels or connections to.", peers.length || absent],
    [
      "peers_connected",
      "Number of peers whose connection is established. A VXLAN has no connections.",
      datapath?.kind === "router" ? connections.filter(({ state }) => state === "established").length : null,
    ],
    [
      "encrypted",
      "Whether WireGuard encrypts the VXLAN.",
      datapath?.kind === "vxlan" ? datapath.encryption !== null : null,
    ],
    [
      "peer_handshake_age_seconds",
      "Seconds since WireGuard's last handshake with the peer; +Inf if there was none.",
      new Map(
        peers.flatMap(({ address, wireguard }) =>
          wireguard ? [[address, wireguard.handshake ?? Number.POSITIVE_INFINITY]] : [],
        ),
      ),
    ],
    [
      "firewall_drops",
      "Number of kinds of needed traffic that this host's firewalls drop.",
      firewall?.drops.length ?? null,
    ],
    ["docker_running", "Whether Docker runs.", docker?.running ?? withoutDocker],
    [
      "docker_on_bridge",
      "Whether Docker runs with a network on the bridge.",
      docker === null ? withoutDocker : docker.running && network !== null,
    ],
    ["pending", "Number of pending actions, after which the host matches its own files.", status.pending.length],
    ["problems", "Number of problems: what is there and does not work.", status.problems.length],
    [
      "docker_restart_pending",
      "Whether Docker must restart to run with its configured options.",
      docker?.restartPending ?? null,
    ],
    ["errors", "Number of parts of the status that could not be read.", status.errors.length],
  ];
}
