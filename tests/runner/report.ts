import { SUITES } from "../hosts/suites";
import { writeDurations } from "./durations";
import type { Run } from "./queue";
import { type SuiteResult, suiteOfAny, suiteResults, suiteTable, writeRecord } from "./suites";
import type { Outcome } from "./test_file";

/** What is printed and recorded of the test files that have run. */
export class Report {
  private passed = 0;
  private failed = 0;
  private readonly durations: Record<string, number> = {};
  private readonly suites: SuiteResult[] = [];
  private readonly others: Record<string, NonNullable<SuiteResult["others"]>> = {};

  /** `all`: each file for hosts of any suite is run on the other suites, too. */
  constructor(private readonly all: boolean) {}

  /** Prints a file's result, with its output where something failed. Returns how it is to be repeated. */
  add({ path, suite }: Run, { passed, failed, output, seconds }: Outcome): Run[] {
    this.passed += passed;
    this.failed += failed;
    if (failed === 0 && suite === null) this.durations[path] = seconds;
    this.suites.push(...suiteResults(output));
    const result = `${passed} passed, ${failed} failed  ${seconds.toFixed(1)} s`;
    console.log(`${failed > 0 ? "FAIL" : "ok  "}  ${suite === null ? path : `${path} (${suite})`}  ${result}`);
    if (failed > 0) console.log(output);

    const ofAny = suite ?? suiteOfAny(output);
    if (!this.all || ofAny === null) return [];
    const before = this.others[ofAny] ?? { passed: 0, of: 0 };
    this.others[ofAny] = { passed: before.passed + passed, of: before.of + passed + failed };
    return suite === null ? SUITES.filter((each) => each !== ofAny).map((each) => ({ path, suite: each })) : [];
  }

  /** Prints the closing table and the line "N passed, N failed". Returns the exit status. */
  close(isWhole: boolean, isRecorded: boolean): number {
    const status = this.failed === 0 && isWhole ? 0 : 1;
    const suites = this.suites.map((result) => {
      const others = this.others[result.suite];
      return others === undefined ? result : { ...result, others };
    });
    if (status === 0 && isRecorded) {
      writeDurations(this.durations, "checked-in");
      writeRecord(suites);
    }
    if (!this.all) writeDurations(this.durations, "here");
    for (const line of suiteTable(suites)) console.log(line);
    console.log(`${this.passed} passed, ${this.failed} failed`);
    return status;
  }
}
