import * as assert from "uvu/assert";
import { UserError } from "../../../modules/core/errors";

/** Takes what is to be refused; returns the refusal's message. Fails where there is none, or another error. */
export function refusalOf(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    assert.instance(error, UserError, `another error than a refusal: ${String(error)}`);
    return (error as UserError).message;
  }
  assert.unreachable("it was not refused");
  return "";
}

/** The same for what answers later. */
export async function refusalLater(attempt: () => Promise<unknown>): Promise<string> {
  const outcome = await attempt().then(
    () => null,
    (error: unknown) => error,
  );
  return refusalOf(() => {
    if (outcome !== null) throw outcome;
  });
}
