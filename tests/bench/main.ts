import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { join } from "node:path";
import { ROOT } from "../e2e/playbook";
import { keepRaw, readRaw, render } from "./page";
import { PARTS } from "./parts";

/** `npm run bench`: measures every part, or those named, and makes docs/performance.md of all that was last measured. */
async function main(words: readonly string[]): Promise<void> {
  const unknown = words.find((word) => !PARTS.some(({ name }) => name === word));
  if (unknown !== undefined) {
    throw new Error(`there is no part "${unknown}": there are ${PARTS.map(({ name }) => name).join(", ")}`);
  }
  for (const part of PARTS.filter(({ name }) => words.length === 0 || words.includes(name))) {
    console.log(`\n${part.name}`);
    const samples = await part.measure((line) => console.log(`  ${line}`));
    keepRaw(part, { measured: new Date().toISOString().slice(0, 10), machine: machine(), samples });
    console.log(`\n${part.section(samples)}`);
  }
  for (const [path, content] of render(PARTS, readRaw)) writeFileSync(join(ROOT, path), content);
}

function machine(): string {
  const [ansible = ""] = execFileSync("ansible", ["--version"], { encoding: "utf8" }).split("\n");
  const version = /core ([\w.]+)/.exec(ansible)?.[1];
  const debian = readFileSync("/etc/debian_version", "utf8").trim();
  return `${cpus().length} cores (${cpus()[0]?.model.trim()}), Debian ${debian}, Linux ${release()}, ansible-core ${version}`;
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
