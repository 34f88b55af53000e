/**
 * A stand-in for the Weave Net router.
 *
 * The router is published as container images only, which a machine without a registry can't pull. This file takes its
 * place on a test host: it speaks the router's HTTP API and its command line, listens on the router's TCP port, really
 * connects to its targets there, forwards frames to them by frames.py while connected, and reports its connections.
 * README.md beside this file ends with a list of what is not implemented.
 *
 * Sources of the facts, by name in the Weave Net 2.8 sources unless said otherwise: prog/weaver/main.go (command line),
 * prog/weaver/http.go (report and status texts), router/http.go (connect, forget, expose), prog/weaver/discovery.go
 * (DELETE /peer), ipam/status.go, net/bridge.go; weaveworks/mesh: status.go, connection_maker.go, protocol.go. The 1.0
 * status text follows published output of `weave status` of 1.0.1.
 *
 * Tests make it misbehave by `behaviour.json` beside this file, which is read for every request, or by the environment,
 * which takes precedence (the script `weave` passes it into the container):
 *
 * | key in behaviour.json   | environment                     | effect                                               |
 * | ----------------------- | ------------------------------- | ---------------------------------------------------- |
 * | answerDelayMilliseconds | WEAVE_STAND_IN_ANSWER_DELAY_MS  | delay of every HTTP answer                           |
 * | startDelayMilliseconds  | WEAVE_STAND_IN_START_DELAY_MS   | time from the start until it listens                 |
 * | readyDelayMilliseconds  | WEAVE_STAND_IN_READY_DELAY_MS   | time that /status is 503 once it listens             |
 * | failOnLaunch            | WEAVE_STAND_IN_FAIL_ON_LAUNCH   | logs this text and exits 1 instead of starting       |
 * | version                 | WEAVE_STAND_IN_VERSION          | the version (1.0.x: HTTP on all addresses, no        |
 * |                         |                                 | /report; 1.2 to 1.9 and 2.x: as in the 2.8 sources)  |
 * | retryMilliseconds       | WEAVE_STAND_IN_RETRY_MS         | first interval between attempts; the router's: 2000  |
 *
 * Run as `router.js FLAGS PEERS…` it is the router; `router.js stand-in-call METHOD ADDRESS PATH [--json] [key=value…]`
 * is the script's HTTP client; `router.js stand-in-idle` waits until it is stopped (proxy, plugin, weavedns).
 *
 * It is one file that uses only Node's own modules, so that it can be transpiled and copied to a host.
 */
