import type { FileState, HttpRequest } from "./host/host";

/**
 * One difference from the desired state, and the actions that remove it. `changed`, the diff and the actions come from the
 * same Change, so they can't contradict one another.
 */
export interface Change {
  /** What differs, for the operator: a path, or `bridge weave: address`. */
  readonly subject: string;
  /** The present and the desired state, as the diff shows them. Never a secret. */
  readonly before: string;
  readonly after: string;
  /** How the change is made, in order. Empty if `pending` says what makes it. */
  readonly actions: readonly Action[];
  /** What makes the change if this module doesn't, such as a restart by the role's handler. */
  readonly pending?: string;
  /** What the change interrupts, in words. */
  readonly disruption?: string;
  /** What the operator should know of the change, as it may not be meant: `option: what is wrong. What to do.` */
  readonly warning?: string;
}

/** One step of a change. It is data, so that a plan can be compared and printed. */
export type Action =
  | { readonly do: "write"; readonly path: string; readonly content: string; readonly mode: number }
  | { readonly do: "chmod"; readonly path: string; readonly mode: number }
  | { readonly do: "remove"; readonly path: string }
  /** A kernel setting in /proc/sys or /sys. */
  | { readonly do: "set"; readonly path: string; readonly value: string }
  | {
      readonly do: "request";
      readonly request: HttpRequest;
      /** Statuses of 300 or more that are successes, too. */
      readonly acceptedStatuses?: readonly number[];
    }
  | {
      readonly do: "run";
      readonly argv: readonly string[];
      readonly timeout?: number;
      /** A program that prints the cause if this one fails or times out. */
      readonly diagnose?: readonly string[];
      /** The daemon that the program replaces. If another one runs afterwards, the step succeeded whatever the exit status. */
      readonly replaces?: Daemon;
      /** The program is not run if this daemon still runs. */
      readonly skipIfRunning?: Daemon;
      /** Whether the next steps follow although it fails. */
      readonly mayFail?: boolean;
    }
  | {
      readonly do: "await";
      readonly request: HttpRequest;
      /** In seconds. */
      readonly timeout: number;
      readonly diagnose: readonly string[];
      /** Ends the wait early: once the program's output matches the pattern, no answer will come any more. */
      readonly giveUp?: { readonly argv: readonly string[]; readonly pattern: RegExp };
    }
  /** Stops or starts containers of Docker. All are tried; the error names those that it failed for. */
  | {
      readonly do: "stop" | "start";
      readonly containers: readonly NamedContainer[];
      /** In seconds, for all together. */
      readonly timeout: number;
      /** Nothing is done unless this daemon still runs. */
      readonly onlyIfRunning?: Daemon;
    }
  /** Fails the change with this message. */
  | { readonly do: "fail"; readonly message: string }
  | Validate
  | Try;

/** Performs an action on this host. */
export type Perform = (action: Action) => Promise<void>;

/** Functions that perform actions, by their kind. What an action consists of is performed by `perform`. */
export type Performers = {
  readonly [Kind in Action["do"]]?: (action: Extract<Action, { do: Kind }>, perform: Perform) => void | Promise<void>;
};

/** A daemon's process: its pid file and its start time, null if none ran. */
export interface Daemon {
  readonly pidFile: string;
  /** In clock ticks since the machine's boot. */
  readonly startedAt: number | null;
}

/** A program that checks a file's content before it is written. "%s" stands for a private file with that content. */
export interface Validate {
  readonly do: "validate";
  readonly content: string;
  readonly argv: readonly string[];
  /** Variables of its environment besides PATH and LC_ALL, or instead of them. */
  readonly env?: ReadonlyMap<string, string>;
  /** Whether check mode runs it too. */
  readonly inCheck?: boolean;
}

/** A container, and its name for messages. */
export interface NamedContainer {
  readonly id: string;
  readonly name: string;
  /** Whether it is paused, and is to be paused again after a start. */
  readonly paused?: boolean | null | undefined;
}

/** Steps with a rollback. The change fails even if the rollback succeeds. */
export interface Try {
  readonly do: "try";
  readonly steps: readonly Action[];
  /** A program that prints the cause of a failure. */
  readonly diagnose?: readonly string[];
  /** They are tried in order until one succeeds. */
  readonly rollback: readonly Rollback[];
  /** Steps after the rollback, whether or not it succeeded. Each is tried. */
  readonly afterwards?: readonly Action[];
  /** A daemon whose command line the message quotes, as it then runs. */
  readonly daemon?: { readonly name: string; readonly pidFile: string };
}

/** One way to undo steps that failed. */
export interface Rollback {
  readonly steps: readonly Action[];
  /** The state after them, and what to do, in sentences. */
  readonly result: string;
}

/** A step that runs a program. `timeout` is in seconds, 30 by default. */
export function runAction(argv: readonly string[], timeout?: number): Action {
  return timeout === undefined ? { do: "run", argv } : { do: "run", argv, timeout };
}

/** What a file is to contain, or that it must not exist. */
export interface DesiredFile {
  readonly path: string;
  /** One character per byte; null if the file must not exist. */
  readonly content: string | null;
  /** The file's permission bits. By default, an existing file keeps its own and a new one gets 0644. */
  readonly mode?: number;
  /** Removes secrets from the content for the diff. */
  readonly redact?: (content: string) => string;
  /** Steps after the file is written, such as a reload. */
  readonly afterwards?: readonly Action[];
}

/** The change of a value by commands; none if the values are equal. */
export function difference(
  subject: string,
  before: string | number,
  after: string | number,
  commands: readonly (readonly string[])[],
): Change[] {
  if (before === after) return [];
  return [{ subject, before: `${before}\n`, after: `${after}\n`, actions: commands.map((argv) => runAction(argv)) }];
}

/** The change by which a program that has read older files reads them again. */
export function reloadOf(program: string, actions: readonly Action[]): Change {
  return { subject: `${program}: loaded files`, before: "outdated\n", after: "current\n", actions };
}

/** The change from the observed to the desired file, in content or mode; none if they are equal. */
export function fileChanges(observed: FileState | null, desired: DesiredFile): Change[] {
  const { path, content, mode, redact = (text: string) => text, afterwards = [] } = desired;
  if (content === null) {
    return observed === null
      ? []
      : [
          {
            subject: path,
            before: redact(observed.content),
            after: "",
            actions: [{ do: "remove", path }, ...afterwards],
          },
        ];
  }
  if (observed?.content !== content) {
    const write: Action = { do: "write", path, content, mode: mode ?? observed?.mode ?? 0o644 };
    return [
      {
        subject: path,
        before: observed === null ? "" : redact(observed.content),
        after: redact(content),
        actions: [write, ...afterwards],
      },
    ];
  }
  if (mode !== undefined && observed.mode !== mode) {
    return [
      {
        subject: `${path}: mode`,
        before: `${octal(observed.mode)}\n`,
        after: `${octal(mode)}\n`,
        actions: [{ do: "chmod", path, mode }],
      },
    ];
  }
  return [];
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}
