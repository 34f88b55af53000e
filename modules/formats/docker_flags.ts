import { type DockerFlags, isKnownOption, isSwitch, meansTheSame } from "./docker_options";
import { splitWords, type Word } from "./shell_words";

/** dockerd's short flags (moby, cmd/dockerd/config.go and options.go; docker/daemon.go of 1.6 for -d and -e). */
export const SHORT: Readonly<Record<string, string>> = {
  b: "bridge",
  D: "debug",
  d: "daemon",
  e: "exec-driver",
  G: "group",
  g: "graph",
  H: "host",
  h: "help",
  l: "log-level",
  p: "pidfile",
  r: "restart",
  s: "storage-driver",
  v: "version",
};

/** A flag on a command line: its name, its value, and the words that it consists of. */
interface Flag<W extends Word> {
  readonly name: string;
  readonly value: string;
  readonly words: readonly W[];
  /** Whether the line ends before the flag's value. */
  readonly lacksValue: boolean;
}

/** The values of each flag among dockerd's arguments. `-b weave`, `--bridge weave` and `--bridge=weave` are the same flag. */
export function parseDockerFlags(words: readonly Word[]): DockerFlags {
  const flags = new Map<string, string[]>();
  for (const { name, value } of readFlags(words)) {
    if (name !== "") flags.set(name, [...(flags.get(name) ?? []), value]);
  }
  return flags;
}

/** The same for the words of a process, which are not quoted. */
export function parseDockerWords(words: readonly string[]): DockerFlags {
  return parseDockerFlags(words.map((word) => ({ raw: word, value: word })));
}

/** Where dockerd with these flags reads daemon.json (dockerd --help). */
export function configPathOf(flags: DockerFlags): string {
  return flags.get("config-file")?.at(-1) ?? "/etc/docker/daemon.json";
}

/** Those of dockerd's arguments that are neither a flag nor its value, and flags without their value. */
export function invalidWords<W extends Word>(words: readonly W[]): W[] {
  return readFlags(words)
    .filter(({ name, lacksValue }) => name === "" || lacksValue)
    .flatMap((flag) => flag.words);
}

/**
 * A line of dockerd's options with these flags set or (without values) removed. Other flags, and flags that have the values
 * already, are kept as they are written.
 */
export function withDockerFlags(line: string, desired: DockerFlags): string {
  const flags = readFlags(splitWords(line));
  const present = parseDockerFlags(splitWords(line));
  const differing = new Map([...desired].filter(([name, values]) => !meansTheSame(name, present.get(name), values)));
  if (differing.size === 0) return line;
  const kept = flags.filter(({ name }) => !differing.has(name)).flatMap(({ words }) => words.map(({ raw }) => raw));
  const added = [...differing].flatMap(([name, values]) => values.map((value) => `--${name}=${value}`));
  return [...kept, ...added].join(" ");
}

/** A line of dockerd's options without the flags of these names. The rest is kept as it is written. */
export function withoutDockerFlags(line: string, names: ReadonlySet<string>): string {
  const flags = readFlags(splitWords(line));
  if (!flags.some(({ name }) => names.has(name))) return line;
  return flags
    .filter(({ name }) => !names.has(name))
    .flatMap(({ words }) => words.map(({ raw }) => raw))
    .join(" ");
}

/** Those of dockerd's arguments that the flags of these names consist of. */
export function wordsOfFlags<W extends Word>(words: readonly W[], names: ReadonlySet<string>): W[] {
  return readFlags(words)
    .filter(({ name }) => names.has(name))
    .flatMap((flag) => flag.words);
}

/** dockerd's arguments without the flags of these names. */
export function wordsWithoutFlags<W extends Word>(words: readonly W[], names: ReadonlySet<string>): W[] {
  return readFlags(words)
    .filter(({ name }) => !names.has(name))
    .flatMap((flag) => flag.words);
}

function readFlags<W extends Word>(given: readonly W[]): Flag<W>[] {
  const words = given.flatMap(separateShortFlags);
  const flags: Flag<W>[] = [];
  for (let at = 0; at < words.length; ) {
    const flag = readFlag(words, at);
    flags.push(flag);
    at += flag.words.length;
  }
  return flags;
}

/** -Dl is -D -l to pflag, which reads dockerd's arguments: only the last of such letters can have a value. */
function separateShortFlags<W extends Word>(word: W): W[] {
  const [, letter = "", rest = ""] = /^-([A-Za-z])([^=][\s\S]*)$/.exec(word.value) ?? [];
  const name = SHORT[letter];
  if (name === undefined || !isSwitch(name)) return [word];
  const [first, second] = [`-${letter}`, `-${rest}`];
  return [{ ...word, raw: first, value: first }, ...separateShortFlags({ ...word, raw: second, value: second })];
}

/** A word that is not a flag gets an empty name, so that it keeps its place. */
function readFlag<W extends Word>(words: readonly W[], at: number): Flag<W> {
  const text = words[at]?.value ?? "";
  const taking = (name: string, count: number, value: string): Flag<W> => ({
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
  // Another dockerd has switches that are not known here.
  if (!isKnownOption(name) && (words[at + 1]?.value ?? "-").startsWith("-")) return taking(name, 1, "true");
  return taking(name, 2, words[at + 1]?.value ?? "");
}
