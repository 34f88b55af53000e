import type { Host, HttpRequest } from "../core/host";
import { Refusal } from "../core/refusal";

/** Where a router of Weave 2.x takes its orders. */
const CONTROL = { address: "127.0.0.1", port: 6784 };

/** The request whose answer says that the router is ready. */
export const STATUS: HttpRequest = { to: CONTROL, method: "GET", path: "/status" };

/** What a running router is told to connect to, or null where none answers. */
export async function observeTargets(host: Host): Promise<readonly string[] | null> {
  const response = await host.request({
    to: CONTROL,
    method: "GET",
    path: "/report",
    headers: { accept: "application/json" },
  });
  if (response === null) return null;
  if (response.status !== 200)
    throw new Refusal(`the router's report answered ${response.status}: ${response.body.trim()}`);
  return parseTargets(response.body);
}

/** Takes the router's report; returns the peers that it was told of. */
export function parseTargets(report: string): readonly string[] {
  try {
    const { Router } = JSON.parse(report) as { Router: { Targets: string[] | null } };
    return Router.Targets ?? [];
  } catch {
    throw new Refusal(`the router's report can't be read: ${report.slice(0, 200)}`);
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
