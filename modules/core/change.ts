import type { FileState, HttpRequest } from "./host/host";

/**
 * One thing that differs from what is wanted: what it is now, what it is to be, and how it gets there. `changed`, the
 * diff and the work all come from the same Change, so none of them can say what the others do not.
 */
export interface Change {
  /** What differs, in the operator's terms: a path, or `bridge weave: address`. */
  readonly subject: string;
  /** The present and the wanted state, as the diff shows them. Never a secret. */
  readonly before: string;
  readonly after: string;
  /** How it is made, in order. Empty where it is not this module's to make: then `madeBy` says whose. */
  readonly actions: readonly Action[];
  /** Who makes a change that the module only finds, such as a restart that the role's handler does. */
  readonly pending?: string;
  /** What making it interrupts, in words. */
  readonly disruption?: string;
}

/** One step of a change, as data, so that a plan can be compared and printed. */
export type Action =
  | { readonly do: "write"; readonly path: string; readonly content: string; readonly mode: number }
  | { readonly do: "chmod"; readonly path: string; readonly mode: number }
  | { readonly do: "remove"; readonly path: string }
  /** A setting of the kernel's, in /proc/sys or /sys. */
  | { readonly do: "set"; readonly path: string; readonly value: string }
  | {
      readonly do: "request";
      readonly request: HttpRequest;
      /** Answers from 300 on that are no failure either. */
      readonly orStatus?: readonly number[];
    }
  | {
      readonly do: "run";
      readonly argv: readonly string[];
      readonly timeout?: number;
      /** What to ask for the reason when the program fails or runs out of time. */
      readonly diagnose?: readonly string[];
      /** The daemon that the program is to replace: that it has counts as success, however the program ends. */
      readonly replaces?: Daemon;
      /** The program is not run while this daemon runs. */
      readonly skipIfRunning?: Daemon;
    }
  | {
      readonly do: "await";
      readonly request: HttpRequest;
      readonly timeout: number;
      readonly diagnose: readonly string[];
    }
  | Validate
  | Try;

/** The process of a daemon, by the file in which it keeps its id and by when it was started; null: none ran. */
export interface Daemon {
  readonly pidFile: string;
  /** In clock ticks since the machine's boot. */
  readonly startedAt: number | null;
}

/** A program that judges a content before it is put in place; it reads it from a private file, whose path stands for "%s". */
export interface Validate {
  readonly do: "validate";
  readonly content: string;
  readonly argv: readonly string[];
}

/** Steps that may not work out, and what is then done: the failure is the change's all the same. */
export interface Try {
  readonly do: "try";
  readonly steps: readonly Action[];
  /** A program that tells why. */
  readonly diagnose: readonly string[];
  readonly rollback: readonly Action[];
  /** What holds when these steps are done, as a sentence. */
  readonly afterRollback: string;
}

/** A step that runs a program; it fails the change when the program fails. `timeout` in seconds, 30 unless told. */
export function run(argv: readonly string[], timeout?: number): Action {
  return timeout === undefined ? { do: "run", argv } : { do: "run", argv, timeout };
}

export interface DesiredFile {
  readonly path: string;
  /** One character a byte; null where the file is not to be there. */
  readonly content: string | null;
  /** The permission bits that the file must have; without them, an existing file keeps its own and a new one gets 0644. */
  readonly mode?: number;
  /** Turns the content into what the diff may show, where parts of it are secret. */
  readonly redact?: (content: string) => string;
  /** Steps after the file is in place, such as a reload of who reads it. */
  readonly afterwards?: readonly Action[];
}

/** Takes a file as it is and as it is wanted; returns the changes between the two: none, its content, or its mode. */
export function fileChanges(observed: FileState | null, wanted: DesiredFile): Change[] {
  const { path, content, mode, redact = (text: string) => text, afterwards = [] } = wanted;
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
