import { UserError } from "../core/errors";
import type { Host, HttpRequest } from "../core/host/host";
import { describeRequest } from "../core/host/http";

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
    throw new UserError(`${describeRequest(REPORT)} answered ${response.status}: ${response.body.trim()}`);
  }
  return parseReport(response.body);
}

/** Parses the router's report. Throws a UserError, with the beginning of the text, if it is not one. */
export function parseReport(text: string): LiveRouter {
  const report = parseJson(text);
  if (!isReport(report)) {
    throw new UserError(
      `${describeRequest(REPORT)}: the answer is not a router's report (${text.slice(0, 160)}). ` +
        "See what listens on port 6784 (ss -ltnp)",
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

/** The part of a report that is used. Go writes an empty list as null. */
interface Report {
  readonly Version: string;
  readonly Router: {
    readonly Name: string;
    readonly NickName: string;
    readonly Encryption: boolean;
    readonly Interface?: string | null;
    readonly Targets?: readonly string[] | null;
    readonly Peers?: readonly { readonly Name: string }[] | null;
    readonly Connections?: readonly Connection[] | null;
  };
}

interface Connection {
  readonly Address: string;
  readonly State: string;
  readonly Info: string;
  readonly Attrs?: { readonly name?: string | null } | null;
}

function isReport(value: unknown): value is Report {
  if (!isObject(value) || !isObject(value["Router"])) return false;
  const { Name, NickName, Encryption, Interface, Targets, Peers, Connections } = value["Router"];
  return (
    [value["Version"], Name, NickName].every(isString) &&
    typeof Encryption === "boolean" &&
    isOptional(Interface, isString) &&
    isOptionalList(Targets, isString) &&
    isOptionalList(Peers, (peer) => isObject(peer) && isString(peer["Name"])) &&
    isOptionalList(Connections, isConnection)
  );
}

function isConnection(value: unknown): value is Connection {
  if (!isObject(value)) return false;
  const { Address, State, Info, Attrs } = value;
  return (
    [Address, State, Info].every(isString) &&
    isOptional(Attrs, (attrs) => isObject(attrs) && isOptional(attrs["name"], isString))
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}

function isOptional(value: unknown, check: (value: unknown) => boolean): boolean {
  return value === undefined || value === null || check(value);
}

function isOptionalList(value: unknown, check: (value: unknown) => boolean): boolean {
  return isOptional(value, (list) => Array.isArray(list) && list.every(check));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
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
