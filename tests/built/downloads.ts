import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

const CACHE = join(__dirname, "../../node_modules/.cache");

/** Returns the folder of what tests download under this name; the first time, `download` puts it into an empty folder. */
export function downloaded(name: string, download: (folder: string) => void): string {
  const folder = join(CACHE, name);
  if (existsSync(folder)) return folder;
  mkdirSync(CACHE, { recursive: true });
  const fresh = mkdtempSync(`${folder}-`);
  download(fresh);
  try {
    renameSync(fresh, folder);
  } catch (error) {
    // Test files run side by side: another has been quicker.
    if (!existsSync(folder)) throw error;
    rmSync(fresh, { recursive: true });
  }
  return folder;
}
