import { test } from "uvu";
import * as assert from "uvu/assert";
import { interfaceName } from "../../../modules/net/validators";
import { userErrorOf } from "../support/user_error";

test("a name has up to 15 letters, digits, - _ and .", () => {
  for (const text of ["weave", "br-0", "eth0.100", "a", "A_b", "0123456789abcde"]) assert.is(interfaceName(text), text);
});

test("a name that the kernel, ifupdown or a shell would read as something else is rejected", () => {
  for (const text of ["", "-b", ".", "..", "a b", "a/b", "a:1", "a;b", "a\n", "$x", "é", "0123456789abcdef", "a%d"]) {
    assert.match(
      userErrorOf(() => interfaceName(text)),
      `must be the name of an interface (found "${text}"). Use up to 15 letters`,
    );
  }
});

test("a name that the kernel keeps for all interfaces is rejected", () => {
  for (const text of ["all", "default"]) {
    assert.is(
      userErrorOf(() => interfaceName(text)),
      `must be a name that the kernel accepts for an interface (found "${text}", which means all of them in /proc/sys/net). Set another name.`,
    );
  }
});

test.run();