import { execFileSync, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import * as dns from "node:dns";
import * as fs from "node:fs";
import * as http from "node:http";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";

/** How tests make it misbehave; see the table at the top. */
export interface Behaviour {
  answerDelayMilliseconds: number;
  startDelayMilliseconds: number;
  readyDelayMilliseconds: number;
  retryMilliseconds: number;
  failOnLaunch: string | undefined;
  version: string | undefined;
}

/** A router's settings. Addresses are `host:port`; port 0 means any free one. */
export interface RouterSettings {
  version: string;
  /** Peer name, a MAC address. */
  name: string;
  nickName: string;
  /** Address to listen on for peers; undefined is all. */
  host: string | undefined;
  /** Port for peers, and the port of targets given without one. */
  port: number;
  /** Control HTTP; undefined is none. */
  httpAddress: string | undefined;
  /** Read-only status and metrics; undefined is none. */
  statusAddress: string | undefined;
  password: string | undefined;
  trustedSubnets: string[];
  peerDiscovery: boolean;
  /** CIDR for automatic allocation; undefined switches it off. */
  ipallocRange: string | undefined;
  ipallocDefaultSubnet: string | undefined;
  /** Where DNS would listen; undefined is `--no-dns`. */
  dnsAddress: string | undefined;
  /** Where the proxy would listen; undefined is `--proxy=false`. */
  proxyAddress: string | undefined;
  plugin: boolean;
  /** Whether it has its fast datapath. */
  fastdp: boolean;
  /** The bridge that `expose` puts addresses on; undefined only remembers them. */
  bridge: string | undefined;
  /** Peers to connect to, `host[:port]`, as on the command line. */
  targets: string[];
  /** Where targets are kept for the next start; undefined is nowhere. */
  stateFile: string | undefined;
  /** Called with the addresses of all connected peers whenever they change; frames are sent to these peers only. */
  carry: (peers: string[]) => void;
  behaviour: () => Behaviour;
}

/** One connection in a peer's status: mesh's connectionStatus. */
interface PeerConnection {
  Name: string;
  NickName: string;
  Address: string;
  Outbound: boolean;
  Established: boolean;
}

/** mesh's PeerStatus. `Connections` is null, not [], when there are none: a nil slice of Go. */
interface PeerStatus {
  Name: string;
  NickName: string;
  UID: number;
  ShortID: number;
  Version: number;
  Connections: PeerConnection[] | null;
}

/** mesh's LocalConnectionStatus. */
interface ConnectionStatus {
  Address: string;
  Outbound: boolean;
  State: "established" | "pending" | "connecting" | "retrying" | "failed" | "waiting";
  Info: string;
  Attrs: Record<string, string | number | boolean> | null;
}

/** A message between two stand-ins: the sender's name, its encryption and its connections. */
interface Hello {
  standIn: "weave";
  /** Digest of the password, or undefined when there is none. Test passwords only: this protects nothing. */
  proof: string | undefined;
  peer: PeerStatus;
}

interface Target {
  state: "waiting" | "attempting" | "connected";
  lastError: string | undefined;
  /** Milliseconds since 1970; undefined is never. */
  tryAfter: number | undefined;
  interval: number;
}

interface Link {
  socket: net.Socket;
  address: string;
  outbound: boolean;
  established: boolean;
  peer: PeerStatus | undefined;
  endReason: string | undefined;
  lastHeard: number;
}

const maximalInterval = 360_000;
const sleeveMtu = 1438;
const selfConnection = "cannot connect to ourself";

/** Whether `version` has the whole HTTP API and a status address (2.x), only the API (1.2 to 1.9), or neither. */
export function versionFamily(version: string): "1.0" | "1.9" | "2.x" {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major >= 2) return "2.x";
  return major === 1 && minor >= 2 ? "1.9" : "1.0";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Reads behaviour.json in `folder` and `environment`; anything unreadable counts as absent. */
export function readBehaviour(folder: string, environment: NodeJS.ProcessEnv): Behaviour {
  let file: Record<string, unknown> = {};
  try {
    const parsed: unknown = JSON.parse(fs.readFileSync(path.join(folder, "behaviour.json"), "utf8"));
    if (isRecord(parsed)) file = parsed;
  } catch {
    // No file, or it is being written.
  }
  const text = (key: string, variable: string): string | undefined => {
    const fromEnvironment = environment[variable];
    if (fromEnvironment !== undefined && fromEnvironment !== "") return fromEnvironment;
    const value = file[key];
    return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
  };
  const milliseconds = (key: string, variable: string, fallback: number): number => {
    const value = Number(text(key, variable) ?? fallback);
    return Number.isFinite(value) && value >= 0 ? value : fallback;
  };
  return {
    answerDelayMilliseconds: milliseconds("answerDelayMilliseconds", "WEAVE_STAND_IN_ANSWER_DELAY_MS", 0),
    startDelayMilliseconds: milliseconds("startDelayMilliseconds", "WEAVE_STAND_IN_START_DELAY_MS", 0),
    readyDelayMilliseconds: milliseconds("readyDelayMilliseconds", "WEAVE_STAND_IN_READY_DELAY_MS", 0),
    retryMilliseconds: milliseconds("retryMilliseconds", "WEAVE_STAND_IN_RETRY_MS", 2000),
    failOnLaunch: text("failOnLaunch", "WEAVE_STAND_IN_FAIL_ON_LAUNCH"),
    version: text("version", "WEAVE_STAND_IN_VERSION"),
  };
}

function log(level: "INFO" | "FATA", message: string): void {
  process.stderr.write(`${level}: ${goTime(new Date()).slice(0, 26)} ${message}\n`);
}

/** A time as Go prints it, in UTC. */
function goTime(date: Date): string {
  return `${date.toISOString().replace("T", " ").replace("Z", "000000")} +0000 UTC`;
}

/** Splits `host:port` or `:port`; a missing port is undefined. */
function splitHostPort(address: string): { host: string; port: number | undefined } {
  const match = /^(.*):(\d+)$/.exec(address);
  return match ? { host: match[1] ?? "", port: Number(match[2]) } : { host: address, port: undefined };
}

function ipToNumber(ip: string): number {
  return ip.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

function numberToIp(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

/** Parses `a.b.c.d/n`; undefined for anything else. */
function parseCidr(text: string): { ip: string; prefix: number } | undefined {
  const [ip = "", prefix = "", ...rest] = text.split("/");
  if (rest.length > 0 || net.isIPv4(ip) === false || !/^\d{1,2}$/.test(prefix) || Number(prefix) > 32) return undefined;
  return { ip, prefix: Number(prefix) };
}

/** Whether `ip` is in one of `subnets` (CIDRs). */
function inSubnets(ip: string, subnets: string[]): boolean {
  return subnets.some((subnet) => {
    const cidr = parseCidr(subnet);
    if (!cidr) return false;
    const size = 2 ** (32 - cidr.prefix);
    return Math.floor(ipToNumber(ip) / size) === Math.floor(ipToNumber(cidr.ip) / size);
  });
}

/** Go's message for a failed dial; `code` is the errno name. */
function dialError(address: string, code: string): string {
  const reasons: Record<string, string> = {
    ECONNREFUSED: "connect: connection refused",
    EHOSTUNREACH: "connect: no route to host",
    ENETUNREACH: "connect: network is unreachable",
    ETIMEDOUT: "i/o timeout",
  };
  return `dial tcp4 :0->${address}: ${reasons[code] ?? `connect: ${code}`}`;
}

/** Resolves a target's host to an IPv4 address; rejects with Go's message if it can't be resolved. */
function resolve(host: string): Promise<string> {
  return new Promise((done, fail) => {
    if (net.isIPv4(host)) {
      done(host);
      return;
    }
    dns.lookup(host, 4, (error, address) => {
      if (error) fail(new Error(`lookup ${host}: no such host`));
      else done(address);
    });
  });
}

function listen(server: net.Server | http.Server, host: string | undefined, port: number): Promise<net.AddressInfo> {
  return new Promise((done, fail) => {
    server.once("error", fail);
    server.listen(port, host, () => {
      server.removeListener("error", fail);
      const address = server.address();
      if (address === null || typeof address === "string") fail(new Error("no TCP address"));
      else done(address);
    });
  });
}

function readBody(request: http.IncomingMessage): Promise<string> {
  return new Promise((done, fail) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => done(Buffer.concat(chunks).toString("utf8")));
    request.on("error", fail);
  });
}

interface Answer {
  status: number;
  body: string;
  type?: string;
}

const notFound: Answer = { status: 404, body: "404 page not found\n" };

/** Renders the Go templates that scripts use, `{{.A.B}}` and `{{json .A}}`; throws for any other. */
function renderFormat(format: string, report: unknown): string {
  return format.replace(/\{\{(.*?)\}\}/g, (_, expression: string) => {
    const match = /^\s*(json\s+)?((?:\.\w+)+|\.)\s*$/.exec(expression);
    if (!match) throw new Error(`the stand-in can't render {{${expression}}}`);
    let value: unknown = report;
    for (const key of (match[2] ?? "").split(".").filter(Boolean)) value = isRecord(value) ? value[key] : undefined;
    if (match[1] !== undefined) return JSON.stringify(value ?? null);
    return typeof value === "object" ? JSON.stringify(value) : String(value ?? "<no value>");
  });
}

/** Counts as `weave status` prints them: `3 (2 established, 1 failed)`. */
function countText(total: number, counts: Map<string, number>, order: string[], before = "", after = ""): string {
  const parts = order.flatMap((key) => (counts.has(key) ? [`${counts.get(key)} ${key}`] : []));
  return parts.length > 0 ? `${total} (${before}${parts.join(", ")}${after})` : String(total);
}

function tally(keys: string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

/** The router. `start` listens and connects; `stop` closes everything. */
export class RouterStandIn {
  private readonly uid = randomBytes(6).readUIntBE(0, 6);
  private readonly shortId = randomBytes(2).readUInt16BE(0) % 4096;
  private topologyVersion = 1;
  /** Target as given → its resolved address and port (undefined if it has none). */
  private readonly directPeers = new Map<string, { ip: string; port: number | undefined }>();
  private readonly targets = new Map<string, Target>();
  private readonly links = new Set<Link>();
  private readonly exposed: string[] = [];
  private readonly allocated = new Map<string, string>();
  private terminations = 0;
  private hasLeft = false;
  private stopped = false;
  private timer: NodeJS.Timeout | undefined;
  private heartbeat: NodeJS.Timeout | undefined;
  private readonly peerServer: net.Server;
  private readonly httpServers: http.Server[] = [];
  private peerPort = 0;
  private listeningSince = 0;
  /** Where control HTTP listens after `start`, `host:port`. */
  httpListening: string | undefined;
  /** Where status HTTP listens after `start`, `host:port`. */
  statusListening: string | undefined;

  constructor(private readonly settings: RouterSettings) {
    this.peerServer = net.createServer((socket) => this.attach(socket, false));
  }

  /** Port for peers after `start`. */
  get port(): number {
    return this.peerPort;
  }

  /** Listens, resolves the first targets and begins to connect. Throws when a target has no address, as the router does. */
  async start(): Promise<void> {
    const errors = await this.initiate(this.settings.targets, false);
    if (errors.length > 0) throw new Error(errors.join("\n"));
    this.peerPort = (await listen(this.peerServer, this.settings.host, this.settings.port)).port;
    this.listeningSince = Date.now();
    this.httpListening = await this.serve(this.settings.httpAddress, true);
    this.statusListening = await this.serve(this.settings.statusAddress, false);
    this.heartbeat = setInterval(() => this.sendHeartbeats(), this.settings.behaviour().retryMilliseconds);
    this.check();
  }

  /** Ends every connection and stops listening. */
  async stop(): Promise<void> {
    this.stopped = true;
    if (this.timer) clearTimeout(this.timer);
    if (this.heartbeat) clearInterval(this.heartbeat);
    for (const link of this.links) link.socket.destroy();
    for (const server of [this.peerServer, ...this.httpServers]) {
      await new Promise<void>((done) => server.close(() => done()));
    }
  }

  private async serve(address: string | undefined, control: boolean): Promise<string | undefined> {
    if (address === undefined) return undefined;
    const { host, port } = splitHostPort(address);
    const server = http.createServer((request, response) => {
      // Closing after each answer keeps `stop` and a test's end from waiting for idle connections.
      const send = (answer: Answer): void => {
        const headers: http.OutgoingHttpHeaders = { connection: "close" };
        if (answer.status !== 204) {
          headers["content-type"] = answer.type ?? "text/plain; charset=utf-8";
          headers["content-length"] = Buffer.byteLength(answer.body);
        }
        setTimeout(() => {
          response.writeHead(answer.status, headers);
          response.end(answer.status === 204 ? undefined : answer.body);
        }, this.settings.behaviour().answerDelayMilliseconds);
      };
      this.answer(request, control).then(send, (error: unknown) => send({ status: 500, body: `${String(error)}\n` }));
    });
    this.httpServers.push(server);
    const listening = await listen(server, host === "" ? undefined : host, port ?? 0);
    return `${listening.address}:${listening.port}`;
  }

  // --- HTTP ---

  private async answer(request: http.IncomingMessage, control: boolean): Promise<Answer> {
    const url = new URL(request.url ?? "/", "http://router");
    const form = new URLSearchParams(request.method === "POST" ? await readBody(request) : "");
    for (const [key, value] of url.searchParams) form.append(key, value);
    const route = `${request.method ?? "GET"} ${decodeURIComponent(url.pathname)}`;
    if (route.startsWith("GET ")) {
      const answer = this.answerRead(route.slice(4), request, url, control);
      if (answer) return answer;
    }
    return control ? this.answerControl(route, form) : notFound;
  }

  /** Answers of both ports: status, report and metrics. */
  private answerRead(route: string, request: http.IncomingMessage, url: URL, control: boolean): Answer | undefined {
    const old = versionFamily(this.settings.version) === "1.0";
    if (old) return route === "/status" ? { status: 200, body: this.statusTextOld() } : undefined;
    switch (route) {
      case "/status":
        return this.isReady() ? { status: 200, body: this.statusText() } : { status: 503, body: "" };
      case "/status/targets":
        return { status: 200, body: [...this.directPeers.keys()].map((target) => `${target}\n`).join("") };
      case "/status/connections":
        return { status: 200, body: this.connections().map(connectionLine).join("") };
      case "/status/peers":
        return { status: 200, body: this.peers().map(peerLines).join("") };
      case "/status/dns":
        return { status: 200, body: "" };
      case "/status/ipam":
        return { status: 200, body: "" };
      case "/report": {
        if (request.headers.accept === "application/json") {
          return { status: 200, body: JSON.stringify(this.report(), null, 4), type: "application/json" };
        }
        const formats = url.searchParams.getAll("format");
        const [format] = formats;
        if (format === undefined || formats.length !== 1) {
          return { status: 400, body: "error: must supply one format parameter\n" };
        }
        try {
          return { status: 200, body: renderFormat(format, this.report()) };
        } catch (error) {
          return { status: 400, body: `${error instanceof Error ? error.message : String(error)}\n` };
        }
      }
      case "/metrics":
        return versionFamily(this.settings.version) === "2.x" || !control
          ? { status: 200, body: this.metrics(), type: "text/plain; version=0.0.4" }
          : undefined;
      default:
        return undefined;
    }
  }

  /** Answers of the control port alone. */
  private async answerControl(route: string, form: URLSearchParams): Promise<Answer> {
    if (route === "POST /connect") {
      const errors = await this.initiate(form.getAll("peer"), form.get("replace") === "true");
      this.check();
      return errors.length > 0 ? { status: 400, body: `${errors.join("\n")}\n` } : { status: 200, body: "" };
    }
    if (route === "POST /forget") {
      for (const peer of form.getAll("peer")) this.directPeers.delete(peer);
      this.saveTargets();
      return { status: 200, body: "" };
    }
    if (route === "DELETE /peer") {
      this.hasLeft = true;
      this.allocated.clear();
      return { status: 204, body: "" };
    }
    const takenOver = /^DELETE \/peer\/(.+)$/.exec(route);
    if (takenOver) return { status: 200, body: `0 IPs taken over from ${takenOver[1]}\n` };
    const exposed = /^POST \/expose\/([^/]+)\/([^/]+)$/.exec(route);
    if (exposed && versionFamily(this.settings.version) === "2.x") return this.expose(`${exposed[1]}/${exposed[2]}`);
    const address = /^(GET|POST|PUT|DELETE) \/ip\/([^/]+)(?:\/(.+))?$/.exec(route);
    if (address && this.settings.ipallocRange !== undefined) return this.allocate(address[1] ?? "", address[2] ?? "");
    return notFound;
  }

  /** Adds an address to the bridge for `weave expose`; without a bridge only remembers it. */
  private expose(cidr: string): Answer {
    if (!parseCidr(cidr)) {
      return { status: 400, body: `unable to parse ip addr: invalid CIDR address: ${cidr}\n` };
    }
    if (this.settings.bridge !== undefined) {
      try {
        runIp("addr", "replace", cidr, "dev", this.settings.bridge);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        return { status: 500, body: `unable to expose: ${reason}\n` };
      }
    }
    if (!this.exposed.includes(cidr)) this.exposed.push(cidr);
    return { status: 204, body: "" };
  }

  /** Allocates a stable address for each container and router, enough for `weave expose` without an address. */
  private allocate(method: string, container: string): Answer {
    if (method === "PUT" || method === "DELETE") {
      if (method === "DELETE") this.allocated.delete(container);
      return { status: 204, body: "" };
    }
    const range = parseCidr(this.settings.ipallocDefaultSubnet ?? this.settings.ipallocRange ?? "");
    const known = this.allocated.get(container);
    if (known !== undefined) return { status: 200, body: known };
    if (!range || method === "GET") return notFound;
    const size = 2 ** (32 - range.prefix);
    const digest = createHash("sha256").update(`${this.settings.name} ${container}`).digest().readUInt32BE(0);
    const start = Math.floor(ipToNumber(range.ip) / size) * size;
    const cidr = `${numberToIp(start + 1 + (digest % Math.max(1, size - 2)))}/${range.prefix}`;
    this.allocated.set(container, cidr);
    return { status: 200, body: cidr };
  }

  // --- report ---

  private isReady(): boolean {
    return Date.now() - this.listeningSince >= this.settings.behaviour().readyDelayMilliseconds;
  }

  private connections(): ConnectionStatus[] {
    const known: ConnectionStatus[] = [...this.links]
      .filter((link) => link.peer !== undefined)
      .map((link) => {
        const untrusted = !inSubnets(splitHostPort(link.address).host, this.settings.trustedSubnets);
        const encrypted = this.settings.password !== undefined && untrusted;
        const kind = `sleeve ${link.peer?.Name ?? ""}(${link.peer?.NickName ?? ""})`;
        const info =
          this.settings.password === undefined ? kind : `${encrypted ? "encrypted  " : "unencrypted"} ${kind}`;
        return {
          Address: link.address,
          Outbound: link.outbound,
          State: link.established ? "established" : "pending",
          Info: info,
          Attrs: encrypted ? { encrypted: true, mtu: sleeveMtu, name: "sleeve" } : { mtu: sleeveMtu, name: "sleeve" },
        };
      });
    for (const [address, target] of this.targets) {
      const add = (State: ConnectionStatus["State"], Info: string): void => {
        known.push({ Address: address, Outbound: true, State, Info, Attrs: null });
      };
      const until = target.tryAfter === undefined ? "never" : goTime(new Date(target.tryAfter));
      if (target.state === "waiting") {
        if (target.lastError === undefined) add("waiting", `until: ${until}`);
        else add("failed", `${target.lastError}, retry: ${until}`);
      } else if (target.state === "attempting") {
        if (target.lastError === undefined) add("connecting", "");
        else add("retrying", target.lastError);
      }
    }
    return known;
  }

  private ownPeer(): PeerStatus {
    const connections = [...this.links].flatMap((link) =>
      link.peer === undefined
        ? []
        : [
            {
              Name: link.peer.Name,
              NickName: link.peer.NickName,
              Address: link.address,
              Outbound: link.outbound,
              Established: link.established,
            },
          ],
    );
    return {
      Name: this.settings.name,
      NickName: this.settings.nickName,
      UID: this.uid,
      ShortID: this.shortId,
      Version: this.topologyVersion,
      Connections: connections.length > 0 ? connections : null,
    };
  }

  /** This router and those it is connected to, each with the connections that it reported. */
  private peers(): PeerStatus[] {
    return [this.ownPeer(), ...[...this.links].flatMap((link) => (link.peer ? [link.peer] : []))];
  }

  /** The report as `GET /report` gives it. */
  private report(): Record<string, unknown> {
    const { settings } = this;
    const connections = this.connections();
    const family = versionFamily(settings.version);
    const range = settings.ipallocRange === undefined ? undefined : parseCidr(settings.ipallocRange);
    return {
      ...(family === "2.x" ? { Ready: this.isReady() } : {}),
      Version: settings.version,
      VersionCheck: { Enabled: false, Success: false, NewVersion: "", NextCheckAt: "0001-01-01T00:00:00Z" },
      Router: {
        Protocol: "weave",
        ProtocolMinVersion: 1,
        ProtocolMaxVersion: 2,
        Encryption: settings.password !== undefined,
        PeerDiscovery: settings.peerDiscovery,
        Name: settings.name,
        NickName: settings.nickName,
        Port: this.peerPort,
        Peers: this.peers(),
        UnicastRoutes: [{ Dest: settings.name, Via: "00:00:00:00:00:00" }],
        BroadcastRoutes: [{ Source: settings.name, Via: null }],
        Connections: connections.length > 0 ? connections : null,
        TerminationCount: this.terminations,
        Targets: this.directPeers.size > 0 ? [...this.directPeers.keys()] : null,
        OverlayDiagnostics: { fastdp: null, sleeve: null },
        TrustedSubnets: settings.trustedSubnets,
        Interface: settings.fastdp ? `${DATAPATH} (via ODP)` : `${CAPTURING} (via pcap)`,
        CaptureStats: { FlowMisses: 0 },
        MACs: null,
      },
      ...(range
        ? {
            IPAM: {
              Paxos: null,
              Range: settings.ipallocRange,
              RangeNumIPs: 2 ** (32 - range.prefix),
              ActiveIPs: this.allocated.size,
              DefaultSubnet: settings.ipallocDefaultSubnet ?? settings.ipallocRange,
              Entries:
                this.allocated.size > 0 && !this.hasLeft
                  ? [
                      {
                        Token: range.ip,
                        Size: 2 ** (32 - range.prefix),
                        Peer: settings.name,
                        Nickname: settings.nickName,
                        IsKnownPeer: true,
                        Version: 1,
                      },
                    ]
                  : null,
              PendingClaims: null,
              PendingAllocates: null,
            },
          }
        : {}),
      ...(settings.dnsAddress === undefined
        ? {}
        : { DNS: { Domain: "weave.local.", Upstream: null, Address: settings.dnsAddress, TTL: 1, Entries: null } }),
      ...(settings.proxyAddress === undefined ? {} : { Proxy: { Addresses: [settings.proxyAddress] } }),
      ...(settings.plugin ? { Plugin: { Config: null, DriverName: "weave" } } : {}),
    };
  }

  /** The text of `weave status`, 1.2 and later. */
  private statusText(): string {
    const { settings } = this;
    const connections = this.connections();
    const peers = this.peers();
    const ends = peers.flatMap((peer) => peer.Connections ?? []);
    const sections = [
      [["Version", `${settings.version} (version check update disabled)`]],
      [
        ["Service", "router"],
        ["Protocol", "weave 1..2"],
        ["Name", `${settings.name}(${settings.nickName})`],
        ["Encryption", settings.password === undefined ? "disabled" : "enabled"],
        ["PeerDiscovery", settings.peerDiscovery ? "enabled" : "disabled"],
        ["Targets", String(this.directPeers.size)],
        [
          "Connections",
          countText(connections.length, tally(connections.map((connection) => connection.State)), [
            "established",
            "pending",
            "retrying",
            "failed",
            "connecting",
          ]),
        ],
        [
          "Peers",
          countText(
            peers.length,
            tally(ends.map((end) => (end.Established ? "established" : "pending"))),
            ["established", "pending"],
            "with ",
            " connections",
          ),
        ],
        ["TrustedSubnets", settings.trustedSubnets.length > 0 ? settings.trustedSubnets.join(", ") : "none"],
      ],
    ];
    if (settings.ipallocRange !== undefined) {
      sections.push([
        ["Service", "ipam"],
        ["Status", this.allocated.size > 0 ? "ready" : "idle"],
        ["Range", settings.ipallocRange],
        ["DefaultSubnet", settings.ipallocDefaultSubnet ?? settings.ipallocRange],
      ]);
    }
    if (settings.dnsAddress !== undefined) {
      sections.push([
        ["Service", "dns"],
        ["Domain", "weave.local."],
        ["Upstream", "none"],
        ["TTL", "1"],
        ["Entries", "0"],
      ]);
    }
    if (settings.proxyAddress !== undefined) {
      sections.push([
        ["Service", "proxy"],
        ["Address", settings.proxyAddress],
      ]);
    }
    if (settings.plugin) {
      sections.push([
        ["Service", "plugin (legacy)"],
        ["DriverName", "weave"],
      ]);
    }
    return sections
      .map((section) => section.map(([key = "", value = ""]) => `${key.padStart(15)}: ${value}\n`).join(""))
      .join("\n");
  }

  /** The text of the router's status up to 1.0. */
  private statusTextOld(): string {
    const { settings } = this;
    const lines = [
      `weave router ${settings.version}`,
      `Our name is ${settings.name}(${settings.nickName})`,
      `Encryption ${settings.password === undefined ? "off" : "on"}`,
      `Peer discovery ${settings.peerDiscovery ? "on" : "off"}`,
      "Sniffing traffic on &{10 65535 ethwe 00:00:00:00:00:00 up|broadcast|multicast}",
      "MACs:",
      "Peers:",
    ];
    for (const peer of this.peers()) {
      lines.push(`${peer.Name}(${peer.NickName}) (v${peer.Version}) (UID ${peer.UID})`);
      for (const end of peer.Connections ?? []) {
        lines.push(`   -> ${end.Name}(${end.NickName}) [${end.Address}]${end.Established ? "" : " (unestablished)"}`);
      }
    }
    lines.push("Routes:", "unicast:", `${settings.name} -> 00:00:00:00:00:00`, "broadcast:", `${settings.name} -> []`);
    lines.push("Direct Peers:", ...this.directPeers.keys(), "Reconnects:");
    for (const connection of this.connections()) {
      if (connection.State === "failed") lines.push(`->[${connection.Address}] (${connection.Info})`);
    }
    if (settings.ipallocRange !== undefined) lines.push(`Allocator range ${settings.ipallocRange}`);
    return `${lines.join("\n")}\n`;
  }

  private metrics(): string {
    const established = this.connections().filter((connection) => connection.State === "established").length;
    const rest = this.connections().length - established;
    return [
      "# HELP weave_connections Number of peer-to-peer connections.",
      "# TYPE weave_connections gauge",
      `weave_connections{encryption="",state="established",type="sleeve"} ${established}`,
      `weave_connections{encryption="",state="failed",type=""} ${rest}`,
      "# HELP weave_connection_terminations_total Number of peer-to-peer connection terminations.",
      "# TYPE weave_connection_terminations_total counter",
      `weave_connection_terminations_total ${this.terminations}`,
      "",
    ].join("\n");
  }

  // --- targets and connections: mesh's connection_maker.go ---

  /** Adds targets (or replaces them all). Returns Go's messages for those that can't be resolved; the others are added. */
  private async initiate(peers: string[], replace: boolean): Promise<string[]> {
    const errors: string[] = [];
    const found = new Map<string, { ip: string; port: number | undefined }>();
    for (const peer of peers) {
      const { host, port } = splitHostPort(peer);
      try {
        found.set(peer, { ip: await resolve(host), port });
      } catch (error) {
        errors.push(error instanceof Error ? error.message : String(error));
      }
    }
    if (replace) this.directPeers.clear();
    for (const [peer, address] of found) {
      this.directPeers.set(peer, address);
      const target = this.targets.get(`${address.ip}:${address.port ?? this.settings.port}`);
      if (target) {
        target.tryAfter = Date.now();
        target.interval = this.settings.behaviour().retryMilliseconds;
      }
    }
    this.saveTargets();
    return errors;
  }

  private saveTargets(): void {
    if (this.settings.stateFile === undefined) return;
    fs.writeFileSync(this.settings.stateFile, JSON.stringify([...this.directPeers.keys()]));
  }

  /** Connects to targets whose next attempt is due, drops removed targets, and schedules the next call. */
  private check(): void {
    if (this.stopped) return;
    if (this.timer) clearTimeout(this.timer);
    const connected = new Set([...this.links].map((link) => link.address));
    const inbound = new Set([...this.links].flatMap((l) => (l.outbound ? [] : [splitHostPort(l.address).host])));
    const valid = new Set<string>();
    for (const { ip, port } of this.directPeers.values()) {
      const address = `${ip}:${port ?? this.settings.port}`;
      // A target without a port is not dialled while there is a connection from its address.
      if (connected.has(address) || (port === undefined && inbound.has(ip))) continue;
      valid.add(address);
      if (this.targets.has(address)) continue;
      const interval = this.settings.behaviour().retryMilliseconds;
      this.targets.set(address, { state: "waiting", lastError: undefined, tryAfter: Date.now(), interval });
    }
    let next: number | undefined;
    for (const [address, target] of this.targets) {
      if (target.state !== "waiting") continue;
      if (!valid.has(address)) {
        this.targets.delete(address);
      } else if (target.tryAfter !== undefined) {
        const wait = target.tryAfter - Date.now();
        if (wait <= 0) this.dial(address, target);
        else next = Math.min(next ?? wait, wait);
      }
    }
    if (next !== undefined) this.timer = setTimeout(() => this.check(), next);
  }

  private dial(address: string, target: Target): void {
    target.state = "attempting";
    const { host, port } = splitHostPort(address);
    const socket = net.connect({ host, port: port ?? this.settings.port, timeout: 10_000 });
    this.attach(socket, true, address);
  }

  /** Runs the protocol on one connection, incoming or outgoing, until it ends. */
  private attach(socket: net.Socket, outbound: boolean, dialled = ""): void {
    const link: Link = {
      socket,
      address: outbound ? dialled : `${(socket.remoteAddress ?? "").replace(/^::ffff:/, "")}:${socket.remotePort ?? 0}`,
      outbound,
      established: false,
      peer: undefined,
      endReason: undefined,
      lastHeard: Date.now(),
    };
    let text = "";
    socket.setEncoding("utf8");
    socket.on("timeout", () => {
      if (!link.established) {
        link.endReason ??= dialError(link.address, "ETIMEDOUT");
        socket.destroy();
      }
    });
    const begin = (): void => {
      this.links.add(link);
      this.sendHello(link);
    };
    if (outbound) socket.on("connect", begin);
    else begin();
    socket.on("data", (chunk: string) => {
      text += chunk;
      const lines = text.split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) this.hear(link, line);
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      link.endReason ??= this.links.has(link)
        ? `read tcp4: ${error.message}`
        : dialError(link.address, error.code ?? "");
    });
    socket.on("end", () => {
      link.endReason ??= link.established ? "EOF" : "failed to receive remote protocol header: EOF";
    });
    socket.on("close", () => this.ended(link));
  }

  private sendHello(link: Link): void {
    const { password } = this.settings;
    const hello: Hello = {
      standIn: "weave",
      proof: password === undefined ? undefined : createHash("sha256").update(`weave ${password}`).digest("hex"),
      peer: this.ownPeer(),
    };
    link.socket.write(`${JSON.stringify(hello)}\n`);
  }

  /** Handles a message of the other side: the first one establishes the connection, later ones update its connections. */
  private hear(link: Link, line: string): void {
    link.lastHeard = Date.now();
    const hello = parseHello(line);
    const refusal = hello ? this.refusal(link, hello) : "remote protocol header not recognised";
    if (!hello || refusal !== undefined) {
      link.endReason ??= refusal;
      link.socket.destroy();
      return;
    }
    const first = !link.established;
    link.peer = hello.peer;
    if (!first) return;
    link.established = true;
    const target = link.outbound ? this.targets.get(link.address) : undefined;
    if (target) {
      target.state = "connected";
      target.lastError = undefined;
      target.interval = this.settings.behaviour().retryMilliseconds;
    }
    this.announce();
  }

  /** Why a connection is rejected, in mesh's words, or undefined. Closes the older one of two connections to the same peer. */
  private refusal(link: Link, hello: Hello): string | undefined {
    const { name, nickName, password } = this.settings;
    if (hello.peer.Name === name) return selfConnection;
    if (password === undefined && hello.proof !== undefined) {
      return "no password specificed, but peer requested an encrypted connection";
    }
    if (password !== undefined && hello.proof === undefined) {
      return "password specified, but peer requested an unencrypted connection";
    }
    if (password !== undefined && hello.proof !== createHash("sha256").update(`weave ${password}`).digest("hex")) {
      return "Unable to decrypt TCP msg";
    }
    const twin = [...this.links].find((other) => other !== link && other.peer?.Name === hello.peer.Name);
    if (!twin) return undefined;
    const reason = `Multiple connections to ${hello.peer.Name}(${hello.peer.NickName}) added to ${name}(${nickName})`;
    // A connection from before the peer's restart is closed; of two dialled by the same side the first stays; of two dialled by
    // both sides at once, the one dialled by the lower name stays, so that both sides keep the same one.
    const lowerDialled = link.outbound === name < hello.peer.Name;
    const keepNew = twin.peer?.UID !== hello.peer.UID || (twin.outbound !== link.outbound && lowerDialled);
    if (!keepNew) return reason;
    twin.endReason ??= reason;
    twin.socket.destroy();
    this.links.delete(twin);
    return undefined;
  }

  private ended(link: Link): void {
    const wasEstablished = link.established;
    this.links.delete(link);
    const target = link.outbound ? this.targets.get(link.address) : undefined;
    if (target) {
      target.state = "waiting";
      target.lastError = link.endReason ?? "EOF";
      if (link.endReason === selfConnection) {
        target.tryAfter = undefined;
      } else {
        target.tryAfter = Date.now() + target.interval / 2 + Math.random() * target.interval;
        target.interval = Math.min(target.interval * 1.5, maximalInterval);
      }
    }
    if (wasEstablished) {
      this.terminations += 1;
      this.announce();
    }
    this.check();
  }

  /** Reports a change of this router's connections to all neighbours, and updates where frames are sent. */
  private announce(): void {
    this.topologyVersion += 1;
    const established = [...this.links].filter((link) => link.established);
    this.settings.carry([...new Set(established.map((link) => splitHostPort(link.address).host))].sort());
    for (const link of this.links) this.sendHello(link);
  }

  /** Keeps connections alive, and closes those that have been silent for five intervals, as their host is down. */
  private sendHeartbeats(): void {
    const limit = this.settings.behaviour().retryMilliseconds * 5;
    for (const link of this.links) {
      if (Date.now() - link.lastHeard > limit) {
        link.endReason ??= "read tcp4: i/o timeout";
        link.socket.destroy();
      } else {
        this.sendHello(link);
      }
    }
    this.check();
  }
}

function parseHello(line: string): Hello | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isRecord(value) || value["standIn"] !== "weave" || !isRecord(value["peer"])) return undefined;
  const peer = value["peer"];
  const proof = value["proof"];
  if (typeof peer["Name"] !== "string" || typeof peer["NickName"] !== "string") return undefined;
  const connections = Array.isArray(peer["Connections"]) ? peer["Connections"].filter(isRecord) : [];
  return {
    standIn: "weave",
    proof: typeof proof === "string" ? proof : undefined,
    peer: {
      Name: peer["Name"],
      NickName: peer["NickName"],
      UID: Number(peer["UID"]),
      ShortID: Number(peer["ShortID"]),
      Version: Number(peer["Version"]),
      Connections:
        connections.length === 0
          ? null
          : connections.map((end) => ({
              Name: String(end["Name"]),
              NickName: String(end["NickName"]),
              Address: String(end["Address"]),
              Outbound: end["Outbound"] === true,
              Established: end["Established"] === true,
            })),
    },
  };
}

