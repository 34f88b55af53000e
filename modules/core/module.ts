import type { Change } from "./change";
import type { Host } from "./host/host";
import type { OptionTable, Values } from "./options";

/** What a module is: options, observe, plan. How they are put to work is the same for all (run_module.ts). */
export interface Module<Table extends OptionTable, Observed> {
  readonly name: string;
  readonly options: Table;
  /** Reads the host, changes nothing. Throws a UserError where the host can't serve what is asked. */
  readonly observe: (options: Values<Table>, host: Host) => Promise<Observed> | Observed;
  /**
   * Decides: a pure function, with no file, process or clock in it. Throws a UserError where what is asked makes no sense
   * or does not fit what was observed.
   */
  readonly plan: (options: Values<Table>, observed: Observed) => Plan;
}

export interface Plan {
  /** All that differs from what is wanted, in the order in which it is to be changed. */
  readonly changes: readonly Change[];
  /** What the module returns beside the changes: values that hold once the changes are made. */
  readonly facts: Readonly<Record<string, unknown>>;
  readonly warnings?: readonly string[];
}
