import { readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bootHosts } from "../e2e/hosts";
import { type ModuleName, moduleSource } from "../e2e/module";
import { ansiblePlaybook, ROOT } from "../e2e/playbook";
import type { Host } from "../hosts/host";
import { installWeaveStandIn } from "../stand-ins/weave/install";
import { table } from "./page";
import type { Aim, Part, Samples } from "./part";
import { barChart } from "./plot";
import { median, ratio, valuesOf } from "./statistics";

/** A module alone, on a host with nothing to do. */
export const modules: Part = { name: "modules", measure, section, aims, plots };

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
const DOCKER = { bridge: "weave", fixed_cidr: "10.2.1.0/24", bridge_address: "10.2.0.1/16", mtu: 1450 };
const CALLS: readonly [Call, ...Call[]] = [
  { name: "weave_bridge, vxlan", module: "weave_bridge", datapath: "vxlan", options: bridge("vxlan", 1) },
  { name: "weave_bridge, router", module: "weave_bridge", datapath: "router", options: bridge("router", 2) },
  { name: "docker_bridge_opts", module: "docker_bridge_opts", datapath: "vxlan", options: DOCKER },
  { name: "weave_service", module: "weave_service", datapath: "router", options: { peers: PEERS } },
];

/** Measured in turn with a call that has nothing to do. */
const NODE = "node -e 0";
/** What every module needs: files, and programs to run. */
const NEEDED = "files and programs";
/** The minimum for a module that runs a program. */
const FLOOR = "runs a program";
/** The module with an invalid option, so that it observes nothing. */
const REFUSED = "refused";
/** The programs that it starts, alone. */
const PROGRAMS = "its programs";
const BESIDE = [NODE, NEEDED, FLOOR, REFUSED, PROGRAMS] as const;

const REQUIRES = 'require("fs"); require("child_process")';
const RUNS_ONE = 'require("child_process").spawnSync("true")';
const TARGET = 1.25;
const MOST_PROGRAMS = 1;
const MOST_BYTES = 128_000;

async function measure(log: (line: string) => void): Promise<Samples> {
  const cluster = await bootHosts(2);
  try {
    const hosts = { vxlan: cluster.host("apollo1"), router: cluster.host("apollo2") };
    await installWeaveStandIn(hosts.router);
    const samples: Record<string, readonly number[]> = {};
    for (const [datapath, host] of Object.entries(hosts)) {
      log(`${datapath}: the role`);
      const play = ["site.yml", "--limit", host.name, "--extra-vars", `weave_datapath=${datapath}`];
      const run = await ansiblePlaybook(cluster.inventory, play);
      if (run.status !== 0) throw new Error(run.output);
      for (const call of CALLS.filter((each) => each.datapath === datapath)) {
        log(`${call.name}: ${ROUNDS} rounds`);
        const programs = await putThere(host, call);
        const times = await cpuTimes(host, {
          [call.name]: ["node", pathOf(call)],
          [NODE]: ["node", "-e", "0"],
          [NEEDED]: ["node", "-e", REQUIRES],
          [FLOOR]: ["node", "-e", RUNS_ONE],
          [REFUSED]: ["node", refusedPathOf(call)],
          [PROGRAMS]: ["sh", "-c", programs.join("; ")],
        });
        samples[call.name] = valuesOf(times, call.name);
        for (const name of BESIDE) samples[beside(call, name)] = valuesOf(times, name);
        samples[`${call.name}: programs`] = [programs.length];
        samples[`${call.name}: bytes`] = [statSync(join(LIBRARY, call.module)).size];
      }
    }
    return samples;
  } finally {
    await cluster.down();
  }
}

const beside = ({ name }: Call, what: (typeof BESIDE)[number]): string => `${name}: ${what}`;
const pathOf = ({ module }: Call): string => `/root/${module}.js`;
const refusedPathOf = ({ module }: Call): string => `/root/${module}-refused.js`;

