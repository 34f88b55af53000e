import { test } from "uvu";
import * as assert from "uvu/assert";
import { addressOrHostName, isHostName } from "../../../modules/net/validators";
import { userErrorOf } from "../support/user_error";

test("host names are distinguished from addresses and other texts", () => {
  for (const name of ["host2", "host-2.example.com", "2host", "a_b", "a__b.c_d", "a".repeat(253)])
    assert.is(isHostName(name), true, name);
  for (const text of [
    "192.168.50.12",
    "192.168.50",
    "12",
    "",
    "-a",
    "a-",
    "a..b",
    "_a",
    "a_",
    "__proto__",
    "a/b",
    "eth0:1",
    "a\n",
  ]) {
    assert.is(isHostName(text), false, text);
  }
});

test("an address and a name are kept as they are, and half an address is rejected", () => {
  for (const text of ["192.168.50.12", "host2"]) assert.is(addressOrHostName(text), text);
  assert.is(
    userErrorOf(() => addressOrHostName("192.168.50.256")),
    'must be an IPv4 address or a host name (found "192.168.50.256"). Write it as 192.168.50.12.',
  );
});

test.run();
