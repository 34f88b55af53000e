import { UserError } from "../core/errors";
import type { Host, HttpRequest } from "../core/host/host";

/** Where a router of Weave 1.2 or newer takes its orders. */
const CONTROL = { address: "127.0.0.1", port: 6784 };

/** The request whose answer says that the router is ready. */
export const STATUS: HttpRequest = { to: CONTROL, method: "GET", path: "/status" };

/** What a running router says of itself. */
export interface LiveRouter {
  readonly version: string;
  /** Its name among the peers, a hardware address, and the host's name. */
  readonly name: string;
  readonly nickname: string;
  readonly encryption: boolean;
  /** What it was told to connect to. */
  readonly targets: readonly string[];
  /** The names of all routers that it knows of, its own among them. */
  readonly peers: readonly string[];
  readonly connections: readonly LiveConnection[];
  /** What takes frames up from the bridge: fastdp is the kernel's Open vSwitch datapath. */
  readonly datapath: "fastdp" | "sleeve";
}

export interface LiveConnection {
  /** Address and port. */
  readonly address: string;
  /** established, pending, connecting, retrying, failed … */
  readonly state: string;
  /** Which of its ways the frames take; null as long as there is no connection. */
  readonly datapath: string | null;
  /** The router's words: with whom, or why not. */
  readonly info: string;
}

/** Asks the running router for its report; null where none answers. */
export async function observeRouter(host: Host): Promise<LiveRouter | null> {
  const response = await host
    .request({ to: CONTROL, method: "GET", path: "/report", headers: { accept: "application/json" } })
    .catch((error: unknown) => {
      // One that takes too long is as one that does not answer: what that means is for the plan to say.
      if (error instanceof UserError) return null;
      throw error;
    });
  if (response === null) return null;
  if (response.status !== 200)
    throw new UserError(`the router's report answered ${response.status}: ${response.body.trim()}`);
  return parseReport(response.body);
}

/** What is used of a report. Go writes an empty list as null. */
interface Report {
  readonly Version: string;
  readonly Router: {
    readonly Name: string;
    readonly NickName: string;
    readonly Encryption: boolean;
    readonly Interface: string;
    readonly Targets: readonly string[] | null;
    readonly Peers: readonly { readonly Name: string }[] | null;
    readonly Connections:
      | readonly {
          readonly Address: string;
          readonly State: string;
          readonly Info: string;
          readonly Attrs?: { readonly name?: string } | null;
        }[]
      | null;
  };
}

/** Reads the router's report. Throws a UserError where it is none. */
export function parseReport(text: string): LiveRouter {
  try {
    const { Version, Router } = JSON.parse(text) as Report;
    return {
      version: Version,
      name: Router.Name,
      nickname: Router.NickName,
      encryption: Router.Encryption,
      targets: Router.Targets ?? [],
      peers: (Router.Peers ?? []).map(({ Name }) => Name).sort(),
      connections: (Router.Connections ?? []).map(({ Address, State, Info, Attrs }) => ({
        address: Address,
        state: State,
        datapath: Attrs?.name ?? null,
        info: Info.trim(),
      })),
      // "datapath (via ODP)", or "vethwe-pcap (via pcap)" (weaveworks/weave, prog/weaver/main.go).
      datapath: /via ODP/.test(Router.Interface) ? "fastdp" : "sleeve",
    };
  } catch {
    throw new UserError(`the router's report can't be read: ${text.slice(0, 200)}`);
  }
}

/** Tells the router of more peers, to connect to them now and whenever they are gone. */
export function connect(peers: readonly string[]): HttpRequest {
  return form("/connect", peers);
}

/** Tells the router to connect to these peers no more. A connection that stands is kept until it ends. */
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
