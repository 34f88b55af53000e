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
import { deserialize, serialize } from "node:v8";
import { apply } from "../../../modules/core/apply";
import type { Action, Change } from "../../../modules/core/change";
import { UserError } from "../../../modules/core/errors";
import type {
  FileState,
  Host,
  HttpRequest,
  HttpResponse,
  RunOptions,
  RunOutput,
} from "../../../modules/core/host/host";
import { describeRequest } from "../../../modules/core/host/http";
import { linuxHost } from "../../../modules/core/host/linux";

/** What a program ends with. */
export const done = (stdout = ""): RunOutput => ({ status: 0, stdout, stderr: "" });
export const failed = (stderr: string): RunOutput => ({ status: 1, stdout: "", stderr });

/**
 * A stand-in for a host that changes can be made on: its files are real ones below a folder, read and written by the
 * modules' own code. Its kernel, programs and services are what a subclass plays.
 */
export abstract class StandInHost implements Host {
  /** How many more steps are made before the run is cut off, as by a kill. */
  stepsLeft = Number.POSITIVE_INFINITY;

  constructor(protected readonly root: string) {}

  /** Plays a program. */
  protected abstract program(argv: readonly string[]): RunOutput;
  /** Plays the kernel's files; undefined where a path is none of those that are played. */
  protected abstract kernelFile(path: string): string | null | undefined;
  protected abstract kernelNames(path: string): readonly string[] | undefined;
  protected abstract kernelLink(path: string): string | null | undefined;
  /** Plays a service; null where nobody listens. */
  protected abstract answer(request: HttpRequest): HttpResponse | null;
  /** What there is beside files, for comparisons. */
  protected abstract state(): object;
  protected set(_path: string, _value: string): void {}

  at(path: string): string {
    return join(this.root, path);
  }

  /** Puts a file there, one character a byte. */
  put(path: string, content: string, mode = 0o644): void {
    mkdirSync(dirname(this.at(path)), { recursive: true });
    writeFileSync(this.at(path), content, { encoding: "latin1", mode });
  }

  putLink(path: string, target: string): void {
    mkdirSync(dirname(this.at(path)), { recursive: true });
    symlinkSync(target.startsWith("/") ? this.at(target) : target, this.at(path));
  }

  /** What a hand has removed. */
  remove(path: string): void {
    rmSync(this.at(path), { force: true });
  }

  /** What a hand has done, if it could. */
  try(command: string): void {
    this.program(command.split(" "));
  }

  readFile(path: string): FileState | null {
    return linuxHost.readFile(this.at(path));
  }
  mtime(path: string): number | null {
    return linuxHost.mtime(this.at(path));
  }
  readText(path: string): string | null {
    const played = this.kernelFile(path);
    return played === undefined ? linuxHost.readText(this.at(path)) : played;
  }
  readdir(path: string): readonly string[] {
    return this.kernelNames(path) ?? linuxHost.readdir(this.at(path));
  }
  readlink(path: string): string | null {
    const played = this.kernelLink(path);
    return played === undefined ? linuxHost.readlink(this.at(path)) : played;
  }
  addresses(): readonly string[] {
    return ["127.0.0.1", "192.168.50.11"];
  }
  async resolveNames(names: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    return new Map(names.map((name) => [name, NAMES.get(name) ?? []]));
  }
  run(argv: readonly string[], { mayFail = false }: RunOptions = {}): RunOutput {
    const output = argv[0] === "find" ? this.removeFolder(`${argv[1]}/${argv[5]}`) : this.program(argv);
    if (output.status !== 0 && !mayFail) throw new UserError(`${argv.join(" ")} failed: ${output.stderr}`);
    return output;
  }
  async request(request: HttpRequest): Promise<HttpResponse | null> {
    return this.answer(request);
  }

  /** Makes a change, step by step. */
  readonly make = async (change: Change): Promise<void> => {
    for (const action of change.actions) await this.perform(change, action);
  };

  private async perform(change: Change, action: Action): Promise<void> {
    if (this.stepsLeft-- <= 0) throw new UserError("cut off");
    switch (action.do) {
      case "write":
      case "chmod":
      case "remove":
        return apply({ ...change, actions: [{ ...action, path: this.at(action.path) }] });
      case "set":
        return this.set(action.path, action.value);
      case "run":
        return void this.run(action.argv);
      case "request": {
        const status = this.answer(action.request)?.status ?? 0;
        if (status >= 200 && (status < 300 || action.orStatus?.includes(status))) return;
        throw new UserError(`${describeRequest(action.request)} answered ${status}`);
      }
      case "await":
        if (this.answer(action.request)?.status === 200) return;
        throw new UserError(`no answer to ${describeRequest(action.request)}`);
      case "validate":
        return;
      case "try":
        try {
          for (const step of action.steps) await this.perform(change, step);
        } catch (error) {
          for (const step of action.rollback) await this.perform(change, step);
          throw error;
        }
    }
  }

  /** `find FOLDER -maxdepth 1 -name NAME -type d -empty -delete` */
  private removeFolder(path: string): RunOutput {
    try {
      rmdirSync(this.at(path));
    } catch (error) {
      if (!["ENOTEMPTY", "ENOENT"].includes((error as NodeJS.ErrnoException).code ?? "")) return failed(String(error));
    }
    return done();
  }

  /** All files and links, by their paths, with their modes. */
  files(folder = "/"): Map<string, string> {
    const entries = readdirSync(this.at(folder), { withFileTypes: true });
    return new Map(
      entries.flatMap((entry): [string, string][] => {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) return [...this.files(path)];
        if (entry.isSymbolicLink()) return [[path, `-> ${readlinkSync(this.at(path))}`]];
        const mode = (statSync(this.at(path)).mode & 0o7777).toString(8);
        return [[path, `${mode} ${readFileSync(this.at(path), "latin1")}`]];
      }),
    );
  }

  /** Everything there is, as a value to be compared. */
  everything(): object {
    return { files: this.files(), state: deserialize(serialize(this.state())) };
  }
}

/** Who is known by name on the underlay. */
const NAMES: ReadonlyMap<string, readonly string[]> = new Map([
  ["host1", ["127.0.1.1"]],
  ["host2", ["192.168.50.12"]],
  ["host3", ["10.9.0.13", "192.168.50.13"]],
  ["a", ["192.168.50.14"]],
  ["b", ["192.168.50.15"]],
]);
