import * as assert from "uvu/assert";
import { bootHosts } from "../e2e/hosts";
import { ownInventory } from "../e2e/own_inventory";
import { ansiblePlaybook } from "../e2e/playbook";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { busyboxImage } from "../hosts/images";
import { installWeaveStandIn } from "../stand-ins/weave/install";
import { addressOf, firstReply, joinSwarm, makeOverlay, makeSwarm, runContainer } from "./network_paths";
import { table } from "./page";
import type { Part, Samples } from "./part";
import { barChart } from "./plot";
import { median, ratio, valuesOf } from "./statistics";

/** How long hosts take to join and to leave, beside builtin tasks and Docker Swarm. */
export const joining: Part = { name: "joining", measure, section, plots };

const FEW = 4;
const MANY = 10;
const FEW_ROUNDS = 3;
const MANY_ROUNDS = 1;

const ONE_JOINS = `host ${FEW} of ${FEW} joins`;
const ALL_JOIN = `${MANY} hosts join at once`;
const ONE_LEAVES = `host ${FEW} of ${FEW} leaves`;
const KINDS = [ONE_JOINS, ALL_JOIN, ONE_LEAVES];

/** One way to give hosts a common network. */
interface Side {
  readonly name: string;
  /** The Docker network that their containers are on. */
  readonly network: string;
  /** What hosts have beforehand. */
  readonly prepare?: (host: Host) => Promise<unknown>;
  /** Joins these hosts; the first so many are joined already. */
  readonly join: (cluster: Cluster, hosts: readonly Host[], joined: number) => Promise<void>;
  /** Has the last of these hosts leave; null if there is no way. */
  readonly leave: ((cluster: Cluster, hosts: readonly Host[]) => Promise<void>) | null;
}

const OWN: Side = {
  name: "the role",
  network: "bridge",
  join: (cluster, hosts) => play(cluster, hosts, ["site.yml"], ["weave_datapath=vxlan"]),
  leave: (cluster, hosts) => {
    const leaving = `weave_leaving=${hosts.at(-1)?.name}`;
    return play(cluster, hosts, ["playbooks/shrink.yml", "-e", leaving], ["weave_datapath=vxlan"]);
  },
};

const BUILTIN: Side = {
  name: "builtin tasks",
  network: "bridge",
  prepare: installWeaveStandIn,
  join: (cluster, hosts) => play(cluster, hosts, ["tests/bench/baseline/site.yml"]),
  leave: null,
};

const OVERLAY = "overlay";

const SWARM: Side = {
  name: "Swarm",
  network: OVERLAY,
  join: async (_, [manager, ...workers], joined) => {
    assert.ok(manager);
    if (joined > 0) {
      await Promise.all(workers.slice(joined - 1).map((worker) => joinSwarm(manager, worker)));
      return;
    }
    await makeSwarm(manager, ...workers);
    await makeOverlay(manager, OVERLAY);
  },
  leave: async (_, hosts) => {
    const [manager, last] = [hosts[0], hosts.at(-1)];
    assert.ok(manager && last);
    const { stdout: node } = await last.exec(["docker", "info", "--format", "{{.Swarm.NodeID}}"]);
    await last.exec(["docker", "swarm", "leave"]);
    await manager.exec(["docker", "node", "rm", "--force", node.trim()]);
  },
};

const SIDES = [OWN, BUILTIN, SWARM];

async function play(
  cluster: Cluster,
  hosts: readonly Host[],
  args: readonly string[],
  vars: readonly string[] = [],
): Promise<void> {
  const inventory = ownInventory(cluster, Object.fromEntries(hosts.map(({ name }) => [name, ""])), vars);
  const { status, output } = await ansiblePlaybook(inventory, args);
  assert.is(status, 0, output);
}