/** A line of `weave status connections`. */
function connectionLine(connection: ConnectionStatus): string {
  const attributes = Object.entries(connection.Attrs ?? {}).flatMap(([key, v]) =>
    key === "name" ? [] : [`${key}=${v}`],
  );
  const arrow = connection.Outbound ? "->" : "<-";
  return `${arrow} ${connection.Address.padEnd(21)} ${connection.State.padEnd(11)} ${connection.Info} ${attributes.join("")}\n`;
}

/** The lines of one peer in `weave status peers`. */
function peerLines(peer: PeerStatus): string {
  const ends = (peer.Connections ?? []).map((end) => {
    const who = `${end.Name}(${end.NickName})`.padEnd(37);
    const arrow = end.Outbound ? "->" : "<-";
    return `   ${arrow} ${end.Address.padEnd(21)} ${who} ${end.Established ? "established" : "pending"}\n`;
  });
  return `${peer.Name}(${peer.NickName})\n${ends.join("")}`;
}

function runIp(...args: string[]): void {
  execFileSync("ip", args, {
    env: { ...process.env, PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" },
    stdio: ["ignore", "ignore", "pipe"],
    timeout: 10_000,
  });
}

// --- command line ---

const valueFlags = new Set(
  (
    "host port min-protocol-version weave-bridge docker-bridge name nickname password log-level profile conn-limit bufsz " +
    "mtu http-addr status-addr metrics-addr ipalloc-init ipalloc-range ipalloc-default-subnet docker-api dns-domain " +
    "dns-listen-address dns-effective-listen-address dns-ttl dns-fallback-timeout resolv-conf datapath trusted-subnets " +
    "db-prefix proc-path host-root peer-discovery-url token advertise-address plugin-socket plugin-mesh-socket H " +
    "hostname-from-label hostname-match hostname-replacement tlscacert tlscert tlskey iface init-peer-count iprange " +
    "ipsubnet initpeercount"
  ).split(" "),
);
const booleanFlags = new Set(
  (
    "version print-peer-name resume expect-npc pkt-debug no-discovery no-dns no-fastdp no-bridged-fastdp awsvpc plugin " +
    "plugin-v2 plugin-v2-multicast no-masq-local proxy rewrite-inspect no-default-ipalloc no-rewrite-hosts tls tlsverify " +
    "without-dns no-multicast-route nodiscovery"
  ).split(" "),
);

/** Parses the router's command line; the last occurrence of a flag counts. Throws mflag's message for an unknown flag. */
export function parseFlags(args: string[]): { flags: Map<string, string>; peers: string[] } {
  const flags = new Map<string, string>();
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? "";
    if (arg === "--") return { flags, peers: args.slice(index + 1) };
    // As in mflag, flags end at the first argument that is not a flag.
    if (!/^-./.test(arg)) return { flags, peers: args.slice(index) };
    const [, name = "", inline] = /^--?([^=]*)(?:=([\s\S]*))?$/.exec(arg) ?? [];
    if (booleanFlags.has(name)) {
      flags.set(name, inline ?? "true");
    } else if (valueFlags.has(name)) {
      if (inline === undefined && index + 1 >= args.length) throw new Error(`flag needs an argument: ${arg}`);
      if (inline === undefined) index += 1;
      flags.set(name, inline ?? args[index] ?? "");
    } else {
      throw new Error(`flag provided but not defined: ${arg}`);
    }
  }
  return { flags, peers: [] };
}

