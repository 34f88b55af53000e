import { test } from "uvu";
import * as assert from "uvu/assert";
import { connect, forget, observeTargets, parseTargets, STATUS } from "../../../modules/weave_service/router_api";
import { memoryHost } from "../support/memory_host";
import { refusalLater, refusalOf } from "../support/refusal";

const CONTROL = { address: "127.0.0.1", port: 6784 };

// A router of 2.8.1, in short.
const REPORT = `{
    "Ready": true,
    "Version": "2.8.1",
    "Router": {
        "Protocol": "weave",
        "Name": "0e:5f:33:00:00:01",
        "NickName": "host1",
        "Port": 6783,
        "Peers": [{"Name": "0e:5f:33:00:00:02", "NickName": "host2", "Connections": []}],
        "Connections": [{"Address": "192.168.50.12:6783", "Outbound": true, "State": "established"}],
        "Targets": ["192.168.50.13", "192.168.50.12"],
        "TrustedSubnets": []
    },
    "IPAM": {"Range": "10.32.0.0/12"}
}`;

test("the peers that a router was told of are its report's targets", () => {
  assert.equal(parseTargets(REPORT), ["192.168.50.13", "192.168.50.12"]);
});

test("a router that was told of none has none, in either spelling", () => {
  assert.equal(parseTargets('{"Router": {"Targets": null}}'), []);
  assert.equal(parseTargets('{"Router": {"Targets": []}}'), []);
  assert.equal(parseTargets('{"Router": {}}'), []);
});

test("what is no report is refused, and shown no further than its beginning", () => {
  for (const text of ["", "404 page not found", "null", "[]", '{"Router": null}', "{}", "x".repeat(100_000)]) {
    const message = refusalOf(() => parseTargets(text));
    assert.match(message, "the router's report can't be read");
    assert.ok(message.length < 300);
  }
});

test("a running router is asked for its report", async () => {
  const host = memoryHost({ services: { "GET 127.0.0.1:6784/report": { status: 200, body: REPORT } } });
  assert.equal(await observeTargets(host), ["192.168.50.13", "192.168.50.12"]);
});

test("where no router answers there are no targets to know, and an error is refused with it", async () => {
  assert.is(await observeTargets(memoryHost({})), null);
  const host = memoryHost({ services: { "GET 127.0.0.1:6784/report": { status: 500, body: "out of order\n" } } });
  assert.is(await refusalLater(() => observeTargets(host)), "the router's report answered 500: out of order");
});

test("peers are connected and forgotten by one request each, as a form", () => {
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const post = { to: CONTROL, method: "POST" as const, headers };
  assert.equal(connect(["192.168.50.12", "host3"]), {
    ...post,
    path: "/connect",
    body: "peer=192.168.50.12&peer=host3",
  });
  assert.equal(forget(["192.168.50.12"]), { ...post, path: "/forget", body: "peer=192.168.50.12" });
  assert.is(connect(["a&b=c d"]).body, "peer=a%26b%3Dc%20d");
});

test("the router is ready when its status answers", () => {
  assert.equal(STATUS, { to: CONTROL, method: "GET", path: "/status" });
});

test.run();
