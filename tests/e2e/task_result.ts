import type { Diff } from "../../modules/core/run_module";

/** What one task did on one host. */
export interface TaskResult {
  readonly host: string;
  readonly task: string;
  /** The module that did it, as the task names it. */
  readonly action: string;
  readonly outcome: "ok" | "failed" | "unreachable" | "skipped";
  readonly result: {
    readonly changed?: boolean;
    readonly diff?: Diff[] | Diff;
    readonly msg?: string;
    readonly [key: string]: unknown;
  };
}
