import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

const CACHE = join(__dirname, "../../node_modules/.cache");

/** Returns the directory of what tests download under this name; the first time, `download` puts it into an empty directory. */
export function downloaded(name: string, download: (directory: string) => void): string {
  const directory = join(CACHE, name);
  if (existsSync(directory)) return directory;
  mkdirSync(CACHE, { recursive: true });
  const fresh = mkdtempSync(`${directory}-`);
  download(fresh);
  try {
    renameSync(fresh, directory);
  } catch (error) {
    // Test files run side by side: another has been quicker.
    if (!existsSync(directory)) throw error;
    rmSync(fresh, { recursive: true });
  }
  return directory;
}
