import type { ModuleDocs, Returns } from "../modules/core/module";
import type { Option, OptionTable } from "../modules/core/options";
import { allRequirements, allReturns } from "./docs";
import { defaultValue, fromAnsibleMarkup, tableHead, tableRow } from "./markdown";

interface Documented {
  readonly module: { readonly name: string; readonly options: OptionTable };
  readonly docs: ModuleDocs;
}

const HEAD = `# The modules

Generated from modules/*/options.ts and docs.ts by \`npm run build\`; \`ansible-doc -M roles/weave/library weave_bridge\` shows the same.
All modules support check mode and diff mode, and run on Linux. In the collection their names begin with \`apollo.weave.\`
`;

/** Renders the page of the modules' options and results, in Markdown. */
export function renderModules(modules: readonly Documented[]): string {
  return HEAD + modules.map(section).join("");
}

function section({ module, docs }: Documented): string {
  return `
## ${module.name}

${fromAnsibleMarkup([`${docs.short_description}.`, ...docs.description].join("\n\n"))}
${docs.not_idempotent ? `\nA second run changes nothing, except: ${lowerFirst(fromAnsibleMarkup(docs.not_idempotent))}\n` : ""}
Needs: ${fromAnsibleMarkup(allRequirements(docs).join("; "))}.

${tableHead(["option", "type", "default", "description"])}${Object.entries(module.options).map(optionRow).join("")}
${tableHead(["returned", "type", "when", "description"])}${returnRows(allReturns(docs), "").join("")}
\`\`\`yaml
${docs.examples}\`\`\`
`;
}

function optionRow([name, option]: [string, Option<unknown>]): string {
  const { type, choices, required, secret, description } = option;
  return tableRow([
    `\`${name}\``,
    [type === "list" ? "list of str" : type, ...(secret ? ["secret"] : [])].join(", "),
    required ? "required" : defaultValue(option.default),
    [fromAnsibleMarkup(description), ...(choices ? [`One of: ${choices.join(", ")}.`] : [])].join(" "),
  ]);
}

function returnRows(returns: Returns, parent: string): string[] {
  return Object.entries(returns).flatMap(([name, { type, elements, returned, description, contains = {} }]) => [
    tableRow([
      `\`${parent}${name}\``,
      elements === undefined ? type : `${type} of ${elements}`,
      fromAnsibleMarkup(returned),
      fromAnsibleMarkup(description),
    ]),
    ...returnRows(contains, `${parent}${name}${type === "list" ? "[]" : ""}.`),
  ]);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
