import { test } from "uvu";
import * as assert from "uvu/assert";
import { addressOrHostName, isHostName } from "../../../modules/net/validators";
import { refusalOf } from "../support/refusal";

test("names of hosts are told from addresses, and from what is neither", () => {
  for (const name of ["host2", "host-2.example.com", "2host", "a".repeat(253)]) assert.is(isHostName(name), true, name);
  for (const text of ["192.168.50.12", "192.168.50", "12", "", "-a", "a-", "a..b", "a_b", "a/b", "eth0:1", "a\n"]) {
    assert.is(isHostName(text), false, text);
  }
});

test("an address and a name are taken as they are, and half an address is refused", () => {
  for (const text of ["192.168.50.12", "host2"]) assert.is(addressOrHostName(text), text);
  assert.is(
    refusalOf(() => addressOrHostName("192.168.50.256")),
    '"192.168.50.256" is neither an IPv4 address nor a host name. Write it as 192.168.50.12.',
  );
});

test.run();
