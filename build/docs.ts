import { stringify } from "yaml";
import type { Option } from "../modules/core/option";
import type { OptionTable } from "../modules/core/parse_options";

/** What a module's page says beside its options. The texts use ansible-doc's markup: C(code), I(option). */
export interface ModuleDocs {
  readonly short_description: string;
  readonly description: readonly string[];
  /** Tasks, in YAML. */
  readonly examples: string;
  readonly returns: Readonly<
    Record<string, { readonly type: string; readonly description: string; readonly sample: unknown }>
  >;
}

/** What holds for every module, as all are run by modules/core/run_module.ts. */
const ATTRIBUTES = {
  check_mode: { support: "full", description: "Predicts the very changes that a run makes." },
  diff_mode: { support: "full", description: "Shows files and live state alike, before and after." },
  idempotent: { support: "full", description: "A second run changes nothing." },
};

/** What every module returns, as modules/core/run_module.ts has it. */
const RETURNS: ModuleDocs["returns"] = {
  changes: {
    type: "list",
    description: "What was changed, or would be; left out where nothing is.",
    sample: ["bridge weave: mtu"],
  },
  disrupts: {
    type: "list",
    description: "What these changes interrupt, in words; left out where they interrupt nothing.",
    sample: ["Docker: its restart stops 3 containers"],
  },
  owed: {
    type: "list",
    description: "What makes those of the changes that the module only finds; left out where there are none.",
    sample: ["a restart of Docker"],
  },
};

/** Takes a module's name, options table and texts; returns the sidecar file that ansible-doc reads beside the module. */
export function renderSidecar(name: string, table: OptionTable, docs: ModuleDocs): string {
  const options = Object.entries(table).map(([option, row]) => [option, documentOption(row)]);
  const returns = Object.entries({ ...docs.returns, ...RETURNS }).map(([value, row]) => [
    value,
    { ...row, returned: "success" },
  ]);
  return stringify(
    {
      DOCUMENTATION: {
        module: name,
        short_description: docs.short_description,
        description: docs.description,
        options: Object.fromEntries(options),
        attributes: ATTRIBUTES,
        author: ["The apollo-weave authors"],
      },
      EXAMPLES: docs.examples,
      RETURN: Object.fromEntries(returns),
    },
    { lineWidth: 120, aliasDuplicateObjects: false },
  );
}

function documentOption({ type, description, required, default: value, choices }: Option<unknown>): object {
  return {
    type,
    ...(type === "list" && { elements: "str" }),
    description: [description],
    ...(required && { required }),
    ...(value !== null && { default: value }),
    ...(choices && { choices }),
  };
}
