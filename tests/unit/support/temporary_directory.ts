import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Calls `use` with a new directory, which is removed when it is done. */
export function inTemporaryDirectory(use: (directory: string) => void): void {
  const directory = make();
  try {
    use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The same for an asynchronous use. */
export async function inTemporaryDirectoryUntilDone(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = make();
  try {
    await use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function make(): string {
  return mkdtempSync(join(tmpdir(), "apollo-weave-unit-"));
}
