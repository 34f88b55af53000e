import { test } from "uvu";
import * as assert from "uvu/assert";
import { userErrorOf } from "../support/user_error";
import { asked } from "./fixtures";

test("every option has a default", () => {
  assert.equal(asked(), {
    state: "present",
    location: "auto",
    network: "bridge",
    bridge: null,
    fixed_cidr: null,
    bridge_address: null,
    dns: null,
    dns_search: null,
    mtu: null,
    opts: "",
    option_names: {},
  });
});

test("name servers are addresses, search domains are names or the root", () => {
  assert.equal(asked({ dns: "172.17.42.1 8.8.8.8" }).dns, ["172.17.42.1", "8.8.8.8"]);
  const domains = ["service.consul", "3com.example", "weave.local.", "."];
  assert.equal(asked({ dns_search: domains }).dns_search, domains);
});

test("an invalid value is rejected, and the message begins with the option's name", () => {
  const rejected = (given: Record<string, unknown>): string => userErrorOf(() => asked(given));
  assert.match(rejected({ dns: ["resolver"] }), 'dns: must be an IP address (found "resolver")');
  for (const domain of ["-x.example", "_tcp.example", "1.2", "a..b", "--debug", "a/b", "$x"]) {
    assert.match(
      rejected({ dns_search: [domain] }),
      `dns_search: must be a domain name of letters, digits, hyphens and dots (found "${domain}")`,
    );
  }
  assert.match(rejected({ bridge: "we ave" }), "bridge: ");
  assert.match(rejected({ fixed_cidr: "10.2.1.1/24" }), "Set 10.2.1.0/24.");
  assert.match(rejected({ bridge_address: "10.2.0.1" }), "bridge_address: ");
  assert.match(rejected({ mtu: 67 }), "mtu: must be from 68 to 65535 (found 67)");
});

test.run();
