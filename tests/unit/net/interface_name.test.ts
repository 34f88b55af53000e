import { test } from "uvu";
import * as assert from "uvu/assert";
import { interfaceName } from "../../../modules/net/validators";
import { refusalOf } from "../support/refusal";

test("letters, digits, - _ and . make a name, up to 15 of them", () => {
  for (const text of ["weave", "br-0", "eth0.100", "a", "A_b", "0123456789abcde"]) assert.is(interfaceName(text), text);
});

test("what the kernel, ifupdown or a shell would take for something else is refused", () => {
  for (const text of ["", "-b", ".", "..", "a b", "a/b", "a:1", "a;b", "a\n", "$x", "é", "0123456789abcdef", "a%d"]) {
    assert.match(
      refusalOf(() => interfaceName(text)),
      `"${text}" is not an interface name. Use up to 15 letters`,
    );
  }
});

test.run();
