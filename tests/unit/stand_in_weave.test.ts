/**
 * Holds the Weave stand-in against what is known of the real thing: the HTTP answers and verbs of a live 2.8.1, and the
 * verbs of 1.0.3 and 1.9.8. Docker is played by a small recording script, itself a stand-in, that starts router.js as a
 * plain process.
 */
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { bundleRouter, installWeaveStandIn, standInDirectory } from "../stand-ins/weave/install";
import { readBehaviour, versionFamily } from "../stand-ins/weave/router/behaviour";
import { parseFlags, type RouterSettings } from "../stand-ins/weave/router/settings";
import { RouterStandIn } from "../stand-ins/weave/router/stand_in";

// Longer than a DNS label may be: rejected without asking any server.
const unresolvable = `${"x".repeat(64)}.invalid`;

const running: RouterStandIn[] = [];
const benches: Bench[] = [];

/** What a router keeps, for as long as the test runs. */
function memory(): RouterSettings["store"] {
  const kept = new Map<string, unknown>();
  return { load: (key) => kept.get(key), save: (key, value) => void kept.set(key, value) };
}

/** A router on loopback with free ports and short intervals; `changes` go over the defaults. */
async function router(changes: Partial<RouterSettings> = {}): Promise<RouterStandIn> {
  const started = new RouterStandIn({
    version: "2.8.1",
    name: "02:00:00:00:00:01",
    nickName: "one",
    host: "127.0.0.1",
    port: 0,
    httpAddress: "127.0.0.1:0",
    statusAddress: "127.0.0.1:0",
    password: undefined,
    trustedSubnets: [],
    peerDiscovery: true,
    ipallocRange: "10.32.0.0/12",
    ipallocDefaultSubnet: undefined,
    ipallocInit: undefined,
    dnsAddress: undefined,
    resolvConf: undefined,
    proxyAddress: undefined,
    plugin: false,
    fastdp: false,
    bridge: undefined,
    dockerBridge: undefined,
    dockerSocket: undefined,
    targets: [],
    store: memory(),
    underlayMtu: () => 1500,
    captured: () => ({ received: 0, macs: new Map() }),
    carry: () => undefined,
    behaviour: () => ({ ...readBehaviour("/nonexistent", {}), retryMilliseconds: 40 }),
    ...changes,
  });
  running.push(started);
  await started.start();
  return started;
}

test.after.each(async () => {
  await Promise.all(running.splice(0).map((started) => started.stop()));
  for (const used of benches.splice(0)) used.remove();
});

interface Response {
  status: number;
  body: string;
}

function call(address: string | undefined, method: string, route: string, form = "", accept = ""): Promise<Response> {
  return new Promise((done, fail) => {
    const headers = { "content-type": "application/x-www-form-urlencoded", ...(accept ? { accept } : {}) };
    const request = http.request(`http://${address}${route}`, { method, headers }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("end", () => done({ status: response.statusCode ?? 0, body }));
    });
    request.on("error", fail);
    request.end(form);
  });
}

interface Report {
  Ready: boolean;
  Version: string;
  Router: {
    Name: string;
    NickName: string;
    Port: number;
    Encryption: boolean;
    PeerDiscovery: boolean;
    TrustedSubnets: string[];
    Interface: string;
    Targets: string[] | null;
    Peers: { Name: string; NickName: string; Connections: { Name: string; Established: boolean }[] | null }[];
    Connections: { Address: string; Outbound: boolean; State: string; Info: string; Attrs: object | null }[] | null;
  };
  IPAM?: { Range: string; DefaultSubnet: string; Entries: unknown };
}

async function report(of: RouterStandIn): Promise<Report> {
  const answer = await call(of.httpListening, "GET", "/report", "", "application/json");
  assert.is(answer.status, 200);
  return JSON.parse(answer.body) as Report;
}

/** Asks until `wanted` holds, for two seconds at most; returns the last answer either way. */
async function until<T>(ask: () => Promise<T>, wanted: (answer: T) => boolean): Promise<T> {
  const end = Date.now() + 2000;
  for (;;) {
    const answer = await ask();
    if (wanted(answer) || Date.now() > end) return answer;
    await new Promise((done) => setTimeout(done, 15));
  }
}

