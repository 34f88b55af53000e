import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  addressOf,
  contains,
  hostAddress,
  ipv4,
  ipv4Interface,
  ipv4Network,
  networkOf,
} from "../../../modules/net/ipv4";
import { userErrorOf } from "../support/user_error";

const NO_ADDRESSES = [
  "",
  "10.2",
  "10.2.0",
  "10.2.0.256",
  "010.2.0.1",
  "10.2.0.01",
  "10.2.0.1 ",
  " 10.2.0.1",
  "10.2.0.1\n",
  "10.2.0.1.5",
  "0x0a.2.0.1",
  "10.2.0.-1",
  "::1",
  "weave",
  "10.2.0.1/16",
  "١٠.2.0.1",
];

test("an address is four decimal numbers up to 255, without leading zeros", () => {
  for (const text of ["0.0.0.0", "10.2.0.1", "192.168.50.11", "255.255.255.255", "249.199.99.9"]) {
    assert.is(ipv4(text), text);
  }
});

test("anything but an address is rejected, with how to write one", () => {
  for (const text of NO_ADDRESSES) {
    assert.is(
      userErrorOf(() => ipv4(text)),
      `must be an IPv4 address (found "${text}"). Write it as 192.168.50.11.`,
    );
  }
});

test("an interface's address has a prefix length", () => {
  for (const text of ["10.2.0.1/16", "10.2.255.254/16", "192.168.50.11/24", "10.0.0.1/30"]) {
    assert.is(ipv4Interface(text), text);
  }
  for (const text of [
    "10.2.0.1",
    "10.2.0.1/",
    "10.2.0.1/33",
    "10.2.0.1/016",
    "10.2.0.1/255.255.0.0",
    "10.2.0.256/16",
  ]) {
    assert.match(
      userErrorOf(() => ipv4Interface(text)),
      `must be an IPv4 address with a prefix length (found "${text}"). Write it as 10.2.0.1/16.`,
    );
  }
});

test("an address that a host can't have is rejected, and one without room for containers", () => {
  for (const text of ["0.0.0.0", "127.0.0.9", "224.0.0.1", "255.255.255.255"]) {
    assert.match(
      userErrorOf(() => hostAddress(text)),
      `must be an address of a host on a network (found "${text}"). Set one such as 192.168.50.11.`,
    );
  }
  assert.is(hostAddress("192.168.50.12"), "192.168.50.12");
  for (const text of ["224.0.0.0/8", "127.0.0.0/8", "0.0.0.0/0"]) {
    assert.match(
      userErrorOf(() => ipv4Network(text)),
      "must be an address of a host on a network (found ",
    );
  }
  assert.match(
    userErrorOf(() => ipv4Interface("10.0.0.1/32")),
    "must have room for containers in its network (found ",
  );
});

test("the first and last address of a network are rejected", () => {
  assert.is(
    userErrorOf(() => ipv4Interface("10.2.0.0/16")),
    'must not be the first or last address of its network (found "10.2.0.0/16"). Set another address of 10.2.0.0/16.',
  );
  assert.match(
    userErrorOf(() => ipv4Interface("10.2.255.255/16")),
    "must not be the first or last address of its network",
  );
});

test("a network is given by its first address, and the message names it", () => {
  for (const text of ["10.2.0.0/16", "10.2.1.0/24", "10.2.0.1/32"]) assert.is(ipv4Network(text), text);
  assert.is(
    userErrorOf(() => ipv4Network("10.2.3.4/16")),
    'must begin with the network\'s first address (found "10.2.3.4/16"). Set 10.2.0.0/16.',
  );
});

test("anything but a network is rejected, with how to write one", () => {
  for (const text of ["10.2.0.0", "10.2/16", "10.2.0.0/33", "10.2.0.0/-1", "weave", ""]) {
    assert.is(
      userErrorOf(() => ipv4Network(text)),
      `must be an IPv4 network (found "${text}"). Write it as 10.2.0.0/16.`,
    );
  }
});

test("an interface's address is split into address and network", () => {
  assert.is(addressOf("10.2.0.1/16"), "10.2.0.1");
  assert.is(networkOf("10.2.0.1/16"), "10.2.0.0/16");
  assert.is(networkOf("10.2.0.1/32"), "10.2.0.1/32");
});

test("a network contains itself and what is entirely inside it", () => {
  assert.ok(contains("10.2.0.0/16", "10.2.255.255"));
  assert.ok(contains("10.2.0.0/16", "10.2.1.0/24"));
  assert.ok(contains("10.2.0.0/16", "10.2.0.0/16"));
  assert.ok(contains("0.0.0.0/0", "192.168.50.0/24"));
  assert.not.ok(contains("10.2.0.0/16", "10.3.0.0"));
  assert.not.ok(contains("10.2.0.0/16", "10.1.255.255"));
  assert.not.ok(contains("10.2.1.0/24", "10.2.0.0/16"));
  assert.not.ok(contains("10.2.0.0/16", "10.2.0.0/15"));
});

test.run();
