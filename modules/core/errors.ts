/**
 * An expected failure, with a message for the operator: it names the option, file or command, what was found and what to do
 * next. Any other error that reaches the top is reported as a bug of the module.
 */
export class UserError extends Error {
  override readonly name = "UserError";
}

/** A message with the full stop that its last sentence may lack, such as one that ends with what a program printed. */
export function withFullStop(message: string): string {
  return /[.?!]$/.test(message.trimEnd()) ? message : `${message.trimEnd()}.`;
}

/** A service that does not answer now, and may later: it is starting, stopping or stuck. */
export class NoAnswer extends UserError {}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