const states = (from: Report): string[] => (from.Router.Connections ?? []).map((connection) => connection.State);

// --- HTTP ---

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
  const answer = await call(one.httpListening, "POST", "/connect", `peer=${unresolvable}&peer=127.0.0.1:2`);
  assert.equal(answer, { status: 400, body: `lookup ${unresolvable}: no such host\n` });
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
  await Promise.all(running.splice(0).map((gone) => gone.stop()));
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

// --- connections ---

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
  await Promise.all(running.splice(running.indexOf(two), 1).map((gone) => gone.stop()));
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
  await Promise.all(running.splice(running.indexOf(two), 1).map((gone) => gone.stop()));
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

// --- behaviour and command line ---

test("it answers slowly if configured so, also while it runs", async () => {
  let delay = 0;
  const behaviour = () => ({ ...readBehaviour("/nonexistent", {}), answerDelayMilliseconds: delay });
  const one = await router({ behaviour });
  await call(one.httpListening, "GET", "/status");
  delay = 120;
  const before = Date.now();
  await call(one.httpListening, "GET", "/status");
  assert.ok(Date.now() - before >= 110);
});

test("GET /status is 503 until the router is ready, and its report says so", async () => {
  const behaviour = { ...readBehaviour("/nonexistent", {}), readyDelayMilliseconds: 150 };
  const one = await router({ behaviour: () => behaviour });
  const early = await call(one.httpListening, "GET", "/status");
  assert.is(early.status, 503);
  assert.match(early.body, "Service: router");
  assert.is((await call(one.httpListening, "GET", "/status/peers")).status, 503);
  assert.is((await report(one)).Ready, false);
  const ready = await until(
    () => call(one.httpListening, "GET", "/status"),
    ({ status }) => status === 200,
  );
  assert.is(ready.status, 200);
  assert.is((await report(one)).Ready, true);
});

test("behaviour comes from the file, and the environment wins", () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "weave-stand-in-"));
  fs.writeFileSync(path.join(directory, "behaviour.json"), '{"answerDelayMilliseconds": 5, "failOnLaunch": "file"}');
  const found = readBehaviour(directory, { WEAVE_STAND_IN_FAIL_ON_LAUNCH: "environment" });
  assert.is(found.answerDelayMilliseconds, 5);
  assert.is(found.failOnLaunch, "environment");
  assert.is(found.retryMilliseconds, 2000);
  fs.rmSync(directory, { recursive: true });
});

test("the router's command line is taken as mflag takes it", () => {
  const { flags, peers } = parseFlags([
    "--plugin",
    "--proxy",
    "-H",
    "x",
    "--plugin=false",
    "--name=a",
    "10.0.0.1",
    "--no-dns",
  ]);
  assert.equal(
    [...flags],
    [
      ["plugin", "false"],
      ["proxy", "true"],
      ["H", "x"],
      ["name", "a"],
    ],
  );
  assert.equal(peers, ["10.0.0.1", "--no-dns"]);
  assert.throws(() => parseFlags(["--nonsense"]), "flag provided but not defined: --nonsense");
  assert.equal(["0.11.2", "1.0.3", "1.4.6", "1.9.8", "2.8.1"].map(versionFamily), ["1.0", "1.0", "1.9", "1.9", "2.x"]);
});

