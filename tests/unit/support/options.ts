import { type OptionTable, parseOptions, type Values } from "../../../modules/core/options";

/** The options' values as a module gets them from a task with these arguments. */
export function optionsOf<Table extends OptionTable>(table: Table, given: Record<string, unknown>): Values<Table> {
  return parseOptions("test", table, new Map(Object.entries(given)));
}