/** The peer name: `--name`, or the bridge's MAC address, or one derived from the machine's id. */
function peerName(flags: Map<string, string>): string {
  const given = flags.get("name");
  if (given !== undefined && given !== "") return given;
  try {
    return fs.readFileSync(`/sys/class/net/${flags.get("weave-bridge") ?? "weave"}/address`, "utf8").trim();
  } catch {
    let id = os.hostname();
    try {
      id = fs.readFileSync(`${flags.get("host-root") ?? ""}/etc/machine-id`, "utf8");
    } catch {
      // Use the host's name.
    }
    const bytes = createHash("sha256").update(id).digest().subarray(0, 6);
    bytes[0] = ((bytes[0] ?? 0) & 0xfe) | 2;
    return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
  }
}

/** The name of the Open vSwitch datapath of a router that has its fast datapath. Here a bridge stands in for it. */
const DATAPATH = "datapath";

/** The end of the router's veth pair where it captures frames that leave the bridge by the other end. */
const CAPTURING = "vethwe-pcap";

function has(device: string): boolean {
  return fs.existsSync(`/sys/class/net/${device}`);
}

/**
 * Creates the bridge and the veth pair vethwe-bridge and vethwe-pcap, as the 2.x router does without fast datapath. As
 * there, an existing bridge gets the peer's name as its MAC address, and the pair an MTU of 65535 unless another is given.
 * Throws the router's error if a plain bridge exists and fast datapath is not disabled.
 */
