/** How stand-ins of the Weave router connect to one another. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { RouterStandIn } from "../../stand-ins/weave/router/stand_in";
import { call, freePort, report, router, states, stopRouters, until } from "./routers";

test.after.each(() => stopRouters());

test("two routers that name each other hold one established connection and know each other's name", async () => {
  const two = await router({ name: "02:00:00:00:00:02", nickName: "two" });
  const one = await router({ targets: [`127.0.0.1:${two.port}`] });
  await call(two.httpListening, "POST", "/connect", `peer=127.0.0.1:${one.port}`);
  const seen = await until(
    () => report(one),
    (found) => found.Router.Peers[1]?.Connections?.[0]?.Established === true,
  );
  assert.equal(states(seen), ["established"]);
  const [connection] = seen.Router.Connections ?? [];
  assert.equal(connection?.Address, `127.0.0.1:${two.port}`);
  assert.is(connection?.Outbound, true);
  assert.is(connection?.Info, "sleeve 02:00:00:00:00:02(two)");
  assert.equal(connection?.Attrs, { mtu: 1438, name: "sleeve" });
  assert.equal(
    seen.Router.Peers.map((peer) => peer.NickName),
    ["one", "two"],
  );
  const other = await report(two);
  assert.is((other.Router.Connections ?? []).filter((c) => c.State === "established" && !c.Outbound).length, 1);
  const { body } = await call(one.httpListening, "GET", "/status/connections");
  assert.match(
    body,
    new RegExp(`^-> 127\\.0\\.0\\.1:${two.port} +established sleeve 02:00:00:00:00:02\\(two\\) mtu=1438\n$`),
  );
  const peers = await call(one.httpListening, "GET", "/status/peers");
  assert.match(peers.body, /^02:00:00:00:00:01\(one\)\n {3}-> 127.*02:00:00:00:00:02\(two\) +established\n/);
});

test("frames are carried to the peers that there is an established connection to, and to no others", async () => {
  const carried: string[][] = [];
  const now = async (): Promise<string[]> => carried.at(-1) ?? [];
  const one = await router({ carry: (peers) => carried.push(peers.map(({ address }) => address)), password: "same" });
  const other = await router({ name: "02:00:00:00:00:03", password: "other", targets: [`127.0.0.1:${one.port}`] });
  await until(
    () => report(other),
    (found) => states(found)[0] === "failed",
  );
  assert.equal(await now(), []);
  const two = await router({ name: "02:00:00:00:00:02", password: "same", targets: [`127.0.0.1:${one.port}`] });
  assert.equal(await until(now, (peers) => peers.length > 0), ["127.0.0.1"]);
  await stopRouters(two);
  assert.equal(await until(now, (peers) => peers.length === 0), []);
});

test("a target where nobody listens fails and is tried again, until somebody does", async () => {
  const port = await freePort();
  const one = await router({ targets: [`127.0.0.1:${port}`] });
  const failed = await until(
    () => report(one),
    (found) => states(found)[0] === "failed",
  );
  assert.match(
    failed.Router.Connections?.[0]?.Info ?? "",
    `dial tcp4 :0->127.0.0.1:${port}: connect: connection refused, retry: `,
  );
  const two = await router({ name: "02:00:00:00:00:02", nickName: "two", port });
  await until(
    () => report(one),
    (found) => states(found)[0] === "established",
  );
  await stopRouters(two);
  const lost = await until(
    () => report(one),
    (found) => states(found)[0] !== "established",
  );
  assert.ok(["failed", "retrying"].includes(states(lost)[0] ?? ""));
  assert.is(lost.Router.Peers.length, 1);
});

test("itself as a target is never tried again", async () => {
  const port = await freePort();
  const one = await router({ port, targets: [`127.0.0.1:${port}`] });
  const found = await until(
    () => report(one),
    (now) => states(now)[0] === "failed",
  );
  assert.is(found.Router.Connections?.[0]?.Info, "cannot connect to ourself, retry: never");
});

test("passwords must agree; trusted subnets are not encrypted", async () => {
  const names = { name: "02:00:00:00:00:02", nickName: "two" };
  const two = await router({ ...names, password: "same" });
  const targets = [`127.0.0.1:${two.port}`];
  const info = async (of: RouterStandIn): Promise<string> => {
    const found = await until(
      () => report(of),
      (now) => ["failed", "established"].includes(states(now)[0] ?? ""),
    );
    return found.Router.Connections?.[0]?.Info ?? "";
  };
  assert.is(await info(await router({ targets, password: "same" })), "encrypted   sleeve 02:00:00:00:00:02(two)");
  const trusting = await router({
    targets,
    name: "02:00:00:00:00:03",
    password: "same",
    trustedSubnets: ["127.0.0.0/8"],
  });
  assert.is(await info(trusting), "unencrypted sleeve 02:00:00:00:00:02(two)");
  assert.is((await report(trusting)).Router.Encryption, true);
  const without = await info(await router({ targets, name: "02:00:00:00:00:04" }));
  assert.match(without, /^no password specificed, but peer requested an encrypted connection, retry: /);
  assert.match(
    await info(await router({ targets, name: "02:00:00:00:00:05", password: "other" })),
    /^Unable to decrypt/,
  );
});

test.run();
