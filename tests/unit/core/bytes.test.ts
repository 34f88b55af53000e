import { test } from "uvu";
import * as assert from "uvu/assert";
import { isUtf8, toBytes } from "../../../modules/core/bytes";

test("bytes are UTF-8 as systemd accepts it", () => {
  for (const text of ["", "a", "À", "\ufffd", "😀"]) assert.ok(isUtf8(toBytes(text)), text);
  for (const bytes of ["\xff", "\xc3", "\xed\xa0\x80", toBytes("\ufffe"), toBytes("\ufdd0"), toBytes("\u{1ffff}")])
    assert.not.ok(isUtf8(bytes), JSON.stringify(bytes));
});

test.run();
