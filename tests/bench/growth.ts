import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bootHosts } from "../e2e/hosts";
import { ownInventory } from "../e2e/own_inventory";
import { ansiblePlaybook, ROOT } from "../e2e/playbook";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { table } from "./page";
import type { Aim, Part, Samples } from "./part";
import { barChart } from "./plot";
import { median, valuesOf } from "./statistics";

/** The controller's CPU time per host, for growing clusters. */
export const growth: Part = { name: "growth", measure, section, aims, plots };

const REAL = [3, 10, 30];
const LISTED = [10, 100, 1000];
const LAST = Math.max(...LISTED);
const TARGET = 1.2;
const ROUNDS = 3;

async function measure(log: (line: string) => void): Promise<Samples> {
  const samples: Record<string, readonly number[]> = {};
  const keep = (name: string, values: readonly number[]): void => {
    samples[name] = values;
    log(`${name}: ${values.map((value) => value.toFixed(3)).join(", ")}`);
  };
  const most = Math.max(...REAL);
  const cluster = await bootHosts(most);
  try {
    for (const count of REAL) {
      const inventory = ownInventory(cluster, hostsUpTo(cluster, count));
      const play = ["site.yml", "--extra-vars", "weave_datapath=vxlan"];
      const first = await ansiblePlaybook(inventory, play);
      if (first.status !== 0) throw new Error(first.output);
      const command = ["ansible-playbook", "-i", inventory, ...play];
      keep(
        real(count),
        cpuSeconds(command, ROUNDS).map((seconds) => seconds / count),
      );
    }
  } finally {
    await cluster.down();
  }
  const one = await bootHosts(1);
  try {
    await addAddresses(one.host("apollo1"));
    for (const count of LISTED) keep(listed(count), onListed(one.host("apollo1"), count));
  } finally {
    await one.down();
  }
  return samples;
}

const real = (count: number): string => `real hosts, second run, ${count}: CPU seconds a host`;
const listed = (count: number): string => `listed hosts, check, ${count}: the controller's CPU seconds a host`;

function hostsUpTo({ hosts }: Cluster, count: number): Record<string, string> {
  return Object.fromEntries(hosts.slice(0, count).map(({ name }) => [name, ""]));
}

/** The underlay address of number N of the listed hosts, all of which are one test host. */
const address = (number: number): string => `10.200.${number >> 8}.${number & 255}`;

/** A MAC address for each, as all of them have the test host's machine-id, which the role rejects in clones. */
const mac = (number: number): string => `02:00:00:00:${hex(number >> 8)}:${hex(number & 255)}`;
const hex = (byte: number): string => byte.toString(16).padStart(2, "0");

async function addAddresses(host: Host): Promise<void> {
  const numbers = Array.from({ length: LAST }, (_, index) => index + 1);
  const batch = numbers.map((number) => `addr add ${address(number)}/32 dev eth0`).join("\n");
  await host.exec(["ip", "-batch", "-"], { input: batch });
}

/** The controller's CPU time without that of the test host. */
function onListed(host: Host, count: number): number[] {
  const directory = mkdtempSync(join(tmpdir(), "apollo-weave-bench-"));
  try {
    const lines = Array.from(
      { length: count },
      (_, index) => `host${index + 1} ansible_host=${address(index + 1)} weave_mac=${mac(index + 1)}`,
    );
    const vars = [
      "ansible_connection=local",
      `ansible_become_exe=${join(__dirname, "on_host.sh")}`,
      "ansible_become_flags=",
      "weave_network=10.64.0.0/12",
      "weave_datapath=vxlan",
    ];
    const inventory = join(directory, "inventory.ini");
    writeFileSync(inventory, ["[weave_servers]", ...lines, "[weave_servers:vars]", ...vars].join("\n"));
    const times = join(directory, "times");
    const env = {
      ANSIBLE_PIPELINING: "true",
      ANSIBLE_BECOME_ALLOW_SAME_USER: "true", // The controller's user is root, as on the host.
      ENTER: host.command([]).argv.join(" "),
      TIMES: times,
    };
    // The longer ones take minutes, so one run is enough.
    const rounds = count === LISTED[0] ? ROUNDS : 1;
    const total = cpuSeconds(["ansible-playbook", "-i", inventory, "site.yml", "--check"], rounds, env);
    const onHost = sumOfTimes(readFileSync(times, "utf8")) / rounds;
    return total.map((seconds) => (seconds - onHost) / count);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function cpuSeconds(command: readonly string[], rounds: number, env: Record<string, string> = {}): readonly number[] {
  const { status, stdout, stderr } = spawnSync("python3", [join(__dirname, "cpu_times.py")], {
    cwd: ROOT,
    encoding: "utf8",
    env: { ...process.env, ...env },
    input: JSON.stringify({ warm_up: 0, rounds, commands: { it: command } }),
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(stderr.slice(-4000));
  return valuesOf(JSON.parse(stdout) as Samples, "it").map((milliseconds) => milliseconds / 1000);
}

/** The sum, in seconds, of lines that bash's `times` prints, such as "0m0.002s 0m0.001s 0m0.100s 0m0.020s". */
function sumOfTimes(text: string): number {
  const all = [...text.matchAll(/(\d+)m([\d.]+)s/g)];
  return all.reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0);
}

function section(samples: Samples): string {
  const of = (name: string): number => median(valuesOf(samples, name));
  const row = (name: (count: number) => string, first: number) => (count: number) => [
    String(count),
    of(name(count)).toFixed(2),
    (of(name(count)) / of(name(first))).toFixed(2),
  ];
  const head = ["hosts", "CPU seconds per host", "× first row"];
  return `## Growth

What one more host costs, in CPU time of the controller. The first table is about runs that have nothing to do, over SSH, on test
hosts, whose own work is not counted: the median of ${valuesOf(samples, real(REAL[0] ?? 0)).length} runs each.

${table(head, REAL.map(row(real, REAL[0] ?? 0)))}

The second table is about checks of long inventories. Up to ${LAST} names, each with its own underlay address, lead to one test host by
a local connection; every host is fresh and gets an index. The time that the modules take on the host is subtracted. The first row is
the median of ${valuesOf(samples, listed(LISTED[0] ?? 0)).length} runs, which took ${rangeOf(samples)} s, the others are one run each. The target is at most
${TARGET} times the first row with ${LAST} hosts.

${table(head, LISTED.map(row(listed, LISTED[0] ?? 0)))}

![The controller's CPU time per host](performance/growth.svg)`;
}

function rangeOf(samples: Samples): string {
  const first = valuesOf(samples, listed(LISTED[0] ?? 0));
  return [Math.min(...first), Math.max(...first)].map((seconds) => seconds.toFixed(2)).join(" to ");
}

function aims(samples: Samples): Aim[] {
  const [first, last] = [LISTED[0] ?? 0, LAST].map((count) => median(valuesOf(samples, listed(count))));
  return [{ what: `CPU time per host in a check of ${LAST} hosts`, value: (last ?? 0) / (first ?? 1), target: TARGET }];
}

function plots(samples: Samples): Record<string, string> {
  const bars = LISTED.map((count) => ({ label: `${count} hosts`, value: median(valuesOf(samples, listed(count))) }));
  const [first] = bars;
  return {
    growth: barChart("The controller's CPU time per host, in a check", bars, {
      unit: " s",
      target: Number(((first?.value ?? 0) * TARGET).toFixed(2)),
    }),
  };
}
