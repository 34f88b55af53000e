/**
 * Whether a text fits a pattern of a shell (glob(7)), as `source` lines of interfaces(5) and [Match] sections have them: `*`, `?`
 * and sets. None matches a slash.
 */
export function matchesPattern(pattern: string, text: string): boolean {
  const expression = pattern
    .replace(/[.+^${}()|\\]/g, "\\$&")
    .replace(/\*/g, "[^/]*")
    .replace(/\?/g, "[^/]");
  try {
    return new RegExp(`^${expression.replace(/\[!/g, "[^")}$`).test(text);
  } catch {
    return false; // An unclosed set. It is taken literally, and nothing is named like that.
  }
}
