/** Its name in build/collection/galaxy.yml. */
const COLLECTION = "apollo.weave";

/**
 * In a collection Ansible finds a role's modules by their short names, but filters by their full ones alone. Takes a text in
 * which filters are used, and their short names; returns the text with their full names.
 */
export function qualifyFilters(text: string, names: readonly string[]): string {
  return text.replace(new RegExp(`(\\|\\s*)(${names.join("|")})\\b`, "g"), `$1${COLLECTION}.$2`);
}

/** Takes tasks as documentation shows them, and modules' short names; returns the tasks with their full names. */
export function qualifyModules(tasks: string, names: readonly string[]): string {
  return tasks.replace(new RegExp(`^( +)(${names.join("|")}):$`, "gm"), `$1${COLLECTION}.$2:`);
}

/** Takes a filter plugin in Python; returns the names of its filters, the keys of what `filters` returns. Throws where there are none. */
export function filterNames(plugin: string): string[] {
  const [, returned = ""] = plugin.split("def filters(self)");
  const names = [...returned.matchAll(/"(\w+)": /g)].map(([, name = ""]) => name);
  if (names.length === 0) throw new Error("a filter plugin has no filters, or does not name them as others do");
  return names;
}
