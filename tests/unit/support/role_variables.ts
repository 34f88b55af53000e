import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { MODULES } from "../../../build/modules";
import { UserError } from "../../../modules/core/errors";
import { nameOptions, type OptionNames } from "../../../modules/core/option_names";
import { type OptionTable, parseOptions } from "../../../modules/core/options";

/** How the role's variables and the modules' options belong together. */

export type ModuleName = "weave_bridge" | "weave_service" | "docker_bridge_opts";

const vars = parse(readFileSync(join(__dirname, "../../../roles/weave/vars/main.yml"), "utf8")) as Readonly<
  Record<string, OptionNames>
>;
const NAMES: Readonly<Record<ModuleName, OptionNames>> = {
  weave_bridge: vars["__weave_bridge_option_names"] ?? {},
  weave_service: vars["__weave_service_option_names"] ?? {},
  docker_bridge_opts: vars["__weave_docker_option_names"] ?? {},
};

/** The role's variables by the module's option that each is passed as. */
export function variablesOf(module: ModuleName): [option: string, variable: string][] {
  const own = tableOf(module);
  return Object.entries(NAMES[module]).filter(([option, variable]) => option in own && /^weave_\w+$/.test(variable));
}

/** What a call of a module's code rejects, by the role's variables; "" if nothing. */
export function rejectedBy(module: ModuleName, call: () => unknown): string {
  try {
    call();
    return "";
  } catch (error) {
    if (error instanceof UserError) return nameOptions(error.message, NAMES[module]);
    throw error;
  }
}

/** What a module says of the values of options by themselves; "" if it accepts them. */
export function rejectedValues(module: ModuleName, values: Readonly<Record<string, unknown>>): string {
  return rejectedBy(module, () => parseOptions(module, tableOf(module), new Map(Object.entries(values))));
}

function tableOf(module: ModuleName): OptionTable {
  return MODULES.find((each) => each.module.name === module)?.module.options ?? {};
}

/** A sentence of the role about its host `a`, as a module says it, which does not know the host's name. */
export function withoutHost(message: string): string {
  return message.replace(/,? for a\)/g, ")");
}
