/** Its name in build/collection/galaxy.yml. */
const COLLECTION = "apollo.weave";

/**
 * Replaces short names of filters in a text by their full ones. In a collection Ansible finds a role's modules by their short
 * names, but not filters.
 */
export function qualifyFilters(text: string, names: readonly string[]): string {
  return text.replace(new RegExp(`(\\|\\s*)(${names.join("|")})\\b`, "g"), `$1${COLLECTION}.$2`);
}

/** Replaces modules' short names by their full ones in tasks of the documentation. */
export function qualifyModules(tasks: string, names: readonly string[]): string {
  return tasks.replace(new RegExp(`^( +)(${names.join("|")}):$`, "gm"), `$1${COLLECTION}.$2:`);
}

/** The names of the filters in a Python plugin: the keys of what `filters` returns. Throws if it finds none. */
export function filterNames(plugin: string): string[] {
  const [, returned = ""] = plugin.split("def filters(self)");
  const names = [...returned.matchAll(/"(\w+)": /g)].map(([, name = ""]) => name);
  if (names.length === 0)
    throw new Error("filters not found in a filter plugin; name them as keys in what filters() returns");
  return names;
}
