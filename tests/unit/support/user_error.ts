import * as assert from "uvu/assert";
import { UserError } from "../../../modules/core/errors";

/** The message of the UserError that `call` throws. Fails if it throws nothing, or another error. */
export function userErrorOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    assert.instance(error, UserError, `not a UserError: ${String(error)}`);
    return (error as UserError).message;
  }
  assert.unreachable("it threw nothing");
  return "";
}

/** The same for an asynchronous call. */
export async function userErrorLater(call: () => Promise<unknown>): Promise<string> {
  const outcome = await call().then(
    () => null,
    (error: unknown) => error,
  );
  return userErrorOf(() => {
    if (outcome !== null) throw outcome;
  });
}
