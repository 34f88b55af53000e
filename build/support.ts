import type { SuiteResult } from "../tests/runner/suites";

const BEGIN = "<!-- From tests/suites.json, by the build: -->";
const END = "<!-- End of what the build writes. -->";

/** The page docs/support.md with the table of what a recorded run of the tests has passed. Throws where it has no place for it. */
export function renderSupport(page: string, results: readonly SuiteResult[]): string {
  return withPart(page, BEGIN, END, `\n${table(results)}\n`);
}

/** A text with a part between these two lines replaced. Throws where it does not have both. */
export function withPart(text: string, begin: string, end: string, part: string): string {
  const [before, rest] = text.split(`${begin}\n`);
  const [, after] = rest?.split(`${end}\n`) ?? [];
  if (before === undefined || after === undefined) throw new Error(`a text must have "${begin}" and "${end}"`);
  return `${before}${begin}\n${part}${end}\n${after}`;
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
    results.some(({ others }) => others !== undefined)
      ? row("other tests on hosts", ({ others }) => (others ? `${others.passed} of ${others.of} passed` : "not tested"))
      : "",
  ].join("");
}
