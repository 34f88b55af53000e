import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bootHosts } from "../e2e/hosts";
import { underNetworkd } from "../e2e/networkd";
import { ROOT } from "../e2e/playbook";
import type { Host } from "../hosts/host";
import { sampleBy } from "../runner/sample";
import { makeReady } from "./calls";
import { powerCutAt, recordPlay } from "./power_cut";
import { type Row, rowOf, rowOfOutcomes, withRows } from "./report";
import { PAIRS, SCENARIOS, type Scenario } from "./scenarios";
import { nameOf, type Outcome, recordRun, runWithFault } from "./trial";
import { race } from "./two_at_once";

/**
 * `npm run faults`: everything that can go wrong, on two hosts, and its figures into docs/reliability.md. With words, only
 * what has one of them in its name; the other figures there stay as they are. FAULTS_COUNT is for those in a hurry: so many
 * faults of each kind at most, chosen by FAULTS_SEED.
 */
const count = Number(process.env["FAULTS_COUNT"] ?? Number.POSITIVE_INFINITY);
const seed = Number(process.env["FAULTS_SEED"] ?? 1);
const POWER_CUTS = "power failure in a whole play";
const RACES = "two runs at once";
const DELAYS = [0, 0.05, 0.1, 0.2, 0.3, 0.5];

async function main(words: readonly string[]): Promise<void> {
  const isChosen = (name: string): boolean => words.length === 0 || words.some((word) => name.includes(word));
  const chosen = SCENARIOS.filter(({ name }) => isChosen(name));
  const cluster = await bootHosts(2);
  try {
    const [ifupdown, networkd] = cluster.hosts;
    if (!ifupdown || !networkd) throw new Error("there are no two hosts");
    await underNetworkd(networkd);
    await Promise.all([makeReady(ifupdown), makeReady(networkd)]);
    const onNetworkd = ({ network, name }: Scenario): boolean => network === "networkd" || name.startsWith("docker");
    await Promise.all([
      (async () => {
        for (const scenario of chosen) if (!onNetworkd(scenario)) record(await all(ifupdown, scenario));
        if (isChosen(RACES)) record(await races(ifupdown));
        if (isChosen(POWER_CUTS)) record(await cuts(ifupdown));
      })(),
      (async () => {
        for (const scenario of chosen) if (onNetworkd(scenario)) record(await all(networkd, scenario));
      })(),
    ]);
  } finally {
    await cluster.down();
  }
}

async function all(host: Host, scenario: Scenario): Promise<Row> {
  const recorded = await recordRun(host, scenario);
  const outcomes: Outcome[] = [];
  for (const fault of sampleBy(seed, recorded.faults, count)) {
    const outcome = await runWithFault(host, recorded, fault, outcomes.at(-1)?.untouched === true);
    reportFailure(`${scenario.name}: ${nameOf(fault)}`, outcome.wrong);
    outcomes.push(outcome);
  }
  return rowOfOutcomes(scenario.name, recorded.faults.length, outcomes);
}

async function cuts(host: Host): Promise<Row> {
  const play = await recordPlay(host);
  const wrong: string[][] = [];
  for (const { at, program } of sampleBy(seed, play.moments, count)) {
    const found = await powerCutAt(host, play, at);
    reportFailure(`power failure at program ${at}, ${program}`, found);
    wrong.push(found);
  }
  return rowOf(POWER_CUTS, play.moments.length, wrong);
}

async function races(host: Host): Promise<Row> {
  const wrong: string[][] = [];
  const known = PAIRS.flatMap((pair) => DELAYS.map((delay) => [pair, delay] as const));
  for (const [[name, first, second], delay] of sampleBy(seed, known, count)) {
    const found = await race(host, first, second, delay);
    reportFailure(`two at once, ${name}, ${delay} s`, found);
    wrong.push(found);
  }
  return rowOf(RACES, known.length, wrong);
}

function reportFailure(name: string, wrong: readonly string[]): void {
  if (wrong.length === 0) return;
  console.log(`${name}\n    ${wrong.slice(0, 20).join("\n    ")}`);
  process.exitCode = 1;
}

function record(row: Row): void {
  console.log(row.join("  "));
  const path = join(ROOT, "docs/reliability.md");
  writeFileSync(path, withRows(readFileSync(path, "utf8"), [row]));
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
