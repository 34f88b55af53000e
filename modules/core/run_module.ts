import { toText } from "./bytes";
import type { Change } from "./change";
import { UserError, withFullStop } from "./errors";
import type { Host } from "./host/host";
import type { IfInTransition, Module, Plan } from "./module";
import { nameOptions, namesGiven } from "./option_names";
import { type OptionTable, parseOptions } from "./options";
import { Interrupted, throwIfInterrupted } from "./process_failure";
import { hideRememberedSecrets, rememberSecret } from "./secrets";
import { cutMiddle } from "./text";

export interface RunMode {
  /** Only report what would change. */
  readonly check: boolean;
  /** Report the changes as a diff. */
  readonly diff: boolean;
  /** Report all lines of it. */
  readonly full?: boolean;
}

/** A run's mode with the module's own way to shorten a diff. */
type Report = RunMode & { readonly shorten: (text: string, other: string) => string };

/** A module's result, as Ansible reads it. */
export interface Result {
  readonly changed: boolean;
  readonly failed?: true;
  readonly msg?: string;
  readonly diff?: readonly Diff[];
  /** The subjects of all changes. */
  readonly changes?: readonly string[];
  /** What the changes interrupt. */
  readonly disruptions?: readonly string[];
  /** What makes the changes that this module does not make. */
  readonly pending?: readonly string[];
  readonly warnings?: readonly string[];
  readonly [returned: string]: unknown;
}

export interface Diff {
  readonly before_header: string;
  readonly after_header: string;
  readonly before: string;
  readonly after: string;
}

/**
 * Runs a module: parse the options, observe, plan. Unless in check mode, apply the changes, then observe and plan again to prove
 * that nothing is left to do. `args` are without Ansible's own, `apply` makes one change, and `withLock` runs a function
 * while no other run changes the host; check mode, or a run with nothing to do, does not lock. The run fails as soon as
 * `processFailure` rejects. Never throws: a failure is a result.
 */
export async function runModule<Table extends OptionTable, Observed>(
  module: Module<Table, Observed>,
  args: ReadonlyMap<string, unknown>,
  runMode: RunMode,
  host: Host,
  apply: (change: Change) => Promise<void>,
  withLock = <T>(work: () => Promise<T>): Promise<T> => work(),
  processFailure: Promise<never> = new Promise(() => undefined),
): Promise<Result> {
  const mode = { ...runMode, shorten: (!runMode.full && module.shorten) || ((text: string): string => text) };
  const progress: Progress = { made: [], making: null };
  const names = namesGiven(args);
  const name = (message: string): string => nameOptions(message, names);
  try {
    const result = await Promise.race([processFailure, runStages(module, args, mode, host, apply, withLock, progress)]);
    const { disruptions, warnings } = result;
    return {
      ...result,
      ...(disruptions && { disruptions: disruptions.map(name) }),
      ...(warnings && { warnings: warnings.map(name) }),
    };
  } catch (error) {
    const { made, making } = progress;
    if (error instanceof Interrupted) {
      const changes = making === null ? made : [...made, making];
      return {
        failed: true,
        msg: describeInterruption(module.name, error, progress),
        ...report(changes, NOTHING, mode),
      };
    }
    return {
      failed: true,
      msg: shortened(printable(readable(hideRememberedSecrets(name(resultMessage(module.name, error)))))),
      ...(error instanceof UserError
        ? {}
        : { exception: printable(hideRememberedSecrets(String(error instanceof Error ? error.stack : error))) }),
      ...report(made, NOTHING, mode),
    };
  }
}

const NOTHING: Plan = { changes: [], returns: {} };

/** How far a run has come: the changes that it has made, and the one that it is making. */
interface Progress {
  readonly made: Change[];
  making: Change | null;
}

function describeInterruption(moduleName: string, { signal }: Interrupted, { made, making }: Progress): string {
  const what = `${moduleName}: was interrupted (found ${signal}`;
  if (made.length === 0 && making === null) return `${what}; nothing is changed). Run again.`;
  const found = [
    ...(made.length > 0 ? [`changed: ${made.map(({ subject }) => subject).join(", ")}`] : []),
    ...(making === null ? [] : [`perhaps changed in part: ${making.subject}`]),
  ];
  return `${what}; ${found.join("; ")}). Run again: that finishes the work.`;
}

