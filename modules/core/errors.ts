/**
 * An expected failure, with a message for the operator: it names the option, file or command, what was found and what to do
 * next. Any other error that reaches the top is reported as a bug of the module.
 */
export class UserError extends Error {
  override readonly name = "UserError";

  /** `code`: the kernel's error behind it, such as EACCES, if there is one. */
  constructor(
    message: string,
    readonly code: string | null = null,
  ) {
    super(message);
  }
}

/** Calls a function. If it throws a UserError, that begins with the subject: the option or file that it is about. */
export function withSubject<T>(subject: string, compute: () => T): T {
  try {
    return compute();
  } catch (error) {
    throw error instanceof UserError ? new UserError(`${subject}: ${error.message}`, error.code) : error;
  }
}

/** What a function returns; null if it throws a UserError, as for what can't be computed on this host. */
export function orNull<T>(compute: () => T): T | null {
  try {
    return compute();
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}

/** What follows "Run as root" for a module that Ansible runs. The command leaves it out. */
export const BECOME_HINT = " (become: true)";

/** A message with the full stop that its last sentence may lack, such as one that ends with what a program printed. */
export function withFullStop(message: string): string {
  return /[.?!]$/.test(message.trimEnd()) ? message : `${message.trimEnd()}.`;
}

/** A request without a usable answer. `found`: what came instead, in words. */
export class RequestError extends UserError {
  constructor(
    readonly request: string,
    readonly found: string,
    remedy = "See whether the service runs, and run again.",
    code: string | null = null,
  ) {
    super(`${request}: must be answered (found ${found}). ${remedy}`, code);
  }
}

/** A service that does not answer now, and may later: it is starting, stopping or stuck. */
export class NoAnswer extends RequestError {}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
