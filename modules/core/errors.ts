/**
 * An expected failure: its message is written for the operator. It names the option, file or command, says what was
 * found and what to do next. Any other error that reaches the top is a defect of the module and is reported as one.
 */
export class UserError extends Error {
  override readonly name = "UserError";
}

/** What was thrown, in words. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
