import { type DockerFlags, isSwitch, meansTheSame } from "./docker_options";
import { splitWords, type Word } from "./shell_words";

/** dockerd's short flags (dockerd --help, docker.io 20.10, and 1.6 for -d, -g and -p). */
const SHORT: Readonly<Record<string, string>> = {
  b: "bridge",
  D: "debug",
  d: "daemon",
  G: "group",
  g: "graph",
  H: "host",
  l: "log-level",
  p: "pidfile",
  s: "storage-driver",
  v: "version",
};

/** A flag as it stands on a command line: its name, its value, and the words it takes up. */
interface Flag {
  readonly name: string;
  readonly value: string;
  readonly words: readonly Word[];
  /** Whether the line ends before the value that the flag takes. */
  readonly lacksValue: boolean;
}

/** Takes the words behind `dockerd`; returns the values of each flag. `-b weave`, `--bridge weave` and `--bridge=weave` are one. */
export function parseDockerFlags(words: readonly Word[]): DockerFlags {
  const flags = new Map<string, string[]>();
  for (const { name, value } of readFlags(words)) {
    if (name !== "") flags.set(name, [...(flags.get(name) ?? []), value]);
  }
  return flags;
}

/** Takes the words behind `dockerd`; returns those that are no flag or value of one, and flags whose value is missing. */
export function strayWords(words: readonly Word[]): Word[] {
  return readFlags(words)
    .filter(({ name, lacksValue }) => name === "" || lacksValue)
    .flatMap((flag) => flag.words);
}

/**
 * Takes a line of dockerd's options and the flags that it is to have. Returns the line with those flags and no others
 * changed: one that has its values already stays as it is written, one that is wanted without values goes.
 */
export function withDockerFlags(line: string, wanted: DockerFlags): string {
  const flags = readFlags(splitWords(line));
  const present = parseDockerFlags(splitWords(line));
  const differing = new Map([...wanted].filter(([name, values]) => !meansTheSame(name, present.get(name), values)));
  if (differing.size === 0) return line;
  const kept = flags.filter(({ name }) => !differing.has(name)).flatMap(({ words }) => words.map(({ raw }) => raw));
  const added = [...differing].flatMap(([name, values]) => values.map((value) => `--${name}=${value}`));
  return [...kept, ...added].join(" ");
}

/** Takes a line of dockerd's options; returns it without the flags of these names. Everything else stays as it is written. */
export function withoutDockerFlags(line: string, names: ReadonlySet<string>): string {
  const flags = readFlags(splitWords(line));
  if (!flags.some(({ name }) => names.has(name))) return line;
  return flags
    .filter(({ name }) => !names.has(name))
    .flatMap(({ words }) => words.map(({ raw }) => raw))
    .join(" ");
}

function readFlags(words: readonly Word[]): Flag[] {
  const flags: Flag[] = [];
  for (let at = 0; at < words.length; ) {
    const flag = readFlag(words, at);
    flags.push(flag);
    at += flag.words.length;
  }
  return flags;
}

/** A word that is no flag comes back without a name, so that it stays where it is. */
function readFlag(words: readonly Word[], at: number): Flag {
  const text = words[at]?.value ?? "";
  const taking = (name: string, count: number, value: string): Flag => ({
    name,
    value,
    words: words.slice(at, at + count),
    lacksValue: at + count > words.length,
  });

  const [, dashes = "", spelled = "", equals, given = ""] = /^(--?)([^=]+)(=)?([\s\S]*)$/.exec(text) ?? [];
  if (dashes === "") return taking("", 1, text);
  const name = dashes === "-" ? SHORT[spelled.charAt(0)] : spelled;
  if (name === undefined) return taking("", 1, text);
  if (dashes === "-" && spelled.length > 1) return taking(name, 1, text.slice(2)); // -Hfd://
  if (equals !== undefined) return taking(name, 1, given);
  if (isSwitch(name)) return taking(name, 1, "true");
  return taking(name, 2, words[at + 1]?.value ?? "");
}
