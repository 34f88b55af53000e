import { test } from "uvu";
import * as assert from "uvu/assert";
import { requireSubnetOfBridge } from "../../../modules/docker_bridge_opts/bridge_checks";
import { userErrorOf } from "../support/user_error";

test("a subnet inside the bridge's network is accepted, and one outside it is rejected with the reason", () => {
  requireSubnetOfBridge(new Map([["fixed-cidr", ["10.2.1.0/24"]]]), "10.2.0.1/16");
  requireSubnetOfBridge(new Map([["fixed-cidr", ["10.2.0.0/16"]]]), "10.2.0.1/16");
  assert.is(
    userErrorOf(() => requireSubnetOfBridge(new Map([["fixed-cidr", ["10.3.1.0/24"]]]), "10.2.0.1/16")),
    "fixed_cidr: must be in the bridge's network 10.2.0.0/16, or dockerd ignores it and assigns addresses that other hosts use " +
      "(found 10.3.1.0/24; the bridge has 10.2.0.1/16). Set a subnet of that network.",
  );
});

test("a subnet in opts must have the same form as the option", () => {
  for (const subnet of ["10.2.1.5/24", "weave", "10.2.1.0"]) {
    assert.match(
      userErrorOf(() => requireSubnetOfBridge(new Map([["fixed-cidr", [subnet]]]), null)),
      /^fixed-cidr: /,
    );
  }
});

test("without a subnet or an address to check it against, everything is accepted", () => {
  requireSubnetOfBridge(new Map(), "10.2.0.1/16");
  requireSubnetOfBridge(new Map([["fixed-cidr", ["10.3.1.0/24"]]]), null);
});

test.run();
