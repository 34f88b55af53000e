import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { join } from "node:path";
import yargs from "yargs";
import { ROOT } from "../e2e/playbook";
import { readRaw, render, writeRaw } from "./page";
import { PARTS } from "./parts";

const NAMES = PARTS.map(({ name }) => name);

/** `npm run bench`: measures all or the named parts, and renders docs/performance.md from the last measurements. */
function main(argv: readonly string[]): unknown {
  return yargs(argv)
    .scriptName("npm run bench --")
    .command(
      "$0 [parts..]",
      "Measure, and write docs/performance.md and docs/performance/",
      (command) =>
        command.positional("parts", {
          type: "string",
          array: true,
          choices: NAMES,
          default: NAMES,
          describe: "The parts to measure",
        }),
      ({ parts }) => measure(parts),
    )
    .strict()
    .showHelpOnFail(false, "See npm run bench -- --help.")
    .version(false)
    .parse();
}

async function measure(names: readonly string[]): Promise<void> {
  for (const part of PARTS.filter(({ name }) => names.includes(name))) {
    console.log(`\n${part.name}`);
    const samples = await part.measure((line) => console.log(`  ${line}`));
    writeRaw(part, { measured: new Date().toISOString().slice(0, 10), machine: machine(), samples });
    console.log(`\n${part.section(samples)}`);
    for (const [path, content] of render(PARTS, readRaw)) writeFileSync(join(ROOT, path), content);
  }
}

function machine(): string {
  const [ansible = ""] = execFileSync("ansible", ["--version"], { encoding: "utf8" }).split("\n");
  const version = /core ([\w.]+)/.exec(ansible)?.[1];
  const debian = readFileSync("/etc/debian_version", "utf8").trim();
  return `${cpus().length} cores (${cpus()[0]?.model.trim()}), Debian ${debian}, Linux ${release()}, ansible-core ${version}`;
}

main(process.argv.slice(2));
