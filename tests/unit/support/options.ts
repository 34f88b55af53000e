import { type OptionTable, parseOptions, type Values } from "../../../modules/core/options";

/** Takes a table and what a task gives; returns the options' values as the module gets them. */
export function optionsOf<Table extends OptionTable>(table: Table, given: Record<string, unknown>): Values<Table> {
  return parseOptions("test", table, new Map(Object.entries(given)));
}
