/** What the specifiers of a unit stand for, by their letters (systemd.unit(5)). */
export type Specifiers = ReadonlyMap<string, string>;

/** A text with its specifiers expanded, and the letters or digits of those that are not known here. */
export interface Expanded {
  readonly text: string;
  readonly unknown: readonly string[];
}

/**
 * Expands specifiers such as %n as systemd does: a percent sign before a letter or digit. One that is not known is kept as it is written;
 * systemd ignores the setting if it has no such one either (src/shared/specifier.c).
 */
export function expandSpecifiers(text: string, specifiers: Specifiers): Expanded {
  const unknown: string[] = [];
  const expanded = text.replace(/%([\s\S])/g, (all, letter: string) => {
    const value = letter === "%" ? "%" : specifiers.get(letter);
    if (value === undefined && /[A-Za-z0-9]/.test(letter)) unknown.push(letter);
    return value ?? all;
  });
  return { text: expanded, unknown };
}

/** The specifiers of a unit of this name that are the same on every host, for the system manager. */
export function unitSpecifiers(name: string): Specifiers {
  const prefix = name.replace(/\.[^.]*$/, "");
  return new Map(
    Object.entries({
      n: name,
      N: prefix,
      p: prefix,
      P: prefix.replace(/-/g, "/"),
      i: "",
      I: "",
      j: prefix.replace(/.*-/, ""),
      J: prefix.replace(/.*-/, ""),
      f: `/${prefix.replace(/-/g, "/")}`,
      t: "/run",
      S: "/var/lib",
      C: "/var/cache",
      L: "/var/log",
      E: "/etc",
      T: "/tmp",
      V: "/var/tmp",
      u: "root",
      U: "0",
      h: "/root",
    }),
  );
}

/** The name of a variable that makes up the whole word, which systemd replaces by its words; null for any other word. */
export function splitVariable(word: string): string | null {
  return /^\$([^{$][\s\S]*)$/.exec(word)?.[1] ?? null;
}

/** The names in braces, ${NAME}, in a word. Each is replaced by its value as it is. */
export function bracedVariables(word: string): string[] {
  return [...word.matchAll(BRACED)].flatMap(([, name]) => (name === undefined ? [] : [name]));
}

/** A word with $$ and ${NAME} replaced (replace_env(), src/basic/env-util.c); a $ before anything else stays. */
export function replaceBraced(word: string, value: (name: string) => string): string {
  return word.replace(BRACED, (_, name?: string) => (name === undefined ? "$" : value(name)));
}

const BRACED = /\$\$|\$\{([^}]*)\}/g;