/** Copies a call to its host, checks that it has nothing to do, and returns the programs that it starts as shell commands. */
async function putThere(host: Host, call: Call): Promise<string[]> {
  await host.write(pathOf(call), moduleSource(call.module, call.options));
  const asSuccess = 'process.on("exit", () => (process.exitCode = 0));\n';
  const refused = moduleSource(call.module, { ...call.options, no_such_option: 1 }).replace(/^#!.*\n/, asSuccess);
  await host.write(refusedPathOf(call), refused);
  const log = join(tmpdir(), `apollo-weave-bench-${process.pid}`);
  try {
    const tracer = ["strace", "-f", "-s", "999", "-o", log, "-e", "trace=execve"];
    const { stdout } = await host.exec(["node", pathOf(call)], { tracer, check: false });
    if (!stdout.includes('"changed":false')) throw new Error(`${call.name} has something to do: ${stdout}`);
    const started = [...readFileSync(log, "utf8").matchAll(/execve\("[^"]*", \[(.*?)\], .*\) = 0$/gm)];
    // The first two enter the host and start node.
    return started.slice(2).map(([, argv = ""]) => argv.replaceAll('", "', '" "'));
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
  const of = (call: Call, what: (typeof BESIDE)[number]): number =>
    ratio(samples, beside(call, what), beside(call, NODE));
  const rows = CALLS.map((call) => {
    const [needed, refused, programs] = [of(call, NEEDED), of(call, REFUSED), of(call, PROGRAMS)];
    const whole = ratio(samples, call.name, beside(call, NODE));
    return [
      call.name,
      whole.toFixed(2),
      (needed - 1).toFixed(2),
      (refused - needed).toFixed(2),
      programs.toFixed(2),
      (whole - refused - programs).toFixed(2),
      String(median(valuesOf(samples, `${call.name}: programs`))),
      `${(median(valuesOf(samples, `${call.name}: bytes`)) / 1000).toFixed(1)} kB`,
    ];
  });
  const head = ["module", "whole", "Node.js's files and programs", "the file, its options", "programs", "the rest"];
  return `## A module alone

Each module runs ${valuesOf(samples, CALLS[0].name).length} times on a host where it has nothing to do. The figures are CPU time (user and system, including
the programs that the module starts) as a multiple of \`${NODE}\` with Debian's Node.js, measured in turn. The targets are at most
${TARGET}, one program, and ${MOST_BYTES / 1000} kB.

${table([...head, "started", "bundle"], rows)}

![CPU time of a module that has nothing to do](performance/modules.svg)

The whole is 1 for \`${NODE}\` itself, plus these parts:

- Node.js loads its modules for files and programs (\`${REQUIRES}\`), which every module needs.
- It reads and compiles the module and checks its options, as in a call with an invalid option.
- The programs run.
- The rest is observing, planning, printing, and Node.js's own work to start each program and to speak HTTP.

A Node.js that starts one program that does nothing (\`${RUNS_ONE}\`) takes ${floor(samples).toFixed(2)}. That is the
minimum for a module that needs a program.

weave_bridge starts programs because only \`ip\` reports the devices, rules and routes of all tables, only \`bridge\` a VXLAN's
forwarding entries, only \`iptables\` the firewall's rules, and only \`systemctl\` the states of units. weave_service starts
\`systemctl\` for its unit, and \`ethtool\` for the TX checksum offload of the router's port, which the kernel reports only by ioctl(2).
[decisions/speed.md](decisions/speed.md) says what was done about all this.`;
}

function aims(samples: Samples): Aim[] {
  return CALLS.flatMap((call) => aimsOf(call, samples));
}

function aimsOf(call: Call, samples: Samples): Aim[] {
  const of = (what: string): number => median(valuesOf(samples, `${call.name}: ${what}`));
  return [
    { what: `${call.name}, CPU time`, value: ratio(samples, call.name, beside(call, NODE)), target: TARGET },
    { what: `${call.name}, programs`, value: of("programs"), target: MOST_PROGRAMS },
    { what: `${call.name}, bytes`, value: of("bytes"), target: MOST_BYTES },
  ];
}

function floor(samples: Samples): number {
  return median(CALLS.map((call) => ratio(samples, beside(call, FLOOR), beside(call, NODE))));
}

function plots(samples: Samples): Record<string, string> {
  const bars = CALLS.map((call) => ({ label: call.name, value: ratio(samples, call.name, beside(call, NODE)) }));
  const title = `CPU time of a module that has nothing to do, as a multiple of ${NODE}`;
  return {
    modules: barChart(
      title,
      [...bars, { label: "Node.js, running a program that does nothing", value: floor(samples), tint: 1 }],
      {
        target: TARGET,
      },
    ),
  };
}
