import type { Host } from "./host/host";

/** Whether a path has wildcards of glob(7). */
export function isPattern(path: string): boolean {
  return /[*?[]/.test(path);
}

/**
 * Whether a text fits a pattern of glob(7), as `source` lines of interfaces(5), EnvironmentFile= and [Match] sections have them: `*`,
 * `?` and sets. None matches a slash. A set that is not closed stands for itself.
 */
export function matchesPattern(pattern: string, text: string): boolean {
  // A set, of which a first character "]" is a member, or any other character.
  const expression = pattern.replace(/\[(?:[!^][\s\S]|[^!^])[^\]]*\]|[\s\S]/g, (part) => {
    if (part === "*") return "[^/]*";
    if (part === "?") return "[^/]";
    if (part.length === 1) return part.replace(/[.+^${}()|[\]\\/]/, "\\$&");
    // In a set, "!" and "^" negate, and the characters that a regular expression would read in another way are escaped.
    const [, negation, members = ""] = /^\[([!^]?)([\s\S]*)\]$/.exec(part) ?? [];
    return `(?!/)[${negation ? "^" : ""}${members.replace(/[[\]\\^]/g, "\\$&")}]`;
  });
  try {
    return new RegExp(`^${expression}$`).test(text);
  } catch {
    return false; // A range from a later character to an earlier one has no members.
  }
}

/** The existing paths, sorted, that an absolute pattern matches. A name that begins with a dot is matched by a dot only. */
export function expandPattern(pattern: string, host: Host): string[] {
  let found = [""];
  for (const part of pattern.split("/").filter((each) => each !== "")) {
    found = found.flatMap((directory) =>
      isPattern(part)
        ? host
            .readdir(directory || "/")
            .filter((name) => matchesPattern(part, name) && (part.startsWith(".") || !name.startsWith(".")))
            .map((name) => `${directory}/${name}`)
        : [`${directory}/${part}`],
    );
  }
  return found;
}
