import { stringify } from "yaml";
import type { Option, OptionTable } from "../modules/core/options";

/** What a module's page says beside its options. The texts use ansible-doc's markup: C(code), I(option). */
export interface ModuleDocs {
  readonly short_description: string;
  readonly description: readonly string[];
  /** What the host needs for it. */
  readonly requirements: readonly string[];
  /** When a second run does change something; left out where it never does. */
  readonly not_idempotent?: string;
  /** Tasks, in YAML. */
  readonly examples: string;
  readonly returns: Returns;
}

export type Returns = Readonly<Record<string, Returned>>;

/** A value that a module returns. */
export interface Returned {
  readonly type: "str" | "int" | "bool" | "list" | "dict";
  /** Of which type a list's elements are. */
  readonly elements?: "str" | "dict";
  readonly description: string;
  /** When it is returned. */
  readonly returned: string;
  readonly sample?: unknown;
  /** The values in it, or in each of its elements. */
  readonly contains?: Returns;
}

/** What every module needs, as its first line and its way of being sent have it. */
const REQUIREMENTS = [
  "Node.js 16 or newer on the host: C(/usr/bin/node), or the one that the variable C(ansible_node_interpreter) names",
  "root's rights on the host, by C(become) where the connection has others",
];

/** Names and wording are those of Ansible's own modules and of its community's collections. */
const ATTRIBUTES = {
  check_mode: {
    support: "full",
    description: "Can run in check mode and say which changes it would make, without making any.",
  },
  diff_mode: {
    support: "full",
    description: "Shows what has changed, or would, in files and live state alike, when in diff mode.",
  },
  idempotent: {
    support: "full",
    description: "When run twice in a row outside check mode, with the same arguments, the second run changes nothing.",
  },
  platform: {
    support: "full",
    platforms: "linux",
    description: "Target operating systems that can be operated against.",
  },
};

/** What every module returns, as modules/core/run_module.ts has it. */
const RETURNS: Returns = {
  changes: {
    type: "list",
    elements: "str",
    description: "What was changed, or would be.",
    returned: "when something changes",
    sample: ["bridge weave: mtu"],
  },
  disruptions: {
    type: "list",
    elements: "str",
    description: "What these changes interrupt, in words.",
    returned: "when they interrupt something",
    sample: ["Docker: its restart stops 3 containers"],
  },
  pending: {
    type: "list",
    elements: "str",
    description: "What makes those of the changes that the module only finds.",
    returned: "when there are such changes",
    sample: ["a restart of Docker"],
  },
};

/** Takes a module's texts; returns all that it returns, in the order in which pages show it. */
export function allReturns(docs: ModuleDocs): Returns {
  return { ...docs.returns, ...RETURNS };
}

/** Takes a module's texts; returns all that it needs on the host. */
export function allRequirements(docs: ModuleDocs): readonly string[] {
  return [...REQUIREMENTS, ...docs.requirements];
}

/** Takes a module's name, options table and texts; returns the sidecar file that ansible-doc reads beside the module. */
export function renderSidecar(name: string, table: OptionTable, docs: ModuleDocs): string {
  const options = Object.entries(table).map(([option, row]) => [option, documentOption(row)]);
  const { not_idempotent: details } = docs;
  const idempotent = { ...ATTRIBUTES.idempotent, ...(details && { support: "partial", details }) };
  return stringify(
    {
      DOCUMENTATION: {
        module: name,
        short_description: docs.short_description,
        description: docs.description,
        requirements: allRequirements(docs),
        options: Object.fromEntries(options),
        attributes: { ...ATTRIBUTES, idempotent },
        author: ["The apollo-weave authors"],
      },
      EXAMPLES: docs.examples,
      RETURN: allReturns(docs),
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
