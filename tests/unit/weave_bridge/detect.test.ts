import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Managers } from "../../../modules/weave_bridge/observed";
import { chooseProvider, observeManagers } from "../../../modules/weave_bridge/providers/detect";
import type { Contents } from "../support/fake_host/contents";
import { fakeHost } from "../support/fake_host/fake_host";
import { userErrorOf } from "../support/user_error";
import { router } from "./fixtures";

const UNITS = "/run/systemd/units/invocation:";
const observed = (contents: Contents, ...programs: string[]): Managers =>
  observeManagers("weave", new Set(programs), fakeHost(contents));

test("what manages a host is observed without a program", () => {
  const none: Managers = { ifupdown: false, networkd: "off", networkManager: false };
  assert.equal(observed({}), none);
  assert.equal(observed({ names: { "/etc/network": ["interfaces"] } }, "ifup"), { ...none, ifupdown: true });
  assert.equal(observed({ names: { "/etc/network": [] } }, "ifup"), none);
  assert.equal(observed({ names: { "/etc/network": ["interfaces"] } }), none);
  assert.is(observed({ links: { [`${UNITS}NetworkManager.service`]: "0123" } }).networkManager, true);
});

test("systemd-networkd that manages only the bridge does not manage the host", () => {
  const links = { [`${UNITS}systemd-networkd.service`]: "0123" };
  const state = (...files: string[]): Contents => ({
    links,
    names: { "/run/systemd/netif/links": files.map((_, index) => String(index)) },
    kernel: Object.fromEntries(
      files.map((file, index) => [`/run/systemd/netif/links/${index}`, `ADMIN_STATE=x\n${file}\nDNS=`]),
    ),
  });
  assert.is(observed({ links }).networkd, "runs");
  assert.is(observed(state("", "NETWORK_FILE=/etc/systemd/network/05-weave.network")).networkd, "runs");
  assert.is(observed(state("", "NETWORK_FILE=/run/systemd/network/10-netplan-eth0.network")).networkd, "manages");
  assert.is(
    observed({ ...state("NETWORK_FILE=/x"), links: {} }).networkd,
    "off",
    "state that a stopped one left does not count",
  );
});

test("the provider is the one that manages the host", () => {
  const choose = (ifupdown: boolean, networkd: Managers["networkd"], provider = "auto") =>
    chooseProvider(router({ provider }), { ifupdown, networkd, networkManager: false });
  assert.is(choose(true, "off"), "ifupdown");
  assert.is(choose(true, "runs"), "ifupdown");
  assert.is(choose(true, "manages"), "networkd");
  assert.is(choose(false, "runs"), "networkd");
  assert.is(choose(true, "runs", "networkd"), "networkd");
  assert.is(choose(true, "manages", "ifupdown"), "ifupdown");
  assert.match(
    userErrorOf(() => choose(false, "off")),
    /^provider: needs ifupdown or systemd-networkd on this host/,
  );
  assert.match(
    userErrorOf(() => choose(true, "off", "networkd")),
    /^provider: systemd-networkd must run on this host/,
  );
  assert.match(
    userErrorOf(() => choose(false, "runs", "ifupdown")),
    /^provider: ifupdown must be installed/,
  );
});

test.run();