async function measure(log: (line: string) => void): Promise<Samples> {
  const samples: Record<string, number[]> = {};
  const keep = (kind: string, { name }: Side, seconds: number): void => {
    samples[`${kind}, ${name}`] = [...(samples[`${kind}, ${name}`] ?? []), seconds];
    log(`${kind}, ${name}: ${seconds.toFixed(1)} s`);
  };
  for (let round = 0; round < FEW_ROUNDS; round++) {
    for (const side of SIDES) {
      await onHosts(side, FEW, async (cluster) => {
        const { hosts } = cluster;
        await side.join(cluster, hosts.slice(0, -1), 0);
        await startFirst(side, hosts);
        keep(ONE_JOINS, side, await seconds(() => joinAndReach(side, cluster, FEW - 1)));
        const { leave } = side;
        if (leave !== null) keep(ONE_LEAVES, side, await seconds(() => leave(cluster, hosts)));
      });
    }
  }
  for (let round = 0; round < MANY_ROUNDS; round++) {
    for (const side of SIDES) {
      await onHosts(side, MANY, async (cluster) => {
        keep(ALL_JOIN, side, await seconds(() => joinAndReach(side, cluster, 0)));
      });
    }
  }
  return samples;
}

/** Boots fresh hosts that have what the side needs. */
async function onHosts({ prepare }: Side, count: number, work: (cluster: Cluster) => Promise<void>): Promise<void> {
  const cluster = await bootHosts(count);
  try {
    await Promise.all(
      cluster.hosts.map(async (host) => {
        await busyboxImage(host);
        await prepare?.(host);
      }),
    );
    await work(cluster);
  } finally {
    await cluster.down();
  }
}

const FIRST = "first";

async function startFirst({ network }: Side, [first]: readonly Host[]): Promise<void> {
  assert.ok(first);
  await runContainer(first, FIRST, network);
}

/** Joins the hosts, and starts a container on each new one that waits for a reply from the first host's. */
async function joinAndReach(side: Side, cluster: Cluster, joined: number): Promise<void> {
  const { hosts } = cluster;
  const [first, ...others] = hosts;
  assert.ok(first);
  await side.join(cluster, hosts, joined);
  if (joined === 0) await startFirst(side, hosts);
  const address = await addressOf(first, FIRST, side.network);
  const fresh = joined === 0 ? others : hosts.slice(joined);
  await Promise.all(fresh.map((host) => firstReply(host, side.network, address)));
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const started = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - started) / 1e9;
}

function section(samples: Samples): string {
  const roundsOf = (kind: string): number => samples[`${kind}, ${OWN.name}`]?.length ?? 0;
  const rows = KINDS.map((kind) => [
    kind,
    ...SIDES.flatMap((side) => {
      const [name, own] = [`${kind}, ${side.name}`, `${kind}, ${OWN.name}`];
      if (samples[name] === undefined) return ["–", "–"];
      const time = `${median(valuesOf(samples, name)).toFixed(1)} s`;
      return side === OWN ? [time] : [time, ratio(samples, own, name).toFixed(2)];
    }),
  ]);
  const head = SIDES.flatMap(({ name }) => (name === OWN.name ? [name] : [name, "ratio"]));
  return `## Hosts that join and leave

The time from "the host is in the inventory" until its containers answer: the play, and then on each new host a container that waits
for a reply from a container on the first host. Three ways are measured in turn, on fresh hosts each time (rounds of ${FEW} hosts: ${roundsOf(ONE_JOINS)}; of
${MANY}: ${roundsOf(ALL_JOIN)}). A ratio is the role's time divided by the other's.

- The role uses the VXLAN datapath, and runs site.yml, or shrink.yml for a host that leaves.
- The builtin tasks are those of the baseline, with the router's stand-in; they can't remove a host.
- Swarm is \`docker swarm join\` with an attachable overlay: commands that run on all hosts at the same time, without Ansible and SSH,
  on a Docker that nothing configures.

${table(["", ...head], rows)}

![Until a host's containers answer](performance/joining.svg)
`;
}

function plots(samples: Samples): Readonly<Record<string, string>> {
  const bars = KINDS.flatMap((kind) =>
    SIDES.filter(({ name }) => samples[`${kind}, ${name}`] !== undefined).map((side) => ({
      label: `${kind}, ${side.name}`,
      value: median(valuesOf(samples, `${kind}, ${side.name}`)),
      tint: side === OWN ? (0 as const) : (1 as const),
    })),
  );
  return { joining: barChart("Hosts that join and leave", bars, { unit: " s", digits: 1 }) };
}
