import { isIPv4 } from "node:net";
import { NoAnswer, RequestError, UserError } from "../core/errors";
import type { Host, HttpRequest, HttpResponse } from "../core/host/host";
import { describeRequest } from "../core/host/http";
import { isBoolean, isListOf, isOptional, isShape, isString, parseJson } from "../core/json";

/** Where a router of Weave 1.2 or newer serves its control API. */
export interface Control {
  readonly address: string;
  readonly port: number;
}

/** Where the router serves its control API by default. */
export const DEFAULT_CONTROL: Control = { address: "127.0.0.1", port: 6784 };

/** Parses a value of WEAVE_HTTP_ADDR or --http-addr; null unless it is an IPv4 address, or none, and a port. */
export function parseControl(text: string): Control | null {
  const [, address = "", digits] = /^([\d.]*):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  return (address === "" || isIPv4(address)) && port > 0 && port < 65536 ? { address, port } : null;
}

/** An address that stands for all addresses of a host, in Go and as WEAVE_HTTP_ADDR. */
export function isAnyAddress({ address }: Control): boolean {
  return address === "" || address === "0.0.0.0";
}

/**
 * Where a running router serves its control API: where its last argument --http-addr says, by default on port 6784. Without an address
 * there, it listens on all addresses of its container or this host (weaveworks/weave, prog/weaver/main.go).
 */
export function controlOf({
  args,
  address,
}: {
  readonly args: readonly string[];
  readonly address: string | null;
}): Control {
  const given = args.flatMap((argument, index) => {
    const found = /^--?http-?addr(?:=(.*))?$/s.exec(argument);
    return found === null ? [] : [found[1] ?? args[index + 1] ?? ""];
  });
  const { port, ...asGiven } = parseControl(given.at(-1) ?? "") ?? { ...DEFAULT_CONTROL, address: "" };
  const own = address ?? DEFAULT_CONTROL.address;
  return { address: isAnyAddress({ ...asGiven, port }) ? own : asGiven.address, port };
}

/** The request that is answered 200 once the router is ready. */
export function status(to: Control): HttpRequest {
  return { to, method: "GET", path: "/status" };
}

function report(to: Control): HttpRequest & { readonly to: Control } {
  return { to, method: "GET", path: "/report", headers: { accept: "application/json" } };
}

function checkPort({ port }: Control): string {
  return `Check which program listens on port ${port} (ss -ltnp), and restart the router.`;
}

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
export async function observeRouter(host: Host, control: Control): Promise<LiveRouter | null> {
  const response = await ask(host, report(control));
  if (response === null) return null;
  if (response.status !== 200) {
    throw new UserError(
      `${describeRequest(report(control))}: must be answered with 200 (found ${response.status}: ${response.body.trim()}). ` +
        checkPort(control),
    );
  }
  return parseReport(response.body, control);
}

/**
 * The addresses that the router has given the host itself, as CIDRs; none if it does not answer. It omits those that others
 * gave the bridge. Without any it answers with an empty text, or 404 before 1.5 (weaveworks/weave, ipam/http.go, at v1.0.1 to v2.8.1).
 */
export async function exposedAddresses(host: Host, control: Control): Promise<readonly string[]> {
  const response = await ask(host, { to: control, method: "GET", path: "/ip/weave:expose" });
  return response?.status === 200 ? (response.body.match(/\S+/g) ?? []) : [];
}

async function ask(host: Host, request: HttpRequest & { readonly to: Control }): Promise<HttpResponse | null> {
  try {
    return await host.request(request);
  } catch (error) {
    // The plan decides what no answer means.
    if (error instanceof NoAnswer) return null;
    throw error instanceof RequestError ? new RequestError(error.request, error.found, checkPort(request.to)) : error;
  }
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
export function parseReport(text: string, control: Control): LiveRouter {
  const parsed = parseJson(text, REPORT_SHAPE);
  if (parsed === null) {
    throw new UserError(
      `weave_service: the answer to ${describeRequest(report(control))} must be a router's report (found ${text.slice(0, 100) || "nothing"}). ${checkPort(control)}`,
    );
  }
  const { Version: version, Router: router } = parsed;
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
export function connect(to: Control, peers: readonly string[]): HttpRequest {
  return form(to, "/connect", peers);
}

/** Makes the router stop connecting to these peers. An established connection stays until it ends. */
export function forget(to: Control, peers: readonly string[]): HttpRequest {
  return form(to, "/forget", peers);
}

function form(to: Control, path: string, peers: readonly string[]): HttpRequest {
  return {
    to,
    method: "POST",
    path,
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: peers.map((peer) => `peer=${encodeURIComponent(peer)}`).join("&"),
  };
}