function ensureBridge(bridge: string, mac: string, mtu: string, noFastdp: boolean): void {
  if (has(bridge)) {
    if (!noFastdp && !has(DATAPATH)) {
      throw new Error(
        'Existing bridge type "bridge" is different than requested "bridged_fastdp". ' +
          "Please do 'weave reset' and try again",
      );
    }
  } else {
    runIp("link", "add", "name", bridge, "type", "bridge");
    if (!noFastdp) runIp("link", "add", "name", DATAPATH, "type", "bridge");
  }
  runIp("link", "set", bridge, "address", mac, "up");
  if (!has("vethwe-bridge")) {
    runIp(..."link add vethwe-bridge mtu".split(" "), mtu, ...`type veth peer name ${CAPTURING} mtu`.split(" "), mtu);
  }
  runIp("link", "set", "vethwe-bridge", "master", bridge, "up");
  // Otherwise the host would answer ARP requests there, with another MAC address than the bridge's.
  runIp("link", "set", CAPTURING, "arp", "off", "up");
}

/** Starts frames.py, which ends with this process. Returns a function that sets the peers it sends frames to. */
function startFrames(device: string, port: number): (peers: string[]) => void {
  const child = spawn("/usr/bin/python3", [path.join(__dirname, "frames.py"), device, String(port)], {
    stdio: ["pipe", "ignore", "inherit"],
  });
  child.on("error", (error) => log("INFO", `no frame is carried: ${error.message}`));
  child.on("exit", (code) => log("INFO", `no frame is carried any more: frames.py ended with ${code}`));
  child.stdin.on("error", () => undefined); // It has ended, as was logged.
  return (peers) => void child.stdin.write(`${peers.join(" ")}\n`);
}

