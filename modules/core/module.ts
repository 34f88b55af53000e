import type { Change } from "./change";
import type { Host } from "./host/host";
import type { OptionTable, Values } from "./options";

/**
 * What an observation does if a service on the host is just starting or stopping: it waits for the end of that, or fails by
 * throwing InTransition. A run first observes without the lock, with "fail", and then under the lock, with "wait". So it waits at
 * most once.
 */
export type IfInTransition = "wait" | "fail";

/** A service is just starting or stopping, and the observation is not to wait. Never shown: the run observes again and waits. */
export class InTransition extends Error {}

/** A module. run_module.ts runs each of them in the same way. */
export interface Module<Table extends OptionTable, Observed> {
  readonly name: string;
  readonly options: Table;
  /** Reads the host and changes nothing. Throws a UserError if the host lacks what the options need. */
  readonly observe: (
    options: Values<Table>,
    host: Host,
    ifInTransition: IfInTransition,
  ) => Promise<Observed> | Observed;
  /**
   * Decides what to change. A pure function: it uses no file, process or clock. Throws a UserError if the options contradict
   * one another or don't fit the host.
   */
  readonly plan: (options: Values<Table>, observed: Observed) => Plan;
  /** Shortens one side of a diff, unless all of it is asked for. */
  readonly shorten?: (text: string, other: string) => string;
}

/** What a module would do on the host that it has observed. */
export interface Plan {
  /** All differences from the desired state, in the order in which they are to be changed. */
  readonly changes: readonly Change[];
  /** What the module returns besides the changes: values that hold once the changes are made. */
  readonly returns: Readonly<Record<string, unknown>>;
  readonly warnings?: readonly string[];
}

/** A module's documentation besides its options. The texts use ansible-doc's markup: C(code), I(option). */
export interface ModuleDocs {
  readonly short_description: string;
  readonly description: readonly string[];
  /** What the host must have. */
  readonly requirements: readonly string[];
  /** When a second run changes something; left out if it never does. */
  readonly not_idempotent?: string;
  /** Tasks, in YAML. */
  readonly examples: string;
  readonly returns: Returns;
}

/** The values that a module returns, by their names. */
export type Returns = Readonly<Record<string, Returned>>;

/** A value that a module returns. */
export interface Returned {
  readonly type: "str" | "int" | "bool" | "list" | "dict";
  /** The type of a list's elements. */
  readonly elements?: "str" | "dict";
  readonly description: string;
  /** When it is returned. */
  readonly returned: string;
  readonly sample?: unknown;
  /** The values in it, or in each of its elements. */
  readonly contains?: Returns;
}
