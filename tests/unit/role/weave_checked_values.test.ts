import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Reader, ROUTER, wrong } from "../support/invalid_values";
import { callPlugin } from "../support/python";

/** Which values of the role's variables weave_invalid_values.py checks. */
const test = suite("the values of the role's variables that are checked");

/** Values that nothing reads, with the variable that turns off what reads them. */
const UNREAD: readonly (readonly [given: Readonly<Record<string, unknown>>, reader: Reader])[] = [
  [{ weave_version: "git-6a238818daf2", weave_download: false }, ROUTER],
  [{ weave_version: "latest", weave_download: "no" }, ROUTER],
  [{ weave_url: "", weave_script_file: "/root/weave" }, ROUTER],
  [{ weave_scope_url: null, weave_scope_download: false }, {}],
  [{ weave_scope_url: "", weave_scope_script_file: "/root/scope" }, {}],
  [{ consul_domain: "my_consul", weave_docker_opts: "--dns 8.8.8.8" }, {}],
  [{ weave_dns_domain: "my_domain.local", weave_dns: false }, ROUTER],
  [{ weave_image_directory: "", weave_image_archives: [] }, {}],
  [{ weave_proxy_args: "-H unix:///run/weave.sock" }, { ...ROUTER, mode: "proxy" }],
];

test("a value that nothing reads is not checked", () => {
  for (const [given, { datapath = "vxlan", mode = "bridge", scope = true }] of UNREAD) {
    assert.is(
      callPlugin("weave_invalid_values", "find_invalid_values", [given, "a", datapath, mode, scope]),
      "",
      JSON.stringify(given),
    );
  }
});

test("unusual values that work are accepted", () => {
  assert.is(wrong("weave_image_directory", "~/images"), "");
  assert.is(wrong("weave_verify_containers", 9999), "");
  assert.is(wrong("weave_underlay_interface", "enP53091p0s2f0np0"), "");
});

test("a variable without a value would not have its default", () => {
  assert.match(wrong("weave_network", null), 'weave_network: must be an IPv4 network (found "" for a). ');
  assert.match(wrong("weave_image_directory", "cache"), 'must be an absolute path (found "cache" for a). ');
  for (const variable of ["weave_password", "weave_mac", "weave_env"]) assert.is(wrong(variable, null), "");
  assert.is(
    wrong("weave_launch_peers", null),
    "weave_launch_peers: must have the peers, or not be set (found nothing for a). Remove it to have all hosts of the group, or set [] for none.",
  );
});

test("with the router on the bridge, a peer must be what weave_bridge takes without its port", () => {
  assert.match(wrong("weave_launch_peers", "127.0.0.1:6783", ROUTER), 'on a network (found "127.0.0.1" for a). ');
  assert.is(wrong("weave_launch_peers", "192.168.50.12:6783,host3", ROUTER), "");
  assert.is(wrong("weave_launch_peers", "127.0.0.1", { ...ROUTER, mode: "proxy" }), "");
});

test("a list or a dictionary in a text's place is left to the check of types", () => {
  for (const value of [["a"], { a: 1 }]) {
    assert.is(wrong("weave_network", value), "");
    assert.is(wrong("weave_vxlan_port", value), "");
  }
});

test("what the run does not read is not checked", () => {
  assert.is(wrong("weave_bin", "weave"), "");
  assert.is(wrong("weave_launch_args", "--password=x"), "");
  assert.is(wrong("weave_wireguard_key", "hush", ROUTER), "");
  assert.is(wrong("weave_network", "x", { ...ROUTER, mode: "proxy" }), "");
  assert.is(wrong("weave_scope_dest", "scope", { scope: false }), "");
});

test("what the role takes for unset is accepted", () => {
  for (const variable of [
    "weave_bridge",
    "weave_docker_subnet",
    "weave_mac",
    "weave_wireguard_identity",
    "weave_underlay_address",
  ]) {
    assert.is(wrong(variable, ""), "");
  }
});

test.run();
