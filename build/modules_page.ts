import type { Option, OptionTable } from "../modules/core/options";
import { allRequirements, allReturns, type ModuleDocs, type Returns } from "./docs";
import { defaultValue, fromAnsibleMarkup, tableHead, tableRow } from "./markdown";

interface Documented {
  readonly module: { readonly name: string; readonly options: OptionTable };
  readonly docs: ModuleDocs;
}

const HEAD = `# The modules

Made from modules/*/options.ts and docs.ts by \`npm run build\`; \`ansible-doc -M roles/weave/library weave_bridge\` shows the same.
All of them have a full check mode and diff mode, and run on Linux. From the collection their names begin with \`apollo.weave.\`
`;

/** Takes the modules with their documentation; returns the page of their options and results, in Markdown. */
export function renderModules(modules: readonly Documented[]): string {
  return HEAD + modules.map(section).join("");
}

function section({ module, docs }: Documented): string {
  return `
## ${module.name}

${fromAnsibleMarkup([`${docs.short_description}.`, ...docs.description].join("\n\n"))}
${docs.not_idempotent ? `\nA second run changes nothing, but: ${lowerFirst(fromAnsibleMarkup(docs.not_idempotent))}\n` : ""}
Needs: ${fromAnsibleMarkup(allRequirements(docs).join("; "))}.

${tableHead(["option", "type", "default", "what it means"])}${Object.entries(module.options).map(optionRow).join("")}
${tableHead(["returned", "type", "when", "what it means"])}${returnRows(allReturns(docs), "").join("")}
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
