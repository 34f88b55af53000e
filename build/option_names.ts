import { SHORT } from "../modules/formats/docker_flags";
import { BARE_FLAGS, KEYS, KINDS } from "../modules/formats/docker_options";
import { withPart } from "./support";

const BEGIN = "# From modules/formats/docker_options.ts and docker_flags.ts, by the build:";
const END = "# End of what the build writes.";

/** The role's filter weave_invalid_docker_opts with the names of dockerd's options as the modules have them. Throws where it has no place for them. */
export function renderOptionNames(filter: string): string {
  const pairs = (entries: Iterable<readonly [string, string]>): string =>
    [...entries].map((pair) => pair.join("=")).join(" ");
  const kinds = Object.entries(KINDS).map(([kind, names]) => `    "${kind}": ${text(names, "    ")},\n`);
  return withPart(
    filter,
    BEGIN,
    END,
    [
      `KINDS = {\n${kinds.join("")}}\n`,
      `BARE_FLAGS = ${text([...BARE_FLAGS].join(" "))}\n`,
      `KEYS = ${text(pairs(KEYS))}\n`,
      `SHORT_FLAGS = ${text(pairs(Object.entries(SHORT)))}\n`,
    ].join(""),
  );
}

/** Words as a string of Python's, on lines that are not too long. */
function text(words: string, indent = ""): string {
  const lines = [""];
  for (const word of words.split(" ")) {
    const line = `${lines.at(-1) ?? ""} ${word}`.trim();
    if (line.length < 110) lines[lines.length - 1] = line;
    else lines.push(word);
  }
  return `"""\n${lines.map((line) => `${indent}${line}\n`).join("")}${indent}"""`;
}