/** The settings of a command line and the environment. `sentinel` exists if this container ran before. */
function settingsOf(args: string[], folder: string, sentinel: string): RouterSettings {
  const { flags, peers } = parseFlags(args);
  const behaviour = (): Behaviour => readBehaviour(folder, process.env);
  const version = behaviour().version ?? "2.8.1";
  const family = versionFamily(version);
  const on = (flag: string): boolean => flags.get(flag) === "true" || flags.get(flag) === "1";
  const filled = (flag: string): string | undefined => flags.get(flag) || undefined;
  const dbPrefix = flags.get("db-prefix") ?? "/weavedb/weave";
  const stateFile = fs.existsSync(path.dirname(dbPrefix)) ? `${dbPrefix}-stand-in.json` : undefined;
  let targets = peers;
  // A restarted container keeps the targets it had, instead of those of its command line.
  if (stateFile !== undefined && fs.existsSync(stateFile) && (on("resume") || fs.existsSync(sentinel))) {
    const stored: unknown = JSON.parse(fs.readFileSync(stateFile, "utf8"));
    if (Array.isArray(stored)) targets = stored.map(String);
    log("INFO", `Restart/resume detected - using persisted peer list: [${targets.join(" ")}]`);
  } else {
    log("INFO", `Launch detected - using supplied peer list: [${targets.join(" ")}]`);
  }
  const trusted = filled("trusted-subnets")?.split(",") ?? [];
  const bad = trusted.find((subnet) => !parseCidr(subnet));
  if (bad !== undefined) throw new Error(`Unable to parse trusted subnets: invalid CIDR address: ${bad}`);
  const range = filled("ipalloc-range") ?? filled("iprange");
  if (range !== undefined && !parseCidr(range)) throw new Error(`invalid CIDR address: ${range}`);
  return {
    version,
    name: peerName(flags),
    nickName: filled("nickname") ?? os.hostname(),
    host: filled("host"),
    port: Number(flags.get("port") ?? 6783),
    // Up to 1.9 it listens on all addresses without being told (prog/weaver/main.go).
    httpAddress: filled("http-addr") ?? (family === "2.x" ? undefined : ":6784"),
    statusAddress: filled("status-addr"),
    password: filled("password") ?? (process.env["WEAVE_PASSWORD"] || undefined),
    trustedSubnets: trusted,
    peerDiscovery: !on("no-discovery") && !on("nodiscovery"),
    ipallocRange: range,
    ipallocDefaultSubnet: filled("ipalloc-default-subnet"),
    dnsAddress: on("no-dns") || family === "1.0" ? undefined : (filled("dns-listen-address") ?? "0.0.0.0:53"),
    proxyAddress: on("proxy") ? (filled("H") ?? "unix:///var/run/weave/weave.sock") : undefined,
    plugin: on("plugin"),
    fastdp: family === "2.x" ? !on("no-fastdp") : flags.has("datapath"),
    bridge: filled("weave-bridge"),
    targets,
    stateFile,
    carry: () => undefined,
    behaviour,
  };
}

