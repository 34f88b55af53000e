import { UserError } from "../core/errors";
import type { Host, HttpRequest } from "../core/host/host";
import { describeRequest } from "../core/host/http";
import { isBoolean, isListOf, isOptional, isShape, isString, parseJson } from "../core/json";

/** Where a router of Weave 1.2 or newer serves its control API. */
const CONTROL = { address: "127.0.0.1", port: 6784 };

/** The request that is answered 200 once the router is ready. */
export const STATUS: HttpRequest = { to: CONTROL, method: "GET", path: "/status" };

const REPORT: HttpRequest = {
  to: CONTROL,
  method: "GET",
  path: "/report",
  headers: { accept: "application/json" },
};

const CHECK_PORT = "Check which program listens on port 6784 (ss -ltnp), and restart the router.";

/** What a running router reports. */
export interface LiveRouter {
  readonly version: string;
  /** Its name among the peers, a MAC address. */
  readonly name: string;
  /** The host's name. */
  readonly nickname: string;
  readonly encryption: boolean;
  /** The peers that it was given to connect to. */
  readonly targets: readonly string[];
  /** The names of all routers that it knows, including its own. */
  readonly peers: readonly string[];
  readonly connections: readonly LiveConnection[];
  /** How it takes frames from the bridge: fastdp is the kernel's Open vSwitch datapath. */
  readonly datapath: "fastdp" | "sleeve";
}

export interface LiveConnection {
  /** Address and port. */
  readonly address: string;
  /** established, pending, connecting, retrying, failed and so on. */
  readonly state: string;
  /** How frames are sent, such as sleeve; null until the connection is established. */
  readonly datapath: string | null;
  /** The router's own description: which peer, or why there is no connection. */
  readonly info: string;
}

/**
 * Asks the running router for its report; null if it does not answer in time. Throws a UserError for an answer that is
 * not a report.
 */
export async function observeRouter(host: Host): Promise<LiveRouter | null> {
  const response = await host.request(REPORT).catch((error: unknown) => {
    // A time-out counts as no answer; the plan decides what that means.
    if (error instanceof UserError) return null;
    throw error;
  });
  if (response === null) return null;
  if (response.status !== 200) {
    throw new UserError(
      `weave_service: the router did not report its state (found status ${response.status} for ${describeRequest(REPORT)}: ` +
        `${response.body.trim()}). ${CHECK_PORT}`,
    );
  }
  return parseReport(response.body);
}

const CONNECTION = isShape({
  Address: isString,
  State: isString,
  Info: isString,
  Attrs: isOptional(isShape({ name: isOptional(isString) })),
});

/** The part of a report that is used (weaveworks/weave, prog/weaver/http.go; weaveworks/mesh, status.go). */
const REPORT_SHAPE = isShape({
  Version: isString,
  Router: isShape({
    Name: isString,
    NickName: isString,
    Encryption: isBoolean,
    Interface: isOptional(isString),
    Targets: isOptional(isListOf(isString)),
    Peers: isOptional(isListOf(isShape({ Name: isString }))),
    Connections: isOptional(isListOf(CONNECTION)),
  }),
});

/** Parses the router's report. Throws a UserError, with the beginning of the text, if it is not one. */
export function parseReport(text: string): LiveRouter {
  const report = parseJson(text, REPORT_SHAPE);
  if (report === null) {
    throw new UserError(
      `weave_service: the answer to ${describeRequest(REPORT)} must be a router's report (found ${text.slice(0, 100) || "nothing"}). ${CHECK_PORT}`,
    );
  }
  const { Version: version, Router: router } = report;
  return {
    version,
    name: router.Name,
    nickname: router.NickName,
    encryption: router.Encryption,
    targets: router.Targets ?? [],
    peers: (router.Peers ?? []).map(({ Name }) => Name).sort(),
    connections: (router.Connections ?? []).map(({ Address, State, Info, Attrs }) => ({
      address: Address,
      state: State,
      datapath: Attrs?.name ?? null,
      info: Info.trim(),
    })),
    // "datapath (via ODP)", or "vethwe-pcap (via pcap)" (weaveworks/weave, prog/weaver/main.go).
    datapath: /via ODP/.test(router.Interface ?? "") ? "fastdp" : "sleeve",
  };
}

/** Makes the router connect to more peers, and reconnect whenever a connection ends. */
export function connect(peers: readonly string[]): HttpRequest {
  return form("/connect", peers);
}

/** Makes the router stop connecting to these peers. An established connection stays until it ends. */
export function forget(peers: readonly string[]): HttpRequest {
  return form("/forget", peers);
}

function form(path: string, peers: readonly string[]): HttpRequest {
  return {
    to: CONTROL,
    method: "POST",
    path,
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: peers.map((peer) => `peer=${encodeURIComponent(peer)}`).join("&"),
  };
}
