import { test } from "uvu";
import * as assert from "uvu/assert";
import { options } from "../../../modules/weave_service/options";
import { optionsOf } from "../support/options";
import { userErrorOf } from "../support/user_error";

const values = (given: Record<string, unknown>) => optionsOf(options, given);
const rejected = (given: Record<string, unknown>): string => userErrorOf(() => values(given));

test("the defaults run the router without peers", () => {
  assert.equal(values({}), {
    component: "router",
    state: "started",
    mode: "bridge",
    script: null,
    script_version: null,
    bridge: "weave",
    peers: [],
    mtu: null,
    args: [],
    dns: false,
    expose: false,
    iptables_backend: null,
    env: {},
    password: null,
    timeout: 300,
    option_names: {},
  });
});

test("peers are addresses or host names, with a port or without", () => {
  const peers = ["192.168.50.12", "host2", "host-2.example.com", "2host", "192.168.50.12:6790", "host2:1"];
  assert.equal(values({ peers }).peers, peers);
});

test("a peer that is neither is rejected, half an address too", () => {
  for (const peer of [
    "192.168.50.256",
    "192.168.50",
    "12",
    "-x",
    "--replace",
    "a_",
    "a..b",
    ":6783",
    "host2:",
    "host2:port",
    "host2:1:2",
    "::1",
    "a/b",
    "$(id)",
    "x".repeat(254),
  ]) {
    assert.match(
      rejected({ peers: [peer] }),
      /^peers: must be an IPv4 address or a host name \(found ".*"\)\. Write it as/,
      peer,
    );
  }
});

test("a port that is none is rejected", () => {
  for (const peer of ["host2:0", "192.168.50.12:65536", "host2:999999999999"]) {
    assert.is(
      rejected({ peers: [peer] }),
      `peers: must have a port from 1 to 65535 (found "${peer}"). Correct the port, or remove it.`,
    );
  }
});

test("another place of the router's API, container or Docker is rejected where it would not be honoured", () => {
  for (const args of [["--http-addr=:7000"], ["--http-addr"], ["--httpaddr=127.0.0.1:1"]]) {
    assert.match(rejected({ args }), /^args: must not have --http-?addr, .* Set WEAVE_HTTP_ADDR in env instead\.$/);
  }
  for (const name of ["WEAVE_CONTAINER_NAME", "DOCKER_HOST"]) {
    assert.match(
      rejected({ env: { [name]: "x" } }),
      new RegExp(`^env: must not have ${name} \\(found it\\)\\. Remove it: `),
    );
  }
});

test("arguments are long options with their values behind =", () => {
  const args = ["--no-dns", "--ipalloc-range=10.32.0.0/12", "--name=0e:5f:33:00:00:01", "--conn-limit=200"];
  assert.equal(values({ args }).args, args);
  for (const bad of ["192.168.50.12", "-h", "--a$x", "--a;b", "--", "--a`id`"]) {
    assert.match(
      rejected({ args: [bad] }),
      `must be arguments of weave launch (found "${bad}"). Write each as --name=value.`,
    );
  }
});

test("a password among the arguments is rejected, and not shown", () => {
  for (const given of [["--password=hunter2"], ["--password", "hunter2"], "--password hunter2"]) {
    const message = rejected({ args: given });
    assert.match(
      message,
      "args: must not have --password, which the process list would show (found it). Set password instead.",
    );
    assert.not.match(message, "hunter2");
  }
});

test("an unusable password is rejected, and not shown", () => {
  for (const password of ["", "hunter2\n", "hun\0ter2", ["hunter2"]]) {
    const message = rejected({ password });
    assert.match(message, /^password: must .* \(found .*not shown\)\. [A-Z].*\.$/);
    assert.not.match(message, /hun/);
  }
  assert.is(options.password.secret, true);
});

test("the script is an absolute path of one word", () => {
  assert.is(values({ script: "/mnt/weave-2.8.1/weave" }).script, "/mnt/weave-2.8.1/weave");
  for (const script of ["weave", "./weave", "/mnt/a b", "/mnt/$x", ""]) {
    assert.match(rejected({ script }), /^script: must be an absolute path .*\(found ".*"\)\. /);
  }
});

test.run();
