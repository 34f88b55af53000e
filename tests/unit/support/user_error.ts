import * as assert from "uvu/assert";
import { UserError } from "../../../modules/core/errors";
import { nameOptions } from "../../../modules/core/option_names";

/** The message of the UserError that `call` throws, as the operator reads it. Fails if it throws nothing, or another error. */
export function userErrorOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    assert.instance(error, UserError, `not a UserError: ${String(error)}`);
    return nameOptions((error as UserError).message, {});
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
