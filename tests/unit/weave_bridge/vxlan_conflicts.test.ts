import { test } from "uvu";
import * as assert from "uvu/assert";
import type { IpLink } from "../../../modules/formats/iproute";
import { resolveDesired } from "../../../modules/weave_bridge/desired";
import type { BridgeOptions } from "../../../modules/weave_bridge/options";
import { userErrorOf } from "../support/user_error";
import { FRESH, router, vxlan, vxlanLink } from "./fixtures";

const resolve = (other: IpLink, options: BridgeOptions = vxlan()): unknown =>
  resolveDesired(options, { ...FRESH, links: [...FRESH.links, other] });

test("a VXLAN with the identifier and port of another device is rejected, as the kernel would not create a second one", () => {
  assert.is(
    userErrorOf(() => resolve(vxlanLink("other-vx", {}))),
    "vxlan_id: 6783 with vxlan_port 4789 must be free on this host (found in use by other-vx). Set another vxlan_id on all " +
      "hosts, or delete that device (ip link del other-vx).",
  );
  for (const fits of [
    vxlanLink("weave-vx", {}),
    vxlanLink("other-vx", { port: 8472 }),
    vxlanLink("vx6", { ipv6: true }),
  ])
    resolve(fits);
  resolve(vxlanLink("other-vx", {}), vxlan({ vxlan_id: 6784 }));
  resolve(vxlanLink("other-vx", {}), router());
});

test("a VXLAN on the same port with other flags is rejected, whatever its identifier, and also while it is down", () => {
  for (const flags of [["external"], ["gbp"], ["external", "vnifilter"], ["udp6zerocsumrx"]]) {
    for (const up of [true, false]) {
      assert.is(
        userErrorOf(() => resolve(vxlanLink("vxlan_sys_4789", { id: 0, flags }, { up }))),
        `vxlan_port: UDP port 4789 must be free on this host (found in use by vxlan_sys_4789, a VXLAN with other flags: ${flags.join(", ")}). ` +
          "Set another vxlan_port on all hosts, or delete it (ip link del vxlan_sys_4789).",
      );
    }
    resolve(vxlanLink("other-vx", { flags, port: 8472 }));
    resolve(vxlanLink("other-vx", { flags, ipv6: true }));
    resolve(vxlanLink("weave-vx", { flags }));
    resolve(vxlanLink("other-vx", { flags }), router());
  }
});

test("a port that a process holds is rejected with the process", () => {
  const held = { ...FRESH, portHolder: "dnsmasq (process 812)" };
  assert.is(
    userErrorOf(() => resolveDesired(vxlan(), held)),
    "vxlan_port: UDP port 4789 must be free on this host (found in use by dnsmasq (process 812)). Set another vxlan_port on all " +
      "hosts, or stop it.",
  );
  resolveDesired(router(), held);
});

test.run();
