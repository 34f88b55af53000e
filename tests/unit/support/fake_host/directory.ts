import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { apply } from "../../../../modules/core/apply";
import type { Change } from "../../../../modules/core/change";
import type { FileState, RunOutput } from "../../../../modules/core/host/host";
import { linuxHost } from "../../../../modules/core/host/linux";
import { done, type FileAction, type Files, failed, type Part } from "./part";

/** A host's files, as real files below a directory: the modules' own code reads and writes them. */
export class Directory implements Part, Files {
  constructor(private readonly root: string) {}

  at(path: string): string {
    return join(this.root, path);
  }

  /** Writes a file with one character per byte. */
  put(path: string, content: string, mode = 0o644): void {
    mkdirSync(dirname(this.at(path)), { recursive: true });
    writeFileSync(this.at(path), content, { encoding: "latin1", mode });
  }

  putLink(path: string, target: string): void {
    mkdirSync(dirname(this.at(path)), { recursive: true });
    symlinkSync(target.startsWith("/") ? this.at(target) : target, this.at(path));
  }

  remove(path: string): void {
    rmSync(this.at(path), { force: true });
  }

  readFile(path: string): FileState | null {
    return linuxHost.readFile(this.at(path));
  }
  changedAt(path: string): number | null {
    return linuxHost.changedAt(this.at(path));
  }
  writableByOthers(path: string): string | null {
    return linuxHost.writableByOthers(this.at(path));
  }
  readText(path: string): string | null {
    return linuxHost.readText(this.at(path));
  }
  readdir(path: string): readonly string[] {
    return linuxHost.readdir(this.at(path));
  }
  readlink(path: string): string | null {
    return linuxHost.readlink(this.at(path));
  }

  change(change: Change, action: FileAction): Promise<void> | undefined {
    if (action.do === "set") return undefined;
    return apply({ ...change, actions: [{ ...action, path: this.at(action.path) }] });
  }

  /** `find DIRECTORY -maxdepth 1 -name NAME -type d -empty -delete` */
  run(argv: readonly string[]): RunOutput | undefined {
    if (argv[0] !== "find") return undefined;
    try {
      rmdirSync(this.at(`${argv[1]}/${argv[5]}`));
    } catch (error) {
      if (!["ENOTEMPTY", "ENOENT"].includes((error as NodeJS.ErrnoException).code ?? "")) return failed(String(error));
    }
    return done();
  }

  listFiles(directory = "/"): Map<string, string> {
    const entries = readdirSync(this.at(directory), { withFileTypes: true });
    return new Map(
      entries.flatMap((entry): [string, string][] => {
        const path = join(directory, entry.name);
        if (entry.isDirectory()) return [...this.listFiles(path)];
        if (entry.isSymbolicLink()) return [[path, `-> ${readlinkSync(this.at(path))}`]];
        const mode = (statSync(this.at(path)).mode & 0o7777).toString(8);
        return [[path, `${mode} ${readFileSync(this.at(path), "latin1")}`]];
      }),
    );
  }
}
