import * as http from "node:http";
import * as net from "node:net";
import * as assert from "uvu/assert";
import { readBehaviour } from "../../stand-ins/weave/router/behaviour";
import type { RouterSettings } from "../../stand-ins/weave/router/settings";
import { RouterStandIn } from "../../stand-ins/weave/router/stand_in";

/** A name that is rejected without asking any server, as it is longer than a DNS label may be. */
export const UNRESOLVABLE = `${"x".repeat(64)}.invalid`;

const running: RouterStandIn[] = [];

/** Stops some of the routers that run, or all. */
export async function stopRouters(...some: readonly RouterStandIn[]): Promise<void> {
  const stopped = running.filter((each) => some.length === 0 || some.includes(each));
  for (const each of stopped) running.splice(running.indexOf(each), 1);
  await Promise.all(stopped.map((each) => each.stop()));
}

/** What a router stores, for as long as the test runs. */
export function memory(): RouterSettings["store"] {
  const kept = new Map<string, unknown>();
  return { load: (key) => kept.get(key), save: (key, value) => void kept.set(key, value) };
}

/** A router on loopback with free ports and short intervals; `changes` go over the defaults. */
export async function router(changes: Partial<RouterSettings> = {}): Promise<RouterStandIn> {
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

/** What a router answers. */
export interface Response {
  status: number;
  body: string;
}

/** Makes a request to a router. */
export function call(
  address: string | undefined,
  method: string,
  route: string,
  form = "",
  accept = "",
): Promise<Response> {
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

/** What a router reports of itself. */
export interface Report {
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

/** A router's report. */
export async function report(of: RouterStandIn): Promise<Report> {
  const answer = await call(of.httpListening, "GET", "/report", "", "application/json");
  assert.is(answer.status, 200);
  return JSON.parse(answer.body) as Report;
}

/** Asks until a condition holds, for two seconds at most; returns the last answer either way. */
export async function until<T>(ask: () => Promise<T>, holds: (answer: T) => boolean): Promise<T> {
  const end = Date.now() + 2000;
  for (;;) {
    const answer = await ask();
    if (holds(answer) || Date.now() > end) return answer;
    await new Promise((done) => setTimeout(done, 15));
  }
}

/** The states of the connections in a report. */
export const states = (from: Report): string[] => (from.Router.Connections ?? []).map((connection) => connection.State);

/** A port of loopback that nothing listens at. */
export async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
