import { test } from "uvu";
import * as assert from "uvu/assert";
import { options } from "../../../modules/weave_bridge/options";
import { optionsOf } from "../support/options";
import { refusalOf } from "../support/refusal";

const refused = (given: Record<string, unknown>): string => refusalOf(() => optionsOf(options, given));

test("without any options the defaults are Apollo's", () => {
  const { name, network, docker_prefix, datapath, peers } = optionsOf(options, {});
  assert.equal([name, network, docker_prefix, datapath, peers], ["weave", "10.2.0.0/16", 24, "router", []]);
});

test("values come as templates and key=value make them", () => {
  const values = optionsOf(options, {
    host_index: "3",
    peers: "192.168.50.12,host3.example.com",
    vxlan_id: "42",
    mtu: "1400",
  });
  assert.equal([values.host_index, values.vxlan_id, values.mtu], [3, 42, 1400]);
  assert.equal(values.peers, ["192.168.50.12", "host3.example.com"]);
});

test("a value that is of no use is refused by its option's name", () => {
  assert.match(
    refused({ peers: ["host2", "192.168.50"] }),
    'peers: "192.168.50" is neither an IPv4 address nor a host name',
  );
  assert.match(refused({ peers: ["127.0.0.1"] }), 'peers: "127.0.0.1" is no address that a host has on a network');
  assert.match(refused({ network: "10.2.3.0/16" }), "did you mean 10.2.0.0/16?");
  assert.match(refused({ address: "10.2.0.1" }), "address: ");
  assert.match(refused({ address: "10.2.0.0/16" }), "first or last address");
  assert.match(refused({ docker_subnet: "10.2.1.1/24" }), "did you mean 10.2.1.0/24?");
  assert.match(refused({ mac: "01:00:00:00:00:00" }), "mac: ");
  assert.match(refused({ datapath: "fastdp" }), "datapath: must be one of: router, vxlan, got: fastdp");
  assert.match(refused({ host_index: 0 }), "host_index: 0 is out of range");
  assert.match(refused({ vxlan_port: 65536 }), "vxlan_port: 65536 is out of range");
  assert.match(refused({ vxlan_id: 16777216 }), "vxlan_id: 16777216 is out of range");
  assert.match(refused({ mtu: 100 }), "mtu: 100 is out of range");
});

test("a name leaves room for the VXLAN device's", () => {
  assert.is(optionsOf(options, { name: "123456789012" }).name, "123456789012");
  assert.match(refused({ name: "1234567890123" }), /^name: "1234567890123" is too long, as 1234567890123-vx/);
  assert.match(refused({ name: "we ave" }), /^name: "we ave" is not an interface's name/);
});

test.run();
