import { spawn } from "node:child_process";
import yargs from "yargs";
import { Cluster } from "./cluster";
import type { Host } from "./host";
import { commandOf } from "./processes";
import { exitStatus } from "./run";
import { otherOwner } from "./state";
import { SUITES, type Suite } from "./suites";

const DEFAULT_CLUSTER = "hosts";

const POWER: Readonly<Record<string, { describe: string; act: (host: Host) => Promise<void> }>> = {
  reboot: { describe: "Shut a host down in order and boot it again", act: (host) => host.reboot() },
  kill: { describe: "Pull a host's plug", act: (host) => host.kill() },
  boot: { describe: "Boot a host that is off", act: (host) => host.boot() },
  stop: { describe: "Shut a host down in order", act: (host) => host.stop() },
};

function parser(argv: readonly string[]) {
  const commands = yargs(argv)
    .scriptName("hosts")
    .usage("$0 COMMAND\n\nTest hosts on this machine, with systemd, Docker and an SSH server each.")
    .parserConfiguration({ "populate--": true })
    .option("cluster", {
      type: "string",
      requiresArg: true,
      describe: `The cluster that is meant (default: ${DEFAULT_CLUSTER})`,
    })
    .command(
      "up [count]",
      "Make a cluster and boot its hosts",
      (command) =>
        command.positional("count", { type: "number", default: 3, describe: "How many hosts" }).option("suite", {
          choices: SUITES,
          describe: "The Debian suite that they are made of (default: the machine's own)",
        }),
      ({ cluster, count, suite }) => up(cluster, count, suite),
    )
    .command(
      "exec <host>",
      "Run a program on a host: exec HOST -- PROGRAM ARGUMENT...",
      (command) => command.positional("host", { type: "string", demandOption: true }),
      ({ cluster, host, "--": program }) => execute(cluster, host, Array.isArray(program) ? program.map(String) : []),
    )
    .command(
      "shell <host>",
      "Open a shell on a host",
      (command) => command.positional("host", { type: "string", demandOption: true }),
      ({ cluster, host }) => execute(cluster, host, ["bash", "-l"]),
    )
    .command(
      "inventory",
      "Print the path of the Ansible inventory",
      (command) => command,
      ({ cluster }) => print(find(cluster).inventory),
    )
    .command("list", "List the clusters and their hosts", {}, list)
    .command(
      "down",
      "Take clusters down: all, or the one of --cluster",
      (command) =>
        command.option("force", { type: "boolean", default: false, describe: "Even if a running process uses it" }),
      ({ cluster, force }) => down(cluster, force),
    );
  for (const [name, { describe, act }] of Object.entries(POWER)) {
    commands.command(
      `${name} <host>`,
      describe,
      (command) => command.positional("host", { type: "string", demandOption: true }),
      ({ cluster, host }) => act(find(cluster).host(host)),
    );
  }
  return commands
    .demandCommand(1, 1, "there is no command")
    .strict()
    .version(false)
    .help()
    .fail((message: string | null, error: Error | undefined) => {
      throw error && error.name !== "YError" ? error : new Error(`${message ?? error?.message}: see --help`);
    });
}

async function up(name = DEFAULT_CLUSTER, count: number, suite: Suite | undefined): Promise<void> {
  if (Cluster.find(name)) {
    throw new Error(`the cluster "${name}" is up: use it, or run "npm run hosts -- down --cluster ${name}" first`);
  }
  const log = (line: string) => void process.stderr.write(`${line}\n`);
  const cluster = await Cluster.up(name, count, { log, ...(suite && { suite }) });
  print(cluster.inventory);
}

async function execute(name: string | undefined, hostName: string, program: string[]): Promise<void> {
  if (program.length === 0) throw new Error("there is no program to run: give it after the host and --");
  const { argv, environment } = find(name).host(hostName).command(program);
  const [file = "", ...args] = argv;
  const child = spawn(file, args, { stdio: "inherit", env: environment });
  // Ctrl-C is the program's: it is in the same process group and ends as it likes, and so do we then.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
  process.exitCode = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(exitStatus(code, signal)));
  });
}

function list(): void {
  for (const { name, suite, hosts } of Cluster.all()) {
    const owner = otherOwner(name);
    const state = Cluster.find(name) ? "up" : owner ? "being made or taken down" : "left over: take it down";
    print(
      `${name}: ${suite}, ${state}${owner ? `, in use by process ${owner.pid} (${commandOf(owner.pid).join(" ")})` : ""}`,
    );
    for (const host of hosts) print(`  ${host.name} ${host.address} ${host.isOn() ? "on" : "off"}`);
  }
}

async function down(name: string | undefined, force: boolean): Promise<void> {
  const clusters = Cluster.all().filter((cluster) => name === undefined || cluster.name === name);
  if (name !== undefined && clusters.length === 0)
    throw new Error(`there is no cluster "${name}": see "npm run hosts -- list"`);
  const downs = await Promise.allSettled(clusters.map((cluster) => cluster.down({ force })));
  const failures = downs.flatMap((result) => (result.status === "rejected" ? [messageOf(result.reason)] : []));
  if (failures.length > 0) throw new Error(`${failures.join("\n")}${force ? "" : ", or give --force"}`);
}

function find(name = DEFAULT_CLUSTER): Cluster {
  const cluster = Cluster.find(name);
  if (!cluster) {
    const option = name === DEFAULT_CLUSTER ? "" : ` --cluster ${name}`;
    throw new Error(`the cluster "${name}" is not up: run "npm run hosts -- up${option}"`);
  }
  return cluster;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

// Also what the parser itself throws, which it does at once, ends up as a rejection.
async function main(): Promise<void> {
  await parser(process.argv.slice(2)).parseAsync();
}

main().catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
});
