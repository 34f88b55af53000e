import { closeSync, fstatSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileError } from "../errno";
import { UserError } from "../errors";

/** Where a program's output is kept while it runs; in memory first. */
const DIRECTORIES = ["/dev/shm", "/run", tmpdir()];

/** More than any program prints that is run here. */
const MAX_OUTPUT = 64 * 1024 * 1024;

/** A file without a name that a program prints to. */
export interface OutputFile {
  readonly file: number;
  /** What was printed. Throws a UserError if it is not all there. */
  readonly read: () => string;
}

/** Where a program prints to. */
export interface OutputFiles {
  /** Its standard output. */
  readonly out: OutputFile;
  /** Its error output. */
  readonly err: OutputFile;
  readonly close: () => void;
}

/**
 * Files for a program's standard output and error output. A pipe would be waited for until every process that the program has
 * left behind closes it. Throws a UserError if no directory can hold a file.
 */
export function makeOutputFiles(command: string): OutputFiles {
  const out = makeFile(command);
  try {
    const err = makeFile(command);
    const close = (): void => [out, err].forEach(closeSync);
    return { out: toOutputFile(out, command), err: toOutputFile(err, command), close };
  } catch (error) {
    closeSync(out);
    throw error;
  }
}

/**
 * The file is removed at once, so that nothing is left behind and nobody else can open it. Its name need not be secret, as no existing
 * file or link is opened; randomBytes() would load node:crypto, which takes 4 ms of each run.
 */
function makeFile(command: string): number {
  let failure: unknown;
  for (const directory of DIRECTORIES) {
    const path = join(directory, `apollo-weave-${process.pid}-${Math.random().toString(36).slice(2)}`);
    try {
      const file = openSync(path, "wx+", 0o600);
      unlinkSync(path);
      return file;
    } catch (error) {
      failure = fileError(directory, `can't hold the output of ${command}`, error);
    }
  }
  throw failure;
}

function toOutputFile(file: number, command: string): OutputFile {
  return {
    file,
    read: () => {
      const { size } = fstatSync(file);
      if (size > MAX_OUTPUT)
        throw new UserError(`${command}: must print at most ${MAX_OUTPUT} bytes (found ${size}). Check that program.`);
      const bytes = Buffer.alloc(size);
      for (let done = 0; done < size; ) {
        const read = readSync(file, bytes, done, size - done, done);
        if (read === 0) break;
        done += read;
      }
      checkSpace(file, size, command);
      return bytes.toString("utf8");
    },
  };
}

/** Where there is no space for one more byte, the end of the output may be missing. */
function checkSpace(file: number, size: number, command: string): void {
  if (size === 0) return;
  try {
    writeSync(file, "\n", size);
  } catch (error) {
    throw fileError(DIRECTORIES.join(", "), `can't hold the output of ${command}`, error);
  }
}
