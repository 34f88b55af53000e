import { readFileSync } from "node:fs";
import { UserError } from "../core/errors";

const STANDARD_INPUT = 0;

/**
 * Takes the path of a JSON file, or "-" for standard input; returns the module's options in it by their names, as Ansible
 * has them. Throws a UserError that names the file. None has a part of the content in it, which may be secret.
 */
export function readArgsFile(path: string): Map<string, unknown> {
  const name = nameOfArgsFile(path);
  return parseArgs(name, read(name, path === "-" ? STANDARD_INPUT : path));
}

/** What messages call it. */
export function nameOfArgsFile(path: string): string {
  return path === "-" ? "standard input" : path;
}

function read(name: string, from: string | number): string {
  try {
    return readFileSync(from, "utf8");
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    throw new UserError(`--args: can't read ${name} (${code}); ${REMEDIES[code] ?? "give a file that can be read"}`);
  }
}

const REMEDIES: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file: correct the path, or write the file",
  EACCES: "run as who may read it",
  EISDIR: "it is a folder: give a file in it",
};

/** Takes what messages call a text, and the text. Throws a UserError where it is no JSON object. */
export function parseArgs(name: string, text: string): Map<string, unknown> {
  const remedy = `write the module's options as JSON, such as {"peers": ["192.168.50.12"]}`;
  if (text.trim() === "") throw new UserError(`--args: ${name} is empty; ${remedy}`);
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (error) {
    throw new UserError(`--args: ${name} is not JSON${placeOf(error, text)}; ${remedy}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new UserError(`--args: ${name} has no JSON object in it; ${remedy}`);
  }
  return new Map(Object.entries(value));
}

/** Of the parser's message the position alone: some versions of Node quote the text in it. */
function placeOf(error: unknown, text: string): string {
  const position = /at position (\d+)/.exec(error instanceof Error ? error.message : "")?.[1];
  return position === undefined ? "" : ` from line ${text.slice(0, Number(position)).split("\n").length} on`;
}
