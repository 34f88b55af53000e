import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Files by their paths in a directory, with slashes and without a leading one. */
export type Files = ReadonlyMap<string, { readonly content: Buffer; readonly executable: boolean }>;

/** Reads all files in a directory and its subdirectories, without links and what Python has compiled there. */
export function readFiles(directory: string): Files {
  const found = readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.name === "__pycache__" || entry.isSymbolicLink()) return [];
    if (entry.isDirectory()) return [...under(entry.name, readFiles(path))];
    return [[entry.name, readFile(path)] as const];
  });
  return new Map(found);
}

export function readFile(path: string): { content: Buffer; executable: boolean } {
  return { content: readFileSync(path), executable: (statSync(path).mode & 0o100) !== 0 };
}

/** The files of a directory by their paths from outside that directory. */
export function under(directory: string, files: Files): Files {
  return new Map([...files].map(([path, file]) => [`${directory}/${path}`, file]));
}

/** The files in a directory, by their paths from inside it. */
export function within(directory: string, files: Files): Files {
  const inside = [...files].filter(([path]) => path.startsWith(`${directory}/`));
  return new Map(inside.map(([path, file]) => [path.slice(directory.length + 1), file]));
}

/** The files that are in none of the directories. */
export function without(directories: readonly string[], files: Files): Files {
  return new Map([...files].filter(([path]) => !directories.some((directory) => path.startsWith(`${directory}/`))));
}

/** All files, those whose names have one of the endings with changed text. */
export function rewrite(files: Files, endings: readonly string[], change: (text: string) => string): Files {
  const changed = [...files].map(([path, file]) =>
    endings.some((ending) => path.endsWith(ending))
      ? ([path, { ...file, content: Buffer.from(change(file.content.toString())) }] as const)
      : ([path, file] as const),
  );
  return new Map(changed);
}

/** Writes files into a directory, and creates the subdirectories that they need. */
export function writeFiles(directory: string, files: Files): void {
  for (const [path, { content, executable }] of files) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content, { mode: executable ? 0o755 : 0o644 });
  }
}