/** Runs the router in its container. */
async function runRouter(args: string[]): Promise<void> {
  const sentinel = path.join(process.cwd(), "restart.sentinel");
  const { flags } = parseFlags(args);
  const { failOnLaunch, startDelayMilliseconds, version } = readBehaviour(__dirname, process.env);
  if (flags.get("version") === "true") {
    process.stdout.write(`weave ${version ?? "2.8.1"}\n`);
    return;
  }
  if (failOnLaunch !== undefined) throw new Error(failOnLaunch);
  const settings = settingsOf(args, __dirname, sentinel);
  await new Promise((done) => setTimeout(done, startDelayMilliseconds));
  if (settings.bridge !== undefined) {
    const mtu = Number(flags.get("mtu") ?? 0) || 65535;
    ensureBridge(settings.bridge, settings.name, String(mtu), flags.get("no-fastdp") === "true");
  }
  // Up to 1.9 the script creates the pair; up to 1.1 there is none.
  const carry = has(CAPTURING) ? startFrames(CAPTURING, settings.port) : settings.carry;
  const router = new RouterStandIn({ ...settings, carry });
  await router.start();
  fs.writeFileSync(sentinel, "");
  log("INFO", `Our name is ${settings.name}(${settings.nickName}); this is a stand-in`);
}

