import type { SuiteResult } from "../tests/runner/suites";

const BEGIN = "<!-- From tests/suites.json, by the build: -->";
const END = "<!-- End of what the build writes. -->";

/** The page docs/support.md with the table of what a recorded run of the tests has passed. Throws where it has no place for it. */
export function renderSupport(page: string, results: readonly SuiteResult[]): string {
  const [before, rest] = page.split(`${BEGIN}\n`);
  const [, after] = rest?.split(`${END}\n`) ?? [];
  if (before === undefined || after === undefined) throw new Error(`docs/support.md must have "${BEGIN}" and "${END}"`);
  return `${before}${BEGIN}\n\n${table(results)}\n${END}\n${after}`;
}

function table(results: readonly SuiteResult[]): string {
  const row = (name: string, cell: (result: SuiteResult) => string): string =>
    `| ${[name, ...results.map(cell)].join(" | ")} |\n`;
  const tests = [...new Set(results.flatMap(({ passed }) => passed))];
  return [
    row("", ({ suite }) => suite),
    `| --- |${" --- |".repeat(results.length)}\n`,
    row("Docker", ({ docker }) => docker),
    row("systemd", ({ systemd }) => systemd),
    row("ansible-core", ({ ansible }) => ansible),
    ...tests.map((test) => row(test, ({ passed }) => (passed.includes(test) ? "passed" : "not tested"))),
  ].join("");
}
