/** A table of iptables, as `iptables-save` prints it. */
export interface IptablesTable {
  readonly name: string;
  readonly chains: readonly string[];
  /** Each as a separate command, such as "-A INPUT -i docker0 -j DROP", in order. */
  readonly rules: readonly string[];
}

/** Parses what `iptables-save` prints (iptables/iptables-save.c: "*TABLE", ":CHAIN POLICY [COUNTERS]", "-A CHAIN RULE", "COMMIT"). */
export function parseIptablesSave(text: string): IptablesTable[] {
  return text.split(/^\*/m).flatMap((part, index) => {
    const [name = "", ...lines] = part.split("\n");
    if (index === 0) return [];
    return [
      {
        name: name.trim(),
        chains: lines.filter((line) => line.startsWith(":")).map((line) => line.slice(1).split(" ")[0] ?? ""),
        rules: lines.filter((line) => line.startsWith("-A ")),
      },
    ];
  });
}

/** The words of a rule. A word in double quotes has a backslash before each character that it escapes (xtables_save_string). */
export function wordsOfRule(rule: string): string[] {
  return [...rule.matchAll(/"((?:\\.|[^"\\])*)"|(\S+)/g)].map(
    ([, quoted, bare = ""]) => quoted?.replace(/\\(.)/g, "$1") ?? bare,
  );
}
