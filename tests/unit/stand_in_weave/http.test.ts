/** What the stand-in of the Weave router answers over HTTP, held against a live 2.8.1. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { call, report, router, states, stopRouters, UNRESOLVABLE, until } from "./routers";

test.after.each(() => stopRouters());

test("GET /status gives the text that weave status prints, on both ports", async () => {
  const one = await router({ targets: ["127.0.0.1:1"] });
  for (const address of [one.httpListening, one.statusListening]) {
    const { status, body } = await call(address, "GET", "/status");
    assert.is(status, 200);
    assert.match(body, /^ {8}Version: 2\.8\.1 \(/);
    assert.match(
      body,
      "\n\n        Service: router\n       Protocol: weave 1..2\n           Name: 02:00:00:00:00:01(one)\n",
    );
    assert.match(
      body,
      "     Encryption: disabled\n  PeerDiscovery: enabled\n        Targets: 1\n    Connections: 1 (1 ",
    );
    assert.match(body, "          Peers: 1\n TrustedSubnets: none\n\n        Service: ipam\n         Status: idle\n");
    assert.match(body, "          Range: 10.32.0.0/12\n  DefaultSubnet: 10.32.0.0/12\n");
  }
});

test("GET /report has the fields of a live router; lists that are empty are null, as Go's are", async () => {
  const one = await router({ trustedSubnets: ["192.168.50.0/24"] });
  const found = await report(one);
  assert.is(found.Ready, true);
  assert.is(found.Version, "2.8.1");
  assert.is(found.Router.Port, one.port);
  assert.equal(found.Router.TrustedSubnets, ["192.168.50.0/24"]);
  assert.is(found.Router.Targets, null);
  assert.is(found.Router.Connections, null);
  assert.is(found.Router.Peers[0]?.Connections, null);
  assert.type(found.Router.Interface, "string");
  const { body } = await call(one.httpListening, "GET", "/report", "", "application/json");
  assert.match(body, /"UID": \d+,/);
  assert.match(body, /"OverlayDiagnostics": \{\s*"sleeve": null\s*\}/);
  assert.match(body, /"CaptureStats": \{\s*"PacketsDropped": 0,/);
  assert.is(found.IPAM?.Range, "10.32.0.0/12");
  assert.is(found.IPAM?.Entries, null);
});

test("GET /report without Accept wants a format and renders it", async () => {
  const one = await router();
  const bare = await call(one.httpListening, "GET", "/report");
  assert.equal(bare, { status: 400, body: "error: must supply one format parameter\n" });
  const format = encodeURIComponent("{{ .Version }} {{.Router.NickName}} {{json .Router.TrustedSubnets}}");
  const formatted = await call(one.httpListening, "GET", `/report?format=${format}`);
  assert.equal(formatted, { status: 200, body: "2.8.1 one []" });
});

test("POST /connect adds targets, and with replace=true replaces them", async () => {
  const one = await router({ targets: ["127.0.0.1:1"] });
  const added = await call(one.httpListening, "POST", "/connect", "peer=127.0.0.1%3A2&peer=127.0.0.1%3A3");
  assert.equal(added, { status: 200, body: "" });
  assert.equal((await report(one)).Router.Targets, ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"]);
  const replaced = await call(one.httpListening, "POST", "/connect", "peer=127.0.0.1:4&replace=true");
  assert.equal(replaced, { status: 200, body: "" });
  assert.equal((await report(one)).Router.Targets, ["127.0.0.1:4"]);
});

test("POST /connect with a name that can't be resolved is 400, and takes the others", async () => {
  const one = await router();
  const answer = await call(one.httpListening, "POST", "/connect", `peer=${UNRESOLVABLE}&peer=127.0.0.1:2`);
  assert.equal(answer, { status: 400, body: `lookup ${UNRESOLVABLE}: no such host\n` });
  assert.equal((await report(one)).Router.Targets, ["127.0.0.1:2"]);
});

test("POST /connect with a name that is none is 400, in the router's words", async () => {
  const one = await router();
  const answer = await call(
    one.httpListening,
    "POST",
    "/connect",
    "peer=%3A6783&peer=127.0.0.1%3A%21&peer=127.0.0.1:2",
  );
  const words = (name: string): string => `invalid peer name "${name}", should be host[:port]\n`;
  assert.equal(answer, { status: 400, body: `${words(":6783")}${words("127.0.0.1:!")}` });
  assert.equal((await report(one)).Router.Targets, ["127.0.0.1:2"]);
});

test("POST /forget drops the target; an established connection stays", async () => {
  const two = await router({ name: "02:00:00:00:00:02", nickName: "two" });
  const target = `127.0.0.1:${two.port}`;
  const one = await router({ targets: [target, "127.0.0.1:1"] });
  await until(
    () => report(one),
    (found) => states(found).includes("established"),
  );
  const answer = await call(one.httpListening, "POST", "/forget", `peer=${target}&peer=127.0.0.1:1`);
  assert.equal(answer, { status: 200, body: "" });
  const after = await until(
    () => report(one),
    (found) => states(found).length === 1,
  );
  assert.is(after.Router.Targets, null);
  assert.equal(states(after), ["established"]);
});

test("POST /expose answers 204, and 400 to what is no address; DELETE /peer answers 204", async () => {
  const one = await router();
  assert.equal(await call(one.httpListening, "POST", "/expose/10.2.0.1/16"), { status: 204, body: "" });
  const bad = await call(one.httpListening, "POST", "/expose/10.2.0/16");
  assert.equal(bad, { status: 400, body: "unable to parse ip addr: invalid CIDR address: 10.2.0/16\n" });
  assert.equal(await call(one.httpListening, "DELETE", "/peer"), { status: 204, body: "" });
});

test("the status port is read-only and has metrics; unknown paths are 404", async () => {
  const one = await router();
  assert.is((await call(one.statusListening, "POST", "/connect", "peer=127.0.0.1:2")).status, 404);
  assert.is((await report(one)).Router.Targets, null);
  assert.match((await call(one.statusListening, "GET", "/metrics")).body, /^weave_connections\{.*state="established"/m);
  assert.equal(await call(one.httpListening, "GET", "/status/nonsense"), { status: 404, body: "404 page not found\n" });
});

test("a 1.0 router has its own status text and no report", async () => {
  const one = await router({ version: "1.0.3", statusAddress: undefined });
  assert.match((await call(one.httpListening, "GET", "/status")).body, /^weave router 1\.0\.3\nOur name is 02:/);
  assert.is((await call(one.httpListening, "GET", "/report", "", "application/json")).status, 404);
});

test.run();
