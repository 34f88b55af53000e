import * as fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { derivedMac, macAddress } from "../../../modules/net/validators";
import { forAll } from "../support/property";
import { userErrorOf } from "../support/user_error";

test("a MAC address is converted to lower case", () => {
  assert.is(macAddress("0E:5F:33:00:00:01"), "0e:5f:33:00:00:01");
});

test("anything but a MAC address is rejected, with how to write one", () => {
  for (const text of [
    "",
    "0e:5f:33:00:00",
    "0e-5f-33-00-00-01",
    "0e:5f:33:00:00:0g",
    "0e:5f:33:00:00:01:02",
    "e:5f:33:00:00:01",
  ]) {
    assert.is(
      userErrorOf(() => macAddress(text)),
      `must be a MAC address (found "${text}"). Write it as 0e:5f:33:00:00:01.`,
    );
  }
});

test("a multicast address, also the broadcast address, is rejected with what to change", () => {
  for (const text of ["01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff", "0f:00:00:00:00:01"]) {
    assert.match(
      userErrorOf(() => macAddress(text)),
      `must not be a multicast address (found "${text}"). Make its first octet even`,
    );
  }
});

test("a derived address never changes: hosts keep theirs with the next version too", () => {
  assert.is(derivedMac("0123456789abcdef0123456789abcdef weave"), DERIVED);
});

// FNV-1a 64 of the text by another program, folded to 48 bits, bit 1 of the first octet set and bit 0 clear.
const DERIVED = "4a:e6:e3:f3:cd:69";

test("derived addresses are unicast and locally administered, and differ", () => {
  forAll([fc.string(), fc.string()], (one, other) => {
    const mac = derivedMac(one);
    assert.is(macAddress(mac), mac);
    assert.is(Number.parseInt(mac.slice(0, 2), 16) & 0b11, 0b10);
    assert.is(derivedMac(one), mac);
    if (one !== other) assert.is.not(derivedMac(other), mac);
  });
});

test.run();