/**
 * One HTTP request of the script `weave`. Sets the exit status of the real script's http_call: 0 on 2xx, 4 on 404, 1 on
 * other answers (their body goes to standard error), 7 and 28 as curl's if there is no answer. The 1.0 script ignored the
 * status code: with `--any` every answer is printed and the exit status is 0.
 */
function runCall([method = "GET", address = "", route = "/", ...rest]: string[]): void {
  const fields = rest.filter((arg) => !arg.startsWith("--"));
  const body = fields
    .map((f) => `${f.slice(0, f.indexOf("="))}=${encodeURIComponent(f.slice(f.indexOf("=") + 1))}`)
    .join("&");
  const { host, port } = splitHostPort(address);
  const inQuery = rest.includes("--get") && body !== "";
  const request = http.request({
    host,
    port: port ?? 80,
    method,
    path: inQuery ? `${route}?${body}` : route,
    timeout: 3000,
    headers: {
      ...(rest.includes("--json") ? { accept: "application/json" } : {}),
      ...(method === "POST" ? { "content-type": "application/x-www-form-urlencoded" } : {}),
    },
  });
  request.on("socket", (socket) => {
    // Limits only the connection, as curl's --connect-timeout does.
    socket.on("connect", () => socket.setTimeout(0));
  });
  request.on("timeout", () => {
    process.exitCode = 28;
    request.destroy(new Error("Connection timed out"));
  });
  request.on("error", (error) => {
    process.exitCode ??= 7;
    process.stderr.write(
      `curl: (${process.exitCode}) Failed to connect to ${host} port ${port ?? 80}: ${error.message}\n`,
    );
  });
  request.on("response", (response) => {
    const status = response.statusCode ?? 0;
    readBody(response).then(
      (text) => {
        if (rest.includes("--any") || (status >= 200 && status < 300)) {
          process.stdout.write(text);
        } else if (status === 404) {
          process.exitCode = 4;
        } else {
          process.exitCode = 1;
          process.stderr.write(text);
        }
      },
      (error: unknown) => {
        process.exitCode = 56;
        process.stderr.write(`${String(error)}\n`);
      },
    );
  });
  request.end(inQuery || body === "" ? undefined : body);
}

function main(args: string[]): void {
  const [first = "", ...rest] = args;
  if (first === "stand-in-call") {
    runCall(rest);
    return;
  }
  // As PID 1 of a container Node has no default signal handlers.
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => process.exit(0));
  if (first === "stand-in-idle") {
    setInterval(() => undefined, 3_600_000);
    return;
  }
  runRouter(args).catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    log("FATA", message);
    process.exit(/^flag /.test(message) ? 2 : 1);
  });
}

if (require.main === module) main(process.argv.slice(2));
