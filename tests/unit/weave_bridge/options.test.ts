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
    'peers: must be an IPv4 address or a host name (found "192.168.50")',
  );
  assert.match(
    errorOf({ peers: ["127.0.0.1"] }),
    'peers: must be an address of a host on a network (found "127.0.0.1")',
  );
  assert.match(errorOf({ network: "10.2.3.0/16" }), "Set 10.2.0.0/16.");
  assert.match(errorOf({ address: "10.2.0.1" }), "address: ");
  assert.match(errorOf({ address: "10.2.0.0/16" }), "first or last address");
  assert.match(errorOf({ docker_subnet: "10.2.1.1/24" }), "Set 10.2.1.0/24.");
  assert.match(errorOf({ mac: "01:00:00:00:00:00" }), "mac: ");
  assert.match(errorOf({ datapath: "fastdp" }), 'datapath: must be one of: router, vxlan (found "fastdp")');
  assert.match(errorOf({ host_index: 0 }), "host_index: must be from 1 to 16777216 (found 0)");
  assert.match(errorOf({ vxlan_port: 65536 }), "vxlan_port: must be from 1 to 65535 (found 65536)");
  assert.match(errorOf({ vxlan_id: 16777216 }), "vxlan_id: must be from 1 to 16777215 (found 16777216)");
  assert.match(errorOf({ mtu: 100 }), "mtu: must be from 576 to 65535 (found 100)");
});

test("a name leaves room for the suffix of the VXLAN device", () => {
  assert.is(optionsOf(options, { name: "123456789012" }).name, "123456789012");
  assert.match(
    errorOf({ name: "1234567890123" }),
    /^name: must have at most 12 characters, .* with -vx appended \(found "1234567890123", 13 characters\)\. /,
  );
  assert.match(errorOf({ name: "we ave" }), /^name: must be the name of an interface \(found "we ave"\)/);
});

test("a name that the kernel takes for all interfaces, or that another program makes a bridge of, is rejected", () => {
  for (const name of ["all", "default"])
    assert.match(
      errorOf({ name }),
      `name: must be a name that the kernel accepts for an interface (found "${name}", which means all`,
    );
  for (const [name, owner] of [
    ["docker0", "Docker"],
    ["podman1", "Podman"],
    ["cni0", "Kubernetes"],
    ["virbr12", "libvirt"],
    ["lxcbr0", "LXC"],
  ] as const) {
    assert.is(
      errorOf({ name }),
      `name: must not be the name of a bridge that ${owner} creates and deletes itself (found "${name}"). Set another name, such as weave.`,
    );
  }
  for (const name of ["docker1", "br-docker0", "all0"]) assert.is(optionsOf(options, { name }).name, name);
});

test("a container subnet has room for containers", () => {
  for (const docker_subnet of ["10.2.1.0/31", "10.2.1.1/32"])
    assert.is(
      errorOf({ docker_subnet }),
      `docker_subnet: must have room for containers (found "${docker_subnet}"). Set a prefix length of 30 at most.`,
    );
  assert.is(optionsOf(options, { docker_subnet: "10.2.1.0/30" }).docker_subnet, "10.2.1.0/30");
});

test("a peer's name may have underscores", () => {
  assert.equal(optionsOf(options, { peers: ["my_host", "a_b.example.com"] }).peers, ["my_host", "a_b.example.com"]);
});

test.run();
