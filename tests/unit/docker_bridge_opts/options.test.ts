import { test } from "uvu";
import * as assert from "uvu/assert";
import { refusalOf } from "../support/refusal";
import { asked } from "./hosts";

test("nothing is asked that is not given", () => {
  assert.equal(asked(), {
    state: "present",
    place: "auto",
    bridge: null,
    fixed_cidr: null,
    bridge_address: null,
    dns: null,
    dns_search: null,
    mtu: null,
    opts: "",
  });
});

test("name servers are addresses, search domains names, the root too", () => {
  assert.equal(asked({ dns: "172.17.42.1 8.8.8.8" }).dns, ["172.17.42.1", "8.8.8.8"]);
  const domains = ["service.consul", "_tcp.example", "weave.local.", "."];
  assert.equal(asked({ dns_search: domains }).dns_search, domains);
});

test("a value that is of no use is refused by its option's name", () => {
  const refused = (given: Record<string, unknown>): string => refusalOf(() => asked(given));
  assert.match(refused({ dns: ["resolver"] }), 'dns: "resolver" is not an IPv4 address');
  for (const domain of ["-x.example", "a..b", "--debug", "a/b", "$x"]) {
    assert.match(refused({ dns_search: [domain] }), `dns_search: "${domain}" is not a domain name`);
  }
  assert.match(refused({ bridge: "we ave" }), "bridge: ");
  assert.match(refused({ fixed_cidr: "10.2.1.1/24" }), "did you mean 10.2.1.0/24?");
  assert.match(refused({ bridge_address: "10.2.0.1" }), "bridge_address: ");
  assert.match(refused({ mtu: 67 }), "mtu: 67 is out of range");
});

test.run();