test("installing writes the transpiled router, and the script with its version in it, as releases have it", async () => {
  const written = new Map<string, { content: string; mode: number | undefined }>();
  const host = {
    write: async (file: string, content: string | Buffer, mode?: number): Promise<void> => {
      written.set(file, { content: content.toString(), mode });
    },
  };
  await installWeaveStandIn(host, { version: "1.9.8" });
  assert.is(written.get("/usr/local/bin/weave")?.mode, 0o755);
  assert.match(written.get("/usr/local/bin/weave")?.content ?? "", /^#!\/bin\/sh\n/);
  assert.match(written.get("/usr/local/bin/weave")?.content ?? "", /^SCRIPT_VERSION="1\.9\.8"$/m);
  assert.match(written.get("/usr/local/bin/weave")?.content ?? "", "--no-restart");
  assert.match(written.get(`${standInDirectory}/router.js`)?.content ?? "", /require\("node:http"\)/);
  assert.match(written.get(`${standInDirectory}/frames.py`)?.content ?? "", /^import socket$/m);
});

// --- the script ---

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

// Stand-in for docker: containers are directories of files, `run` starts the router as a separate process, and each call
// is a line in `calls`. The bridge's name is kept from the router, which would make that bridge on this machine.
const fakeDocker = `#!/bin/sh
echo "$*" >>"$FAKE/calls"
state() {
  # One that ended and was not reaped yet is no running one.
  if [ -f "$1/pid" ] && grep -q '^State:.[^Z]' "/proc/$(cat "$1/pid")/status" 2>/dev/null; then
    echo running
  else
    cat "$1/stopped"
  fi
}
VERB=$1
shift
PROGRAM=
case $VERB in
  version) [ ! -f "$FAKE/no-daemon" ] || { echo "Cannot connect to the Docker daemon" >&2; exit 1; } ;;
  image)
    [ -f "$FAKE/image" ] || exit 1
    case "$*" in *Labels*) cat "$FAKE/inner" 2>/dev/null || true ;; esac ;;
  import) cat >"$FAKE/tree.tar"; touch "$FAKE/image" ;;
  inspect)
    for NAME; do :; done
    C=$FAKE/containers/$NAME
    [ -d "$C" ] || { echo "Error: No such object: $NAME" >&2; exit 1; }
    case "$*" in
      *State.Status*) state "$C" ;;
      *Config.Image*) cat "$C/image" ;;
      *IPAddress*) echo 127.0.0.1 ;;
    esac ;;
  create | run)
    while [ $# -gt 0 ]; do
      case $1 in
        --name) NAME=$2; shift ;;
        --entrypoint=*) PROGRAM=$1 ;;
        -v | -e | -p | --label | --volumes-from) shift ;;
        -*) ;;
        *) break ;;
      esac
      shift
    done
    C=$FAKE/containers/$NAME
    mkdir -p "$C" && echo "$1" >"$C/image" && shift
    case $VERB in
      create) echo created >"$C/stopped" ;;
      run)
        echo exited >"$C/stopped"
        echo "$*" >"$C/args"
        # The proxy would listen at a path of this machine's.
        [ "$PROGRAM" = "" ] || { set -- stand-in-idle; touch "$FAKE/var/run/weave/weave.sock"; }
        ARGS=
        while [ $# -gt 0 ]; do
          case $1 in --weave-bridge | --resolv-conf) shift ;; *) ARGS="$ARGS $1" ;; esac
          shift
        done
        cd "$C" && "$WEAVE_STAND_IN_NODE" "$WEAVE_STAND_IN_DIR/router.js" $ARGS >log 2>&1 </dev/null &
        echo $! >"$C/pid"
        echo 4f5e6d ;;
    esac ;;
  stop | kill)
    C=$FAKE/containers/$1
    [ "$(state "$C" 2>/dev/null)" = running ] || exit 1
    kill "$(cat "$C/pid")"
    rm "$C/pid" ;;
  rm) for NAME; do :; done; rm -r "$FAKE/containers/$NAME" 2>/dev/null ;;
esac
`;

const fakeIp = `#!/bin/sh
echo "ip $*" >>"$FAKE/calls"
case "$*" in "link add name weave "*) mkdir "$FAKE/devices/weave"; echo "$6" >"$FAKE/devices/weave/address" ;; esac
case "$*" in "link del weave") rm -r "$FAKE/devices/weave" ;; esac
case "$*" in *"addr show dev none"*) exit 1 ;; *"addr show"*) echo "    inet 10.2.0.1/16 scope global weave" ;; esac
`;

// Has no rule and no chain, and takes all.
const fakeIptables = `#!/bin/sh
echo "iptables $*" >>"$FAKE/calls"
case "$*" in *" -C "*) exit 1 ;; esac
`;

interface Outcome {
  code: number;
  out: string;
  err: string;
}

/** A directory for the script: PATH with the stand-ins, ports, and what they recorded. */
class Bench {
  readonly directory = fs.mkdtempSync(path.join(os.tmpdir(), "weave-stand-in-"));
  private readonly environment: NodeJS.ProcessEnv;

  constructor(version: string, ports: [number, number, number], routerJs: string) {
    const bin = path.join(this.directory, "bin");
    fs.mkdirSync(bin);
    fs.mkdirSync(path.join(this.directory, "containers"));
    fs.mkdirSync(path.join(this.directory, "devices"));
    fs.mkdirSync(path.join(this.directory, "var/run/weave"), { recursive: true });
    fs.writeFileSync(path.join(bin, "docker"), fakeDocker, { mode: 0o755 });
    fs.writeFileSync(path.join(bin, "ip"), fakeIp, { mode: 0o755 });
    fs.writeFileSync(path.join(bin, "iptables-legacy"), fakeIptables, { mode: 0o755 });
    fs.writeFileSync(path.join(this.directory, "router.js"), routerJs);
    this.environment = {
      PATH: `${bin}:/usr/bin:/bin`,
      FAKE: this.directory,
      WEAVE_STAND_IN_DIR: this.directory,
      WEAVE_STAND_IN_VERSION: version,
      WEAVE_STAND_IN_DEVICES: path.join(this.directory, "devices"),
      WEAVE_STAND_IN_ROOT: this.directory,
      WEAVE_STAND_IN_NODE: process.execPath,
      WEAVE_PORT: String(ports[0]),
      WEAVE_HTTP_ADDR: `127.0.0.1:${ports[1]}`,
      WEAVE_STATUS_ADDR: `127.0.0.1:${ports[2]}`,
      WEAVE_NO_FASTDP: "1",
      DOCKER_BRIDGE: "weave",
    };
  }

  run(args: string[], environment: NodeJS.ProcessEnv = {}): Promise<Outcome> {
    const script = path.join(__dirname, "../stand-ins/weave/weave");
    return new Promise((done) => {
      const env = { ...this.environment, ...environment };
      execFile(script, args, { env, timeout: 8000 }, (error, out, err) => {
        done({ code: typeof error?.code === "number" ? error.code : error ? -1 : 0, out, err });
      });
    });
  }

  calls(): string {
    return fs.readFileSync(path.join(this.directory, "calls"), "utf8");
  }

  /** Makes a container that the fake shows as stopped in `state`. */
  leftover(name: string, image: string, state: string): void {
    const container = path.join(this.directory, "containers", name);
    fs.mkdirSync(container, { recursive: true });
    fs.writeFileSync(path.join(container, "image"), `${image}\n`);
    fs.writeFileSync(path.join(container, "stopped"), `${state}\n`);
  }

  /** Ends what the fake docker started and still runs, and removes the directory. */
  remove(): void {
    const containers = path.join(this.directory, "containers");
    for (const name of fs.readdirSync(containers)) {
      try {
        const pid = Number(fs.readFileSync(path.join(containers, name, "pid"), "utf8"));
        if (pid > 1) process.kill(pid);
      } catch {
        // Never started, or ended by itself.
      }
    }
    fs.rmSync(this.directory, { recursive: true });
  }
}

let routerJs = "";

async function bench(version: string): Promise<Bench> {
  routerJs ||= await bundleRouter();
  const made = new Bench(version, [await freePort(), await freePort(), await freePort()], routerJs);
  benches.push(made);
  return made;
}

test("2.8.1: verbs and exit codes without a router", async () => {
  const at = await bench("2.8.1");
  const [unknown, bridge, gone, none, status, report2, connect, stop, reset, version, noArgs, local] =
    await Promise.all([
      at.run(["nonsense"]),
      at.run(["create-bridge"]),
      at.run(["launch-router", "10.0.0.1"]),
      at.run([]),
      at.run(["status"]),
      at.run(["report"]),
      at.run(["connect", "127.0.0.1:1"]),
      at.run(["stop"]),
      at.run(["reset", "--nonsense"]),
      at.run(["version"]),
      at.run(["connect"]),
      at.run(["--local", "version"]),
    ]);
  assert.is(unknown.code, 1);
  assert.match(unknown.err, /^Unknown weave command 'nonsense'\nUsage:/);
  assert.is(bridge.code, 1);
  assert.match(bridge.err, "Unknown weave command 'create-bridge'");
  assert.is(gone.code, 1);
  assert.match(gone.err, "The 'weave launch-router' command has been removed as of Weave Net version 2.0");
  assert.equal([none.code, status.code, noArgs.code, reset.code], [1, 1, 1, 1]);
  assert.is(status.out, "\n\n");
  assert.is(status.err, "weave container is not present. Have you launched it?\n");
  assert.equal([report2.code, connect.code], [7, 7]);
  assert.equal(stop, { code: 0, out: "", err: "Weave is not running (ignore on Kubernetes).\n" });
  assert.equal(version, { code: 0, out: "weave script 2.8.1\nweave 2.8.1\n", err: "" });
  assert.is(local.out, "weave 2.8.1\n");
  fs.writeFileSync(path.join(at.directory, "no-daemon"), "");
  const noDaemon = await at.run(["status"]);
  assert.equal(noDaemon, { code: 125, out: "", err: "Cannot connect to the Docker daemon\n" });
});

test("2.8.1: launch, use, stop and launch again", async () => {
  const at = await bench("2.8.1");
  const environment = { WEAVE_DOCKER_ARGS: "-e DOCKER_API_VERSION=1.24", CHECKPOINT_DISABLE: "1", WEAVE_MTU: "1400" };
  const launched = await at.run(
    [
      "launch",
      "--password=it's",
      "--no-dns",
      "--trusted-subnets",
      "10.0.0.0/8",
      "--plugin=false",
      "--proxy=false",
      "127.0.0.1:1",
    ],
    environment,
  );
  assert.equal(launched, { code: 0, out: "4f5e6d\n", err: "" });
  const run =
    at
      .calls()
      .split("\n")
      .find((line) => line.startsWith("run ")) ?? "";
  assert.match(
    run,
    /^run -d --name weave .*--net=host --restart=always --pid=host .* -e WEAVE_PASSWORD .*-e CHECKPOINT_DISABLE/,
  );
  assert.match(run, / -e DOCKER_API_VERSION=1\.24 weaveworks\/weave:2\.8\.1 --port \d+ .*--mtu 1400 --no-fastdp /);
  assert.not.match(run, "it's");
  assert.match(at.calls(), /^create --name weavedb [\s\S]*\ncreate --name weavevolumes-2\.8\.1 /m);

  const [again, status, connections, wrong, connect, unresolved, shown, formatted, exposed, routerVersion] =
    await Promise.all([
      at.run(["launch"]),
      at.run(["status"]),
      at.run(["status", "connections"]),
      at.run(["status", "nonsense"]),
      at.run(["connect", "--replace", "127.0.0.1:2", "127.0.0.1:3"]),
      at.run(["connect", unresolvable]),
      at.run(["report"]),
      at.run(["report", "-f", "{{.Version}} {{.Router.Encryption}}"]),
      at.run(["expose", "10.2.0.1/16"]),
      at.run(["version"]),
    ]);
  assert.equal(again, { code: 3, out: "", err: "weave is already running; you can stop it with 'weave stop'.\n" });
  assert.is(status.code, 0);
  assert.match(status.out, /^\n {8}Version: 2\.8\.1 .*\n\n$/s);
  assert.not.match(status.out, "Service: proxy");
  assert.match(connections.out, /^-> 127\.0\.0\.1:/);
  assert.is(wrong.code, 1);
  assert.match(wrong.err, /^Invalid 'weave status' sub-command: nonsense\nUsage:/);
  assert.equal(connect, { code: 0, out: "", err: "" });
  assert.equal(unresolved, { code: 1, out: "", err: `lookup ${unresolvable}: no such host\n` });
  assert.is((JSON.parse(shown.out) as Report).Router.Encryption, true);
  assert.is(formatted.out, "2.8.1 true");
  assert.equal(exposed, { code: 0, out: "10.2.0.1\n", err: "" });
  assert.is(routerVersion.code, 0);

  const forgotten = await at.run(["forget", "127.0.0.1:2"]);
  assert.is(forgotten.code, 0);
  const left = JSON.parse((await at.run(["report"])).out) as Report;
  assert.equal(left.Router.Targets, ["127.0.0.1:3"]);
  assert.equal(left.Router.TrustedSubnets, ["10.0.0.0/8"]);
  assert.equal(await at.run(["stop"]), { code: 0, out: "", err: "" });
  const stopped = await at.run(["reset"]);
  assert.is(stopped.code, 1);
  assert.match(stopped.err, /^ERROR: weave is not running; unable to remove from cluster\.\nRe-launch/);
  assert.is((await at.run(["launch", "--no-restart"])).code, 0);
  assert.match(at.calls(), /\nrm weave\n[\s\S]*\nrun -d --name weave (?!.*--restart)/);
  assert.is((await at.run(["reset"])).code, 0);
  assert.not.ok(fs.existsSync(path.join(at.directory, "containers/weave")));
});

test("the images are those of the script in weaveexec, or the ones that are asked for", async () => {
  for (const [version, environment, inner, expected] of [
    ["2.8.1", {}, "2.8.1", "2.8.1"],
    ["2.8.1", {}, "2.7.0", "2.7.0"],
    ["2.8.1", { WEAVE_VERSION: "2.6.0" }, "2.6.0", "2.6.0"],
    ["2.8.1", { WEAVE_VERSION: "2.6.0" }, "2.7.0", "2.6.0"],
    ["2.8.1", { VERSION: "2.6.0" }, "2.8.1", "2.8.1"],
    ["1.0.3", { VERSION: "1.0.2", WEAVE_VERSION: "1.4.0" }, "1.0.2", "1.0.2"],
  ] as const) {
    const at = await bench(version);
    fs.writeFileSync(path.join(at.directory, "inner"), `${inner}\n`);
    // Where nothing listens, a launch ends soon; the image is chosen before.
    await at.run(["launch"], { ...environment, WEAVE_STAND_IN_FAIL_ON_LAUNCH: "no matter" });
    const run = at.calls().match(/^run .* weaveworks\/weave:(\S+)/m)?.[1];
    assert.is(run, expected, `${version} ${JSON.stringify(environment)}`);
  }
});

test("2.8.1: a launch that fails, and containers that are in the way", async () => {
  const at = await bench("2.8.1");
  const fails = await at.run(["launch"], { WEAVE_STAND_IN_FAIL_ON_LAUNCH: "no such thing" });
  assert.equal(fails, {
    code: 1,
    out: "",
    err: "The weave container has died. Consult the container logs for further details.\n",
  });
  assert.match(fs.readFileSync(path.join(at.directory, "containers/weave/log"), "utf8"), /^FATA: .* no such thing\n$/);
  assert.is((await at.run(["launch", "--nonsense"])).code, 1);
  assert.match(fs.readFileSync(path.join(at.directory, "containers/weave/log"), "utf8"), "not defined: --nonsense");
  const noBridge = await at.run(["launch"], { DOCKER_BRIDGE: "none" });
  assert.is(noBridge.code, 1);
  at.leftover("weave", "weaveworks/weave:2.8.1", "restarting");
  assert.equal(await at.run(["launch"]), {
    code: 1,
    out: "",
    err: "weave is created, paused, or restarting; you can stop it with 'weave stop'.\n",
  });
  at.leftover("weave", "busybox:latest", "exited");
  const other = await at.run(["launch"]);
  assert.equal(other, { code: 2, out: "", err: "Found another container named 'weave'. Aborting.\n" });
});

test("1.9.8: router, proxy and plugin; launch while running is 1; create-bridge only without fast datapath", async () => {
  const at = await bench("1.9.8");
  const launched = await at.run(["launch-router", "--no-dns", "127.0.0.1:1"]);
  assert.equal(launched, { code: 0, out: "4f5e6d\n", err: "" });
  const [again, proxy, fast, bridge, report2, version] = await Promise.all([
    at.run(["launch"]),
    at.run(["launch-proxy", "--rewrite-inspect", "--without-dns"]),
    at.run(["create-bridge"], { WEAVE_NO_FASTDP: "" }),
    at.run(["create-bridge"]),
    at.run(["report", "-f", "{{.Version}}"]),
    at.run(["version"]),
  ]);
  assert.equal(again, {
    code: 1,
    out: "",
    err: "weave is already running; you can stop it with 'weave stop-router'.\n",
  });
  assert.equal(proxy, { code: 0, out: "4f5e6d\n", err: "" });
  assert.is(fast.code, 1);
  assert.match(fast.err, "ERROR: 'weave create-bridge' is not compatible with fast data path.");
  assert.is(bridge.code, 0);
  assert.match(at.calls(), /^ip link add name weave address [0-9a-f:]{17} type bridge$/m);
  assert.match(at.calls(), /^ip link set vethwe-bridge master weave up$/m);
  assert.is(report2.out, "1.9.8");
  assert.match(version.out, /^weave script 1\.9\.8\nweave 1\.9\.8\n/);
  assert.match((await at.run(["status"])).out, "        Service: proxy\n");
  const stop = await at.run(["stop"]);
  assert.equal(stop, { code: 0, out: "", err: "Plugin is not running.\n" });
  assert.is((await at.run(["launch", "--no-dns"])).code, 0);
  assert.match(at.calls(), /^run -d --name weaveplugin .*weaveworks\/plugin:1\.9\.8$/m);
  assert.is((await at.run(["stop"])).code, 0);
});

test("1.2 to 1.4: without the fast datapath on a network of its own, where its API is; else on the host's", async () => {
  const at = await bench("1.4.6");
  // The port of its API is fixed, so the router is made to fail instead of opening it here.
  const stop = { WEAVE_STAND_IN_FAIL_ON_LAUNCH: "stop here" };
  const launch = async (version: string, more: NodeJS.ProcessEnv): Promise<string> => {
    const { code, err } = await at.run(["launch-router", "--no-dns", "127.0.0.1:1"], {
      WEAVE_STAND_IN_VERSION: version,
      ...stop,
      ...more,
    });
    assert.is(code, 1);
    assert.match(err, "The weave container has died");
    return (
      at
        .calls()
        .split("\n")
        .filter((line) => line.startsWith("run "))
        .at(-1) ?? ""
    );
  };
  const own = await launch("1.4.6", {});
  assert.match(own, / -p \d+:\d+\/tcp -p \d+:\d+\/udp .* --iface ethwe .* --http-addr :6784 /);
  assert.not.match(own, /--net=host|--restart|status-addr|vethwe/);
  assert.not.match(at.calls(), "vethwe-pcap");
  const older = await launch("1.2.1", {});
  assert.match(older, " --iface ethwe ");
  assert.not.match(older, /--net=host|--restart|http-addr/);
  const fast = await launch("1.4.6", { WEAVE_NO_FASTDP: "" });
  assert.match(fast, / --net=host .* --datapath datapath .* --http-addr 127\.0\.0\.1:6784 /);
  assert.is((await at.run(["launch-plugin"])).code, 1, "not without a router");
  assert.is((await at.run(["launch-proxy"], { WEAVE_STAND_IN_VERSION: "1.4.6" })).code, 0);
  assert.match(at.calls(), /^run -d --name weaveproxy (?!.*--restart)/m);
});

test("1.0.3: published ports, no report, create-bridge, and errors that are answers", async () => {
  const at = await bench("1.0.3");
  const [bridge, unknown, router2, stop] = await Promise.all([
    at.run(["--local", "create-bridge"]),
    at.run(["report"]),
    at.run(["launch-router"]),
    at.run(["stop"]),
  ]);
  assert.is(bridge.code, 0);
  assert.equal([unknown.code, router2.code], [1, 1]);
  assert.match(unknown.err, "Unknown weave command 'report'");
  assert.equal(stop, { code: 0, out: "", err: "Weave is not running.\n" });
  // Its control port is fixed, 6784 on all the container's addresses: not to be opened here, so it is made to fail.
  const fails = await at.run(["launch", "127.0.0.1:1"], { WEAVE_STAND_IN_FAIL_ON_LAUNCH: "stop here" });
  assert.is(fails.code, 1);
  assert.match(
    fails.err,
    "The weave container has died. Consult the logs with 'docker logs weave' for further details.",
  );
  assert.match(at.calls(), /^run -d --name weave .* -p \d+:\d+\/tcp -p \d+:\d+\/udp .* --iface ethwe /m);
  assert.not.match(at.calls(), "--restart");
  assert.is((await at.run(["status"])).code, 1);
});

test.run();
