import * as fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { othersOf } from "../../../modules/weave_service/others";
import { forAll } from "../support/property";

const HOST1 = { hostName: "host1", ownAddresses: ["192.168.50.11", "172.20.0.1"] };

test("any of the host's addresses, and its name, are left out, and all else is kept as it is", () => {
  const others = ["192.168.50.12", "host2", "host11", "1host", "192.168.50.111"];
  assert.equal(othersOf(["172.20.0.1", ...others, "192.168.50.11", "Host1", "host1"], HOST1), others);
});

test("a name with or without its domain is the same", () => {
  assert.equal(othersOf(["host1.example.com", "host2"], HOST1), ["host2"]);
  assert.equal(othersOf(["host1", "host2"], { ...HOST1, hostName: "host1.example.com" }), ["host2"]);
  const elsewhere = ["host1.example.org"];
  assert.equal(othersOf(elsewhere, { ...HOST1, hostName: "host1.example.com" }), elsewhere);
});

test("of hosts that differ in their domains alone none is left out, but for one of the very name", () => {
  const alike = ["host1.example.com", "host1.example.org"];
  assert.equal(othersOf(alike, HOST1), alike);
  assert.equal(othersOf([...alike, "host1"], HOST1), alike);
  assert.equal(othersOf(alike, { ...HOST1, hostName: "host1.example.com" }), ["host1.example.org"]);
});

test("a host's name is not looked for in addresses, and one without a name has its addresses alone", () => {
  assert.equal(othersOf(["10.0.0.2", "host2"], { hostName: "10", ownAddresses: [] }), ["10.0.0.2", "host2"]);
  assert.equal(othersOf(["host1", "10.0.0.2"], { hostName: "", ownAddresses: ["10.0.0.2"] }), ["host1"]);
});

test("one list of all hosts gives each host the others", () => {
  const host = fc.record({ number: fc.integer({ min: 1, max: 254 }), form: fc.nat(2) });
  forAll([fc.uniqueArray(host, { minLength: 1, maxLength: 20, selector: ({ number }) => number })], (hosts) => {
    const written = ({ number, form }: (typeof hosts)[number]): string =>
      [`h${number}`, `h${number}.example.com`, `10.0.0.${number}`][form] ?? "";
    for (const self of hosts) {
      const expected = hosts.filter((each) => each !== self).map(written);
      const own = { hostName: `h${self.number}`, ownAddresses: [`10.0.0.${self.number}`] };
      assert.equal(othersOf(hosts.map(written), own), expected);
    }
  });
});

test.run();
