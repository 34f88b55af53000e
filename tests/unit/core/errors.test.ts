import { test } from "uvu";
import * as assert from "uvu/assert";
import { orNull, UserError, withSubject } from "../../../modules/core/errors";

const fail = (error: Error) => (): never => {
  throw error;
};

test("an error is given its subject, and keeps the kernel's code", () => {
  try {
    withSubject("/etc/weave.env", fail(new UserError("must be a file (found none).", "ENOENT")));
    assert.unreachable();
  } catch (error) {
    assert.is(error instanceof UserError && error.message, "/etc/weave.env: must be a file (found none).");
    assert.is(error instanceof UserError && error.code, "ENOENT");
  }
  assert.is(
    withSubject("/etc/weave.env", () => 1),
    1,
  );
});

test("only what the operator can mend counts as missing: an error of the code itself is thrown on", () => {
  assert.is(orNull(fail(new UserError("must be set (found none)."))), null);
  assert.is(
    orNull(() => 1),
    1,
  );
  assert.throws(() => orNull(fail(new TypeError("x is undefined"))), /x is undefined/);
  assert.throws(() => withSubject("x", fail(new TypeError("x is undefined"))), /^x is undefined/);
});

test.run();
