/** How the stand-in of the Weave router gives out addresses (IPAM) and registers names. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { RouterStandIn } from "../../stand-ins/weave/router/stand_in";
import { call, freePort, memory, type Response, report, router, stopRouters, until } from "./routers";

test.after.each(() => stopRouters());

const expose = (of: RouterStandIn): Promise<Response> => call(of.httpListening, "POST", "/ip/weave:expose");

test("an address is given out at once without targets, and with them only when a quorum of peers agrees", async () => {
  assert.equal(await expose(await router()), { status: 200, body: "10.32.0.1/12" });
  const names = (n: number) => ({ name: `02:00:00:00:00:0${n}`, nickName: String(n) });
  const nobody = await freePort();
  const one = await router({ ...names(1), targets: [`127.0.0.1:${nobody}`, "127.0.0.1:1"] });
  let answered = false;
  const waiting = expose(one).then((answer) => {
    answered = true;
    return answer;
  });
  await until(
    () => call(one.httpListening, "GET", "/status"),
    ({ body }) => body.includes("awaiting consensus"),
  );
  assert.match((await call(one.httpListening, "GET", "/status")).body, "awaiting consensus (quorum: 2, known: 1)");
  assert.is(answered, false);
  const two = await router({ ...names(2), port: nobody });
  assert.equal(await waiting, { status: 200, body: "10.32.0.1/12" });
  assert.equal(await expose(two), { status: 200, body: "10.40.0.0/12" });
  assert.match((await call(two.httpListening, "GET", "/status")).body, "Service: ipam\n         Status: ready\n");
  const late = await router({ ...names(3), targets: [`127.0.0.1:${nobody}`] });
  const { body } = await expose(late);
  assert.ok(/^10\.\d+\.\d+\.\d+\/12$/.test(body) && !["10.32.0.1/12", "10.40.0.0/12"].includes(body), body);
});

test("only for the default subnet does it say who has which address, and before 1.5 as one address or 404", async () => {
  const asked = (of: RouterStandIn, path = ""): Promise<Response> =>
    call(of.httpListening, "GET", `/ip/weave:expose${path}`);
  const one = await router({});
  assert.equal(await asked(one), { status: 200, body: "" });
  // As Docker's address on the bridge is claimed when the router starts.
  assert.is((await call(one.httpListening, "PUT", "/ip/weave:expose/10.2.0.1/16")).status, 204);
  assert.equal(await asked(one), { status: 200, body: "" });
  assert.equal(await asked(one, "/10.2.0.0/16"), { status: 200, body: "10.2.0.1/16" });
  assert.equal(await expose(one), { status: 200, body: "10.32.0.1/12" });
  assert.equal(await asked(one), { status: 200, body: "10.32.0.1/12" });
  const old = await router({ version: "1.4.6" });
  assert.equal(await asked(old), { status: 404, body: "404 page not found\n" });
  await expose(old);
  assert.equal(await asked(old), { status: 200, body: "10.32.0.1/12" });
});

test("addresses survive a restart, without any peer; routers that shared the range among others don't connect", async () => {
  const store = memory();
  const targets = ["127.0.0.1:1"];
  const first = await router({ store, ipallocInit: "consensus=1", targets });
  const { body } = await expose(first);
  await stopRouters();
  const again = await router({ store, targets });
  assert.equal(await expose(again), { status: 200, body });
  const other = await router({ name: "02:00:00:00:00:02", nickName: "two" });
  await expose(other);
  await call(again.httpListening, "POST", "/connect", `peer=127.0.0.1:${other.port}`);
  const found = await until(
    () => report(again),
    ({ Router }) => (Router.Connections ?? []).some(({ Info }) => Info.includes("seeded")),
  );
  assert.match(
    (found.Router.Connections ?? []).map(({ Info }) => Info).join(),
    "IP allocation was seeded by different peers (received: [02:00:00:00:00:02], ours: [02:00:00:00:00:01])",
  );
});

test("names: those that were registered, on all routers, until they are removed; all else is the upstream's", async () => {
  const one = await router({ dnsAddress: "127.0.0.1:0" });
  const two = await router({
    name: "02:00:00:00:00:02",
    dnsAddress: "127.0.0.1:0",
    targets: [`127.0.0.1:${one.port}`],
  });
  const name = "fqdn=web.weave.local";
  assert.is((await call(one.httpListening, "PUT", "/name/4f5e6d/10.2.1.5", name)).status, 204);
  assert.is((await call(one.httpListening, "PUT", "/name/4f5e6d/10.2.1.5", "fqdn=web.example.com")).status, 204);
  const seen = await until(
    async () => two.names?.lookup("web") ?? [],
    (found) => found.length > 0,
  );
  assert.equal(seen, ["10.2.1.5"]);
  assert.equal(two.names?.lookup("web.example.com"), []);
  assert.match((await call(two.httpListening, "GET", "/status/dns")).body, /^web +10\.2\.1\.5 +4f5e6d 02:/);
  await call(one.httpListening, "DELETE", "/name/4f5e6d/10.2.1.5");
  const gone = await until(
    async () => two.names?.lookup("web") ?? [],
    (found) => found.length === 0,
  );
  assert.equal(gone, []);
});

test.run();
