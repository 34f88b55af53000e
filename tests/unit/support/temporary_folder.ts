import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Calls `use` with a new folder, which is removed when it is done. */
export function inTemporaryFolder(use: (folder: string) => void): void {
  const folder = make();
  try {
    use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The same for an asynchronous use. */
export async function inTemporaryFolderUntilDone(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = make();
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function make(): string {
  return mkdtempSync(join(tmpdir(), "apollo-weave-unit-"));
}
