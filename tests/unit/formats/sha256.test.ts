import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { sha256 } from "../../../modules/formats/sha256";
import { forAll } from "../support/property";

const nodes = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

test("it is SHA-256, with any bytes", () => {
  forAll([fc.uint8Array({ maxLength: 400 })], (bytes) => {
    assert.is(sha256(bytes).toString("hex"), nodes(bytes));
  });
});

test("and with any length about the end of a block", () => {
  for (let length = 0; length < 200; length++) {
    const bytes = Buffer.alloc(length, "abc");
    assert.is(sha256(bytes).toString("hex"), nodes(bytes), `${length} bytes`);
  }
});

test.run();
