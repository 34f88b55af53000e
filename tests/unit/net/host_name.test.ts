import { test } from "uvu";
import * as assert from "uvu/assert";
import { addressOrHostName, isHostName, isOwnName } from "../../../modules/net/validators";
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
    '"192.168.50.256" is neither an IPv4 address nor a host name; write it as 192.168.50.12',
  );
});

test("a host's own name is the kernel's, with or without a domain on either side", () => {
  for (const [name, hostName] of [
    ["a", "a"],
    ["A", "a"],
    ["a.example.com", "a"],
    ["a", "a.example.com"],
  ] as const) {
    assert.is(isOwnName(name, hostName), true, `${name} ${hostName}`);
  }
  for (const [name, hostName] of [
    ["a", "b"],
    ["a.example.com", "a.example.org"],
    ["a", ""],
    ["10.0.0.1", "10"],
  ] as const) {
    assert.is(isOwnName(name, hostName), false, `${name} ${hostName}`);
  }
});

test.run();
