import type { Host } from "../../core/host/host";
import type { Module } from "../../core/module";
import type { OptionTable, Values } from "../../core/options";

/**
 * What this host has in place of options that are not given, from the files of the last run or, without them, from what is live.
 * Only what is known is returned, and nothing where there is nothing yet.
 */
export type CurrentOptions<Table extends OptionTable> = (
  options: Values<Table>,
  given: ReadonlySet<string>,
  host: Host,
) => Partial<Values<Table>> | Promise<Partial<Values<Table>>>;

interface Completed<Table extends OptionTable, Observed> {
  readonly options: Values<Table>;
  readonly observed: Observed;
}

/**
 * A module by which an option that is not given stays as it is. For Ansible a task has all options, and one without a value means its
 * default; by hand, a forgotten --datapath must not take the VXLAN down.
 */
export function keepCurrent<Table extends OptionTable, Observed>(
  module: Module<Table, Observed>,
  given: ReadonlySet<string>,
  current: CurrentOptions<Table>,
): Module<Table, Completed<Table, Observed>> {
  return {
    name: module.name,
    options: module.options,
    observe: async (options, host, ifInTransition) => {
      const found = Object.entries(await current(options, given, host)).filter(([name]) => !given.has(name));
      const completed = { ...options, ...Object.fromEntries(found) };
      return { options: completed, observed: await module.observe(completed, host, ifInTransition) };
    },
    plan: (_, { options, observed }) => module.plan(options, observed),
    ...(module.shorten && { shorten: module.shorten }),
  };
}
