import * as fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { isOwnName, withoutOwnHost } from "../../../modules/net/own_host";
import { forAll } from "../support/property";

const HOST1 = { hostName: "host1", addresses: ["192.168.50.11", "172.20.0.1"] };

test("the host's addresses and its name are left out, and all else is kept as it is", () => {
  const others = ["192.168.50.12", "host2", "host11", "1host", "192.168.50.111"];
  assert.equal(withoutOwnHost(["172.20.0.1", ...others, "192.168.50.11", "Host1", "host1"], HOST1), others);
});

test("a name with or without its domain is the same", () => {
  assert.equal(withoutOwnHost(["host1.example.com", "host2"], HOST1), ["host2"]);
  assert.equal(withoutOwnHost(["host1", "host2"], { ...HOST1, hostName: "host1.example.com" }), ["host2"]);
  const elsewhere = ["host1.example.org"];
  assert.equal(withoutOwnHost(elsewhere, { ...HOST1, hostName: "host1.example.com" }), elsewhere);
});

test("of hosts that differ only by domain none is left out, except one with the exact name", () => {
  const alike = ["host1.example.com", "host1.example.org"];
  assert.equal(withoutOwnHost(alike, HOST1), alike);
  assert.equal(withoutOwnHost([...alike, "host1"], HOST1), alike);
  assert.equal(withoutOwnHost(alike, { ...HOST1, hostName: "host1.example.com" }), ["host1.example.org"]);
});

test("a host name is not compared with addresses, and a host without a name has only its addresses", () => {
  assert.equal(withoutOwnHost(["10.0.0.2", "host2"], { hostName: "10", addresses: [] }), ["10.0.0.2", "host2"]);
  assert.equal(withoutOwnHost(["host1", "10.0.0.2"], { hostName: "", addresses: ["10.0.0.2"] }), ["host1"]);
});

test("each host gets the others from one list of all hosts", () => {
  const host = fc.record({ number: fc.integer({ min: 1, max: 254 }), form: fc.nat(2) });
  forAll([fc.uniqueArray(host, { minLength: 1, maxLength: 20, selector: ({ number }) => number })], (hosts) => {
    const written = ({ number, form }: (typeof hosts)[number]): string =>
      [`h${number}`, `h${number}.example.com`, `10.0.0.${number}`][form] ?? "";
    for (const self of hosts) {
      const expected = hosts.filter((each) => each !== self).map(written);
      const own = { hostName: `h${self.number}`, addresses: [`10.0.0.${self.number}`] };
      assert.equal(withoutOwnHost(hosts.map(written), own), expected);
    }
  });
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
