import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Files by their paths in a folder, with slashes and without a leading one. */
export type Files = ReadonlyMap<string, { readonly content: Buffer; readonly executable: boolean }>;

/** Reads all files in a folder and its subfolders, without links and what Python has compiled there. */
export function readFiles(folder: string): Files {
  const found = readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.name === "__pycache__" || entry.isSymbolicLink()) return [];
    if (entry.isDirectory()) return [...under(entry.name, readFiles(path))];
    return [[entry.name, readFile(path)] as const];
  });
  return new Map(found);
}

export function readFile(path: string): { content: Buffer; executable: boolean } {
  return { content: readFileSync(path), executable: (statSync(path).mode & 0o100) !== 0 };
}

/** The files of a folder by their paths from outside that folder. */
export function under(folder: string, files: Files): Files {
  return new Map([...files].map(([path, file]) => [`${folder}/${path}`, file]));
}

/** The files in a folder, by their paths from inside it. */
export function within(folder: string, files: Files): Files {
  const inside = [...files].filter(([path]) => path.startsWith(`${folder}/`));
  return new Map(inside.map(([path, file]) => [path.slice(folder.length + 1), file]));
}

/** The files that are in none of the folders. */
export function without(folders: readonly string[], files: Files): Files {
  return new Map([...files].filter(([path]) => !folders.some((folder) => path.startsWith(`${folder}/`))));
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

/** Writes files into a folder, and creates the subfolders that they need. */
export function writeFiles(folder: string, files: Files): void {
  for (const [path, { content, executable }] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content, { mode: executable ? 0o755 : 0o644 });
  }
}
