import { readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bootHosts } from "../e2e/hosts";
import { ansiblePlaybook, ROOT } from "../e2e/playbook";
import { type ModuleName, moduleSource } from "../faults/module";
import type { Host } from "../hosts/host";
import { installWeaveStandIn } from "../stand-ins/weave/install";
import { table } from "./page";
import type { Part, Samples } from "./part";
import { barChart } from "./plot";
import { median, ratio, valuesOf } from "./statistics";

/** A module by itself, on a host where there is nothing to do. */
export const modules: Part = { name: "modules", measure, section, plots };

const ROUNDS = 40;
const LIBRARY = join(ROOT, "roles/weave/library");

interface Call {
  readonly name: string;
  readonly module: ModuleName;
  readonly datapath: "vxlan" | "router";
  readonly options: Readonly<Record<string, unknown>>;
}

const PEERS = "192.168.50.11,192.168.50.12";
const bridge = (datapath: Call["datapath"], host: number) => ({
  host_index: host,
  datapath,
  peers: PEERS,
  underlay: `192.168.50.1${host}`,
});
const docker = (mtu: number) => ({ bridge: "weave", fixed_cidr: "10.2.1.0/24", bridge_address: "10.2.0.1/16", mtu });
const CALLS: readonly Call[] = [
  { name: "weave_bridge, vxlan", module: "weave_bridge", datapath: "vxlan", options: bridge("vxlan", 1) },
  { name: "weave_bridge, router", module: "weave_bridge", datapath: "router", options: bridge("router", 2) },
  { name: "docker_bridge_opts", module: "docker_bridge_opts", datapath: "vxlan", options: docker(1450) },
  { name: "weave_service", module: "weave_service", datapath: "router", options: { mtu: 1500, peers: PEERS } },
];

const NODE = "node -e 0";
/** What no module can do without: files, and programs to be run. */
const NEEDED = 'node -e \'require("fs"); require("child_process")\'';
const OWN_NODE = 'require("fs"); require("child_process")';

async function measure(log: (line: string) => void): Promise<Samples> {
  const cluster = await bootHosts(2);
  try {
    const hosts = { vxlan: cluster.host("apollo1"), router: cluster.host("apollo2") };
    await installWeaveStandIn(hosts.router);
    const samples: Record<string, readonly number[]> = {};
    for (const datapath of ["vxlan", "router"] as const) {
      log(`${datapath}: the role`);
      const host = hosts[datapath];
      const play = ["site.yml", "--limit", host.name, "--extra-vars", `weave_datapath=${datapath}`];
      const run = await ansiblePlaybook(cluster.inventory, play);
      if (run.status !== 0) throw new Error(run.output);
      const calls = CALLS.filter((call) => call.datapath === datapath);
      for (const call of calls) samples[`${call.name}: programs`] = [await putThere(host, call)];
      log(`${datapath}: ${ROUNDS} rounds`);
      const commands = Object.fromEntries(calls.map((call) => [call.name, ["node", pathOf(call)]]));
      const times = await cpuTimes(host, {
        [NODE]: ["node", "-e", "0"],
        [NEEDED]: ["node", "-e", OWN_NODE],
        ...commands,
      });
      // Each call's own `node -e 0`, measured in turn with it.
      for (const { name } of calls) samples[`${name}: ${NODE}`] = valuesOf(times, NODE);
      for (const { name } of calls) samples[`${name}: ${NEEDED}`] = valuesOf(times, NEEDED);
      for (const { name } of calls) samples[name] = valuesOf(times, name);
    }
    for (const { module } of CALLS) samples[`${module}: bytes`] = [statSync(join(LIBRARY, module)).size];
    return samples;
  } finally {
    await cluster.down();
  }
}

function pathOf({ module }: Call): string {
  return `/root/${module}.js`;
}

/** Puts a call on its host, sees that it has nothing to do there, and returns how many programs it starts. */
async function putThere(host: Host, call: Call): Promise<number> {
  await host.write(pathOf(call), moduleSource(call.module, call.options));
  const log = join(tmpdir(), `apollo-weave-bench-${process.pid}`);
  try {
    const tracer = ["strace", "-f", "-o", log, "-e", "trace=execve"];
    const { stdout } = await host.exec(["node", pathOf(call)], { tracer, check: false });
    if (!stdout.includes('"changed":false')) throw new Error(`${call.name} has something to do: ${stdout}`);
    // The first two are strace's own way in, and node.
    return (readFileSync(log, "utf8").match(/execve\(.*\) = 0$/gm)?.length ?? 0) - 2;
  } finally {
    rmSync(log, { force: true });
  }
}

async function cpuTimes(host: Host, commands: Readonly<Record<string, readonly string[]>>): Promise<Samples> {
  await host.write("/root/cpu_times.py", readFileSync(join(__dirname, "cpu_times.py"), "utf8"));
  const input = JSON.stringify({ warm_up: 1, rounds: ROUNDS, commands });
  const { stdout } = await host.exec(["python3", "/root/cpu_times.py"], { input, timeoutSeconds: 300 });
  return JSON.parse(stdout) as Samples;
}

function section(samples: Samples): string {
  const rows = CALLS.map(({ name, module }) => {
    const [toNode, toNeeded] = [ratio(samples, name, `${name}: ${NODE}`), ratio(samples, name, `${name}: ${NEEDED}`)];
    return [
      name,
      toNode.toFixed(2),
      toNeeded.toFixed(2),
      String(median(valuesOf(samples, `${name}: programs`))),
      `${(median(valuesOf(samples, `${module}: bytes`)) / 1000).toFixed(1)} kB`,
    ];
  });
  const [{ name: first } = { name: "" }] = CALLS;
  const floor = ratio(samples, `${first}: ${NEEDED}`, `${first}: ${NODE}`);
  return `## A module alone

A run that has nothing to do, ${ROUNDS} times, on a host: CPU time (user and system) with the programs that it starts, against
that of \`${NODE}\` beside it. Targets: at most 1.25 times that, one program, 60 kB.

${table(["module", `× \`${NODE}\``, "× Node with what a module needs of it", "programs", "bundle"], rows)}

![CPU time of a module that has nothing to do](performance/modules.svg)

Node that does no more than load what a module needs of it, files and programs (\`${OWN_NODE}\`), takes ${floor.toFixed(2)}
times \`${NODE}\` already.`;
}

function plots(samples: Samples): Record<string, string> {
  const bars = CALLS.map(({ name }) => ({ label: name, value: ratio(samples, name, `${name}: ${NODE}`) }));
  const [{ name: first } = { name: "" }] = CALLS;
  const needed = {
    label: "Node, files and programs",
    value: ratio(samples, `${first}: ${NEEDED}`, `${first}: ${NODE}`),
  };
  const title = `CPU time of a module that has nothing to do, in times of ${NODE}`;
  return { modules: barChart(title, [...bars, { ...needed, tint: 1 }], { target: 1.25 }) };
}
