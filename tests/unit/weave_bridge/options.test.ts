import { test } from "uvu";
import * as assert from "uvu/assert";
import { options } from "../../../modules/weave_bridge/options";
import { optionsOf } from "../support/options";
import { userErrorOf } from "../support/user_error";

const errorOf = (given: Record<string, unknown>): string => userErrorOf(() => optionsOf(options, given));

test("without any options the defaults are Apollo's", () => {
  const { name, network, docker_prefix, datapath, peers } = optionsOf(options, {});
  assert.equal([name, network, docker_prefix, datapath, peers], ["weave", "10.2.0.0/16", 24, "router", []]);
});

test("values are accepted as templates and key=value pass them", () => {
  const values = optionsOf(options, {
    host_index: "3",
    peers: "192.168.50.12,host3.example.com",
    vxlan_id: "42",
    mtu: "1400",
  });
  assert.equal([values.host_index, values.vxlan_id, values.mtu], [3, 42, 1400]);
  assert.equal(values.peers, ["192.168.50.12", "host3.example.com"]);
});

test("an invalid value is rejected with its option's name", () => {
  assert.match(
    errorOf({ peers: ["host2", "192.168.50"] }),
    'peers: "192.168.50" is neither an IPv4 address nor a host name',
  );
  assert.match(errorOf({ peers: ["127.0.0.1"] }), 'peers: "127.0.0.1" is not an address of a host on a network');
  assert.match(errorOf({ network: "10.2.3.0/16" }), "did you mean 10.2.0.0/16?");
  assert.match(errorOf({ address: "10.2.0.1" }), "address: ");
  assert.match(errorOf({ address: "10.2.0.0/16" }), "first or last address");
  assert.match(errorOf({ docker_subnet: "10.2.1.1/24" }), "did you mean 10.2.1.0/24?");
  assert.match(errorOf({ mac: "01:00:00:00:00:00" }), "mac: ");
  assert.match(errorOf({ datapath: "fastdp" }), "datapath: must be one of: router, vxlan, got: fastdp");
  assert.match(errorOf({ host_index: 0 }), "host_index: 0 is out of range");
  assert.match(errorOf({ vxlan_port: 65536 }), "vxlan_port: 65536 is out of range");
  assert.match(errorOf({ vxlan_id: 16777216 }), "vxlan_id: 16777216 is out of range");
  assert.match(errorOf({ mtu: 100 }), "mtu: 100 is out of range");
});

test("a name leaves room for the suffix of the VXLAN device", () => {
  assert.is(optionsOf(options, { name: "123456789012" }).name, "123456789012");
  assert.match(
    errorOf({ name: "1234567890123" }),
    /^name: "1234567890123" is too long \(13 characters\), as the VXLAN device is named 1234567890123-vx\. Use at most 12 /,
  );
  assert.match(errorOf({ name: "we ave" }), /^name: "we ave" is not an interface name/);
});

test.run();
