import { stringify } from "yaml";
import type { ModuleDocs, Returns } from "../modules/core/module";
import type { Option, OptionTable } from "../modules/core/options";

/** What every module needs on the host, because of its first line and of how Ansible sends it. */
const REQUIREMENTS = [
  "Node.js 16 or newer on the host: C(/usr/bin/node), or the path in the variable C(ansible_node_interpreter)",
  "root on the host, by C(become) if the connection is not root's",
];

/** In the names and wording of Ansible's own modules and of community.general. */
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

/** What every module returns (modules/core/run_module.ts). */
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
    description: "What these changes interrupt.",
    returned: "when they interrupt something",
    sample: ["Docker: its restart stops 3 containers"],
  },
  pending: {
    type: "list",
    elements: "str",
    description: "What must still be done by another task or by hand. Counts as a change until it is done.",
    returned: "when something is pending",
    sample: ["a restart of Docker"],
  },
};

/** All that a module returns, in the order in which it is documented. */
export function allReturns(docs: ModuleDocs): Returns {
  return { ...docs.returns, ...RETURNS };
}

/** All that a module needs on the host. */
export function allRequirements(docs: ModuleDocs): readonly string[] {
  return [...REQUIREMENTS, ...docs.requirements];
}

/** Renders the sidecar file that ansible-doc reads beside the module. */
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
