import type { Change } from "./change";
import { UserError } from "./errors";
import type { Host } from "./host/host";
import type { Module, Plan } from "./module";
import { type OptionTable, parseOptions } from "./options";

export interface RunMode {
  /** Only report what would change. */
  readonly check: boolean;
  /** Report the changes as a diff. */
  readonly diff: boolean;
}

/** What is printed, as Ansible reads it. */
export interface Result {
  readonly changed: boolean;
  readonly failed?: true;
  readonly msg?: string;
  readonly diff?: readonly Diff[];
  /** The subjects of all changes. */
  readonly changes?: readonly string[];
  /** What they interrupt. */
  readonly disruptions?: readonly string[];
  /** Who makes those of them that this module only finds. */
  readonly pending?: readonly string[];
  readonly warnings?: readonly string[];
  readonly [fact: string]: unknown;
}

export interface Diff {
  readonly before_header: string;
  readonly after_header: string;
  readonly before: string;
  readonly after: string;
}

/**
 * Runs a module: options, observe, plan; then, unless it is only a check, the changes, and observe and plan once more to
 * prove that nothing is left to do. Takes the arguments without Ansible's own, the host to look at, `apply`, which makes one
 * change and throws when it can't, and `alone`, which does work while nobody else changes the host; a check, and a run that
 * has nothing to do, waits for nobody. Returns the result; a failure is a result too, so it never throws.
 */
export async function runModule<Table extends OptionTable, Observed>(
  module: Module<Table, Observed>,
  args: ReadonlyMap<string, unknown>,
  mode: RunMode,
  host: Host,
  apply: (change: Change) => Promise<void>,
  alone = <T>(work: () => Promise<T>): Promise<T> => work(),
): Promise<Result> {
  const made: Change[] = [];
  try {
    const options = parseOptions(module.name, module.options, args);
    const plan = async (): Promise<Plan> => module.plan(options, await module.observe(options, host));
    if (mode.check) {
      const planned = await plan();
      return report(planned.changes, planned, mode);
    }
    // In the middle of another run a host may look like anything: from here only that there is nothing to do is believed.
    const seen = await plan().catch(() => null);
    if (seen?.changes.every(isMadeByOthers)) return report(seen.changes, seen, mode);
    return await alone(() => carryOut(plan, apply, made, mode));
  } catch (error) {
    const hide = withoutSecrets(module.options, args);
    return {
      failed: true,
      msg: shortened(hide(messageOf(module.name, error))),
      ...(error instanceof UserError ? {} : { exception: hide(String(error instanceof Error ? error.stack : error)) }),
      ...report(made, { changes: [], facts: {} }, mode),
    };
  }
}

function isMadeByOthers({ pending }: Change): boolean {
  return pending !== undefined;
}

/** Plans, makes the changes, adding each to `made`, and plans again to see that none is left. */
async function carryOut(
  plan: () => Promise<Plan>,
  apply: (change: Change) => Promise<void>,
  made: Change[],
  mode: RunMode,
): Promise<Result> {
  const planned = await plan();
  const toMake = planned.changes.filter((change) => !isMadeByOthers(change));
  for (const change of toMake) {
    await apply(change);
    made.push(change);
  }
  const after = toMake.length > 0 ? await plan() : planned;
  const left = after.changes.filter((change) => !isMadeByOthers(change));
  if (left.length > 0) {
    const what = left.map(
      ({ subject, before, after: wanted }) => `${subject} is ${quote(before)}, not ${quote(wanted)}`,
    );
    throw new UserError(
      `all changes were made, yet the host is not as wanted: ${what.join("; ")}. Run again with --diff, and look for what else manages this host.`,
    );
  }
  return report(planned.changes, after, mode);
}

/** A program that failed may have told a secret that it was given, and a message says what it told. */
function withoutSecrets(table: OptionTable, args: ReadonlyMap<string, unknown>): (text: string) => string {
  const secrets = Object.entries(table).flatMap(([name, { secret }]) => (secret ? [String(args.get(name) ?? "")] : []));
  return (text) =>
    secrets.filter((secret) => secret !== "").reduce((all, secret) => all.split(secret).join("********"), text);
}

function report(changes: readonly Change[], plan: Plan, mode: RunMode): Result {
  const disruptions = changes.flatMap((change) => change.disruption ?? []);
  const pending = changes.flatMap((change) => change.pending ?? []);
  return {
    changed: changes.length > 0,
    ...plan.facts,
    ...(changes.length > 0 && { changes: changes.map(({ subject }) => subject) }),
    ...(disruptions.length > 0 && { disruptions }),
    ...(pending.length > 0 && { pending }),
    ...(mode.diff && { diff: changes.map(toDiff) }),
    ...(plan.warnings?.length && { warnings: plan.warnings }),
  };
}

function toDiff({ subject, before, after }: Change): Diff {
  return { before_header: subject, after_header: subject, before: decode(before), after: decode(after) };
}

/** Contents of files hold a byte a character; the diff shows the text where they are UTF-8. */
function decode(content: string): string {
  return /^[\0-\xff]*$/.test(content) ? Buffer.from(content, "latin1").toString("utf8") : content;
}

function quote(text: string): string {
  return JSON.stringify(text.trim() === "" ? "absent" : text.trim());
}

function messageOf(moduleName: string, error: unknown): string {
  if (error instanceof UserError) return error.message;
  return `${moduleName} failed in a way that it should not: ${error instanceof Error ? error.message : String(error)}. Please report this with the output of -vvv.`;
}

/** Without the middle where a value that is quoted in it is long: what is wrong stands at its beginning, the remedy at its end. */
function shortened(message: string): string {
  const end = MOST_SHOWN / 2;
  return message.length <= MOST_SHOWN
    ? message
    : `${message.slice(0, end)} … (${message.length} characters) … ${message.slice(-end)}`;
}

const MOST_SHOWN = 8000;
