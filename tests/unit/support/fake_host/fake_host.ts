import { deserialize, serialize } from "node:v8";
import type { Action, Change } from "../../../../modules/core/change";
import { startContainer, stopContainer } from "../../../../modules/core/docker_containers";
import { UserError } from "../../../../modules/core/errors";
import type {
  FileState,
  Host,
  HttpRequest,
  HttpResponse,
  RunOptions,
  RunOutput,
} from "../../../../modules/core/host/host";
import { describeRequest } from "../../../../modules/core/host/http";
import { type Contents, listed } from "./contents";
import type { Directory } from "./directory";
import type { Part } from "./part";

/** A host with just these contents. */
export const fakeHost = (contents: Contents): FakeHost => new FakeHost(listed(contents));

/**
 * A host that is put together of parts. The first part that has an answer counts; what no part has does not exist. A program that
 * no part has is an error, as a module must not run it. Host's functions are properties, so that they can be passed on as values.
 */
export class FakeHost implements Host {
  /** How many more steps are carried out before the run is interrupted. */
  stepsLeft = Number.POSITIVE_INFINITY;
  private readonly parts: readonly Part[];

  constructor(...parts: readonly Part[]) {
    this.parts = parts;
  }

  /** The same host with a part that takes precedence. */
  with(part: Part): FakeHost {
    return new FakeHost(part, ...this.parts);
  }

  readonly readFile = (path: string): FileState | null => this.first((part) => part.readFile?.(path)) ?? null;
  readonly readStart = (path: string, bytes: number): string | null =>
    this.readFile(path)?.content.slice(0, bytes) ?? null;
  readonly changedAt = (path: string): number | null => this.first((part) => part.changedAt?.(path)) ?? null;
  readonly writableByOthers = (path: string): string | null =>
    this.first((part) => part.writableByOthers?.(path)) ?? null;
  readonly readText = (path: string): string | null => this.first((part) => part.readText?.(path)) ?? null;
  readonly readdir = (path: string): readonly string[] => this.first((part) => part.readdir?.(path)) ?? [];
  readonly readlink = (path: string): string | null => this.first((part) => part.readlink?.(path)) ?? null;
  readonly addresses = (): readonly string[] => this.first((part) => part.addresses?.()) ?? [];
  readonly resolveNames = async (names: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> =>
    new Map(names.map((name) => [name, this.first((part) => part.resolveName?.(name)) ?? []]));

  readonly run = (argv: readonly string[], { mayFail = false }: RunOptions = {}): RunOutput => {
    const command = argv.join(" ");
    const output = this.first((part) => part.run?.(argv));
    if (output === undefined) throw new Error(`unexpected program: ${command}`);
    const { status, stderr } = output;
    if (status !== 0 && !mayFail)
      throw new UserError(`${command}: must succeed (found status ${status}: ${stderr.trim()}).`);
    return output;
  };

  readonly request = async (request: HttpRequest): Promise<HttpResponse | null> =>
    this.first((part) => part.request?.(request)) ?? null;

  /** Runs a command of an operator's, which may fail. */
  try(command: string): void {
    this.run(command.split(" "), { mayFail: true });
  }

  /** Applies a change, step by step. */
  readonly apply = async (change: Change): Promise<void> => {
    for (const action of change.actions) await this.perform(change, action);
  };

  private async perform(change: Change, action: Action): Promise<void> {
    if (this.stepsLeft-- <= 0) throw new UserError("interrupted");
    switch (action.do) {
      case "write":
      case "chmod":
      case "remove":
      case "set": {
        const made = this.first((part) => part.change?.(change, action));
        if (made === undefined) throw new Error(`unexpected ${action.do}: ${action.path}`);
        return made;
      }
      case "run":
        return void this.run(action.argv);
      case "request": {
        const status = (await this.request(action.request))?.status ?? 0;
        if (status >= 200 && (status < 300 || action.acceptedStatuses?.includes(status))) return;
        throw new UserError(`${describeRequest(action.request)} answered ${status}`);
      }
      case "await":
        if ((await this.request(action.request))?.status === 200) return;
        throw new UserError(`no answer to ${describeRequest(action.request)}`);
      case "stop":
      case "start":
        for (const { id } of action.containers)
          await this.request(action.do === "stop" ? stopContainer(id) : startContainer(id));
        return;
      case "validate":
        return;
      case "try":
        try {
          for (const step of action.steps) await this.perform(change, step);
        } catch (error) {
          for (const step of action.rollback[0]?.steps ?? []) await this.perform(change, step);
          for (const step of action.afterwards ?? []) await this.perform(change, step);
          throw error;
        }
    }
  }

  /** All files and links with their modes, by path. */
  files(): Map<string, string> {
    return this.first((part) => part.listFiles?.()) ?? new Map();
  }

  /** Files and state of all parts, as a value to be compared. */
  everything(): object {
    const states = this.parts.map((part) => part.state?.() ?? {});
    return { files: this.files(), states: deserialize(serialize(states)) };
  }

  private first<Answer>(ask: (part: Part) => Answer | undefined): Answer | undefined {
    for (const part of this.parts) {
      const answer = ask(part);
      if (answer !== undefined) return answer;
    }
    return undefined;
  }
}

/** A host with its files in a directory, and with other hosts on its network that it knows by name. */
export function fakeHostIn(directory: Directory, ...parts: readonly Part[]): FakeHost {
  return new FakeHost(...parts, UNDERLAY, directory);
}

const UNDERLAY = listed({
  addresses: ["127.0.0.1", "192.168.50.11"],
  lookups: {
    host1: ["127.0.1.1"],
    host2: ["192.168.50.12"],
    host3: ["10.9.0.13", "192.168.50.13"],
    a: ["192.168.50.14"],
    b: ["192.168.50.15"],
  },
});
