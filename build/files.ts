import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Files by their paths in a folder, which is written with slashes and without a leading one. */
export type Files = ReadonlyMap<string, { readonly content: Buffer; readonly executable: boolean }>;

/** Takes a folder; returns the files in it and in its folders, without what Python has compiled there. */
export function readFiles(folder: string): Files {
  const found = readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.name === "__pycache__") return [];
    if (entry.isDirectory()) return [...under(entry.name, readFiles(path))];
    return [[entry.name, readFile(path)] as const];
  });
  return new Map(found);
}

/** Takes a file's path; returns the file as `Files` has it. */
export function readFile(path: string): { content: Buffer; executable: boolean } {
  return { content: readFileSync(path), executable: (statSync(path).mode & 0o100) !== 0 };
}

/** Takes the path of a folder and what is in it; returns the same files by their paths from outside. */
export function under(folder: string, files: Files): Files {
  return new Map([...files].map(([path, file]) => [`${folder}/${path}`, file]));
}

/** Takes files and a folder; returns those that are in it, by their paths from inside. */
export function within(folder: string, files: Files): Files {
  const inside = [...files].filter(([path]) => path.startsWith(`${folder}/`));
  return new Map(inside.map(([path, file]) => [path.slice(folder.length + 1), file]));
}

/** Takes files and folders; returns the files that are in none of them. */
export function without(folders: readonly string[], files: Files): Files {
  return new Map([...files].filter(([path]) => !folders.some((folder) => path.startsWith(`${folder}/`))));
}

/** Takes files and what to make of the texts of those whose names end in one of these ways; returns all files. */
export function rewrite(files: Files, endings: readonly string[], change: (text: string) => string): Files {
  const changed = [...files].map(([path, file]) =>
    endings.some((ending) => path.endsWith(ending))
      ? ([path, { ...file, content: Buffer.from(change(file.content.toString())) }] as const)
      : ([path, file] as const),
  );
  return new Map(changed);
}

/** Writes files into a folder, and makes the folders that they are in. */
export function writeFiles(folder: string, files: Files): void {
  for (const [path, { content, executable }] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content, { mode: executable ? 0o755 : 0o644 });
  }
}
