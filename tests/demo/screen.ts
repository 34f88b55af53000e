import type { Diff } from "../../modules/core/run_module";
import type { Reach, Service } from "../e2e/services";

const colours = process.stdout.isTTY === true && process.env["NO_COLOR"] === undefined;
const paint = (code: number, text: string): string => (colours ? `\x1b[${code}m${text}\x1b[0m` : text);
const started = Date.now();

export function heading(text: string): void {
  console.log(`\n${paint(1, text)}`);
}

export function detail(text: string): void {
  console.log(`   ${text}`);
}

/** A claim that was checked and is true, with the seconds since the start. */
export function passed(text: string): void {
  console.log(`   ${paint(32, "✓")} ${text} ${paint(2, `(${((Date.now() - started) / 1000).toFixed(0)} s)`)}`);
}

/** Shows a diff as Ansible does, without its headers. */
export function showDiff({ after_header, before, after }: Diff): void {
  detail(`  ${paint(1, after_header)}`);
  const [old, expected] = [before.split("\n"), after.split("\n")];
  for (const line of old.filter((text) => text !== "" && !expected.includes(text)))
    detail(`    ${paint(31, `- ${line}`)}`);
  for (const line of expected.filter((text) => text !== "" && !old.includes(text)))
    detail(`    ${paint(32, `+ ${line}`)}`);
}

/** Shows who reached whom: a row for each host and container, a column for each service. */
export function showMatrix(services: readonly Service[], reached: readonly Reach[]): void {
  const names = [...new Set(reached.map(({ from }) => from))];
  const label = (from: string): string => {
    const service = services.find(({ name }) => name === from);
    return service ? `container ${from} ${service.address}` : `host ${from}`;
  };
  const first = Math.max(...names.map((name) => label(name).length)) + 2;
  const row = (title: string, cells: readonly string[]): string =>
    title.padEnd(first) + cells.map((cell) => cell.padEnd(11)).join("");
  detail(
    row(
      "from \\ to port 8080 of",
      services.map(({ name }) => name),
    ),
  );
  detail(
    row(
      "",
      services.map(({ address }) => address),
    ),
  );
  for (const name of names) {
    const cells = services.map(({ name: to }) => {
      const reach = reached.find((candidate) => candidate.from === name && candidate.to.name === to);
      return reach?.ok ? "ok" : "BLOCKED";
    });
    detail(row(label(name), cells));
  }
}
