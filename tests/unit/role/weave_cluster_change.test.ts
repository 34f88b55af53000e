import { suite } from "uvu";
import * as assert from "uvu/assert";
import { callPlugin } from "../support/python";

/** roles/weave/filter_plugins/weave_cluster_change.py */
const test = suite("changes that all hosts must make together");

const PORTS = { weave_vxlan_id: 6783, weave_vxlan_port: 4789, weave_wireguard_port: 51820 };
const VXLAN = {
  datapath: "vxlan",
  vxlan_id: "6783",
  vxlan_port: "4789",
  wireguard_port: "",
  bridge_address: "10.2.0.1",
};
const ENCRYPTED = { ...VXLAN, datapath: "encrypted", wireguard_port: "51820" };

const change = (answer: object, datapath: string, ports: object = {}, network = "10.2.0.0/16"): string =>
  callPlugin("weave_cluster_change", "find_cluster_change", [answer, datapath, network, { ...PORTS, ...ports }]);

test("none on a host as it is to be, on a fresh one, or on one with an older router", () => {
  assert.is(change(VXLAN, "vxlan"), "");
  assert.is(change(ENCRYPTED, "encrypted", { weave_vxlan_id: "6783" }), "");
  assert.is(change({ datapath: "", bridge_address: "" }, "vxlan"), "");
  assert.is(change({ datapath: "router", bridge_address: "10.2.0.1" }, "router"), "");
});

test("the datapath, its numbers and the network, each by its variable", () => {
  const together = "must change on all hosts together";
  assert.is(
    change(VXLAN, "encrypted"),
    `weave_datapath: what carries the traffic, encrypted or not, ${together} (found encrypted to replace vxlan`,
  );
  assert.is(change(VXLAN, "vxlan", { weave_vxlan_id: 77 }), `weave_vxlan_id: ${together} (found 77 to replace 6783`);
  assert.is(
    change(ENCRYPTED, "encrypted", { weave_vxlan_port: "8472" }),
    `weave_vxlan_port: ${together} (found 8472 to replace 4789`,
  );
  assert.is(
    change(ENCRYPTED, "encrypted", { weave_wireguard_port: 51821 }),
    `weave_wireguard_port: ${together} (found 51821 to replace 51820`,
  );
  assert.is(
    change(VXLAN, "vxlan", {}, "10.3.0.0/16"),
    `weave_network: ${together} (found 10.3.0.0/16 to replace that of 10.2.0.1`,
  );
});

test("the network: a bridge's own address, a larger network, and hosts without a bridge of the role's", () => {
  assert.is(change(VXLAN, "vxlan", {}, "10.2.0.5/16"), "");
  assert.is(change(VXLAN, "vxlan", {}, "10.0.0.0/8"), "");
  assert.is(change({ ...VXLAN, datapath: "router" }, "router", {}, ""), "");
});

test.run();