/** Does what runModule() says, but throws, and keeps `progress`. */
async function runStages<Table extends OptionTable, Observed>(
  module: Module<Table, Observed>,
  args: ReadonlyMap<string, unknown>,
  mode: Report,
  host: Host,
  apply: (change: Change) => Promise<void>,
  withLock: <T>(work: () => Promise<T>) => Promise<T>,
  progress: Progress,
): Promise<Result> {
  rememberSecretOptions(module.options, args);
  const options = parseOptions(module.name, module.options, args);
  const plan = async (ifInTransition: IfInTransition): Promise<Plan> =>
    module.plan(options, await module.observe(options, host, ifInTransition));
  if (mode.check) {
    const planned = await plan("wait");
    for (const change of planned.changes) {
      const actions = change.actions.filter((action) => action.do === "validate" && action.inCheck);
      if (actions.length > 0) await apply({ ...change, actions });
    }
    return report(planned.changes, planned, mode);
  }
  // Without the lock, another run may be changing the host. Only "nothing to do" can be trusted here; an error is found again under
  // the lock.
  const unlocked = await plan("fail").catch(() => null);
  if (unlocked?.changes.every(isPending)) return report(unlocked.changes, unlocked, mode);
  return await withLock(() => applyChanges(module.name, () => plan("wait"), apply, progress, mode));
}

/** Remembers the secrets among the options, so that no message shows them. */
function rememberSecretOptions(table: OptionTable, args: ReadonlyMap<string, unknown>): void {
  for (const [name, { secret }] of Object.entries(table)) if (secret) rememberSecret(String(args.get(name) ?? ""));
}

function isPending({ pending }: Change): boolean {
  return pending !== undefined;
}

/** Plans, applies the changes, keeps `progress`, and plans again to check that none is left. */
async function applyChanges(
  moduleName: string,
  plan: () => Promise<Plan>,
  apply: (change: Change) => Promise<void>,
  progress: Progress,
  mode: Report,
): Promise<Result> {
  const planned = await plan();
  const toMake = planned.changes.filter((change) => !isPending(change));
  for (const change of toMake) {
    await throwIfInterrupted();
    progress.making = change;
    await apply(change);
    progress.made.push(change);
    progress.making = null;
  }
  const after = toMake.length > 0 ? await plan() : planned;
  const left = after.changes.filter((change) => !isPending(change));
  if (left.length > 0) {
    const what = left.map(
      ({ subject, before, after: desired }) => `${subject} is ${quote(before)}, not ${quote(desired)}`,
    );
    throw new UserError(
      `${moduleName}: the host must be as desired after all changes (found that ${what.join("; ")}). Run again with --diff, and ` +
        "check what else manages this host.",
    );
  }
  return report(planned.changes, after, mode);
}

function report(changes: readonly Change[], plan: Plan, mode: Report): Result {
  const disruptions = changes.flatMap((change) => change.disruption ?? []);
  const pending = changes.flatMap((change) => change.pending ?? []);
  const warnings = [...changes.flatMap((change) => change.warning ?? []), ...(plan.warnings ?? [])];
  return {
    changed: changes.length > 0,
    ...plan.returns,
    ...(changes.length > 0 && { changes: changes.map(({ subject }) => subject) }),
    ...(disruptions.length > 0 && { disruptions }),
    ...(pending.length > 0 && { pending }),
    ...(mode.diff && { diff: changes.map((change) => toDiff(change, mode)) }),
    ...(warnings.length > 0 && { warnings }),
  };
}

function toDiff({ subject, before, after }: Change, { shorten }: Report): Diff {
  const texts = { before: decode(shorten(before, after)), after: decode(shorten(after, before)) };
  return { before_header: subject, after_header: subject, ...texts };
}

/** Files' contents have one character per byte; the diff shows UTF-8 as text. */
function decode(content: string): string {
  return /^[\0-\xff]*$/.test(content) ? toText(content) : content;
}

/** A message may quote a file among other text: the bytes that are UTF-8 are shown as its characters. */
function readable(message: string): string {
  return message.replace(
    /(?:[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3})+/g,
    (bytes) => {
      const text = toText(bytes);
      return text.includes("\ufffd") ? bytes : text;
    },
  );
}

function quote(text: string): string {
  return JSON.stringify(text.trim() === "" ? "absent" : text.trim());
}

function resultMessage(moduleName: string, error: unknown): string {
  if (error instanceof UserError) return withFullStop(error.message);
  const cause = (error instanceof Error ? error.message : String(error)).trimEnd().replace(/\.$/, "");
  return `${moduleName}: failed unexpectedly (found: ${cause}). Report this with the output of -vvv.`;
}

/**
 * A text without control characters but line ends and tabs: what a service or program printed could otherwise write over the
 * operator's terminal. So could characters that change the direction of text.
 */
function printable(text: string): string {
  return text.replace(
    /(?![\n\t])[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

/** Cuts the middle of a long message, as it begins with what is wrong and ends with the remedy. */
function shortened(message: string): string {
  return cutMiddle(message, MAX_SHOWN, `… (${message.length} characters) …`);
}

const MAX_SHOWN = 8000;
