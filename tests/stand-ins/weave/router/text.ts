/** Addresses and texts as Go and the router write them. */
import * as dns from "node:dns";
import type * as http from "node:http";
import * as net from "node:net";

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function log(level: "INFO" | "FATA", message: string): void {
  process.stderr.write(`${level}: ${goTime(new Date()).slice(0, 26)} ${message}\n`);
}

/** A time as Go prints it, in UTC. */
export function goTime(date: Date): string {
  return `${date.toISOString().replace("T", " ").replace("Z", "000000")} +0000 UTC`;
}

/** Splits `host:port` or `:port`; a missing port is undefined. */
export function splitHostPort(address: string): { host: string; port: number | undefined } {
  const match = /^(.*):(\d+)$/.exec(address);
  return match ? { host: match[1] ?? "", port: Number(match[2]) } : { host: address, port: undefined };
}

export function ipToNumber(ip: string): number {
  return ip.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

export function numberToIp(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

/** Parses `a.b.c.d/n`; undefined for anything else. */
export function parseCidr(text: string): { ip: string; prefix: number } | undefined {
  const [ip = "", prefix = "", ...rest] = text.split("/");
  if (rest.length > 0 || net.isIPv4(ip) === false || !/^\d{1,2}$/.test(prefix) || Number(prefix) > 32) return undefined;
  return { ip, prefix: Number(prefix) };
}

/** Whether `ip` is in one of `subnets` (CIDRs). */
export function inSubnets(ip: string, subnets: string[]): boolean {
  return subnets.some((subnet) => {
    const cidr = parseCidr(subnet);
    if (!cidr) return false;
    const size = 2 ** (32 - cidr.prefix);
    return Math.floor(ipToNumber(ip) / size) === Math.floor(ipToNumber(cidr.ip) / size);
  });
}

/** Go's message for a failed dial; `code` is the errno name. */
export function dialError(address: string, code: string): string {
  const reasons: Record<string, string> = {
    ECONNREFUSED: "connect: connection refused",
    EHOSTUNREACH: "connect: no route to host",
    ENETUNREACH: "connect: network is unreachable",
    ETIMEDOUT: "i/o timeout",
  };
  return `dial tcp4 :0->${address}: ${reasons[code] ?? `connect: ${code}`}`;
}

/** Resolves a target's host to an IPv4 address; rejects with Go's message if it can't be resolved. */
export function resolve(host: string): Promise<string> {
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

/** Renders the Go templates that scripts use, `{{.A.B}}` and `{{json .A}}`; throws for any other. */
export function renderFormat(format: string, report: unknown): string {
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
export function countText(
  total: number,
  counts: Map<string, number>,
  order: string[],
  before = "",
  after = "",
): string {
  const parts = order.flatMap((key) => (counts.has(key) ? [`${counts.get(key)} ${key}`] : []));
  return parts.length > 0 ? `${total} (${before}${parts.join(", ")}${after})` : String(total);
}

export function tally(keys: string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

export function listen(
  server: net.Server | http.Server,
  host: string | undefined,
  port: number,
): Promise<net.AddressInfo> {
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

export function readBody(request: http.IncomingMessage): Promise<string> {
  return new Promise((done, fail) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => done(Buffer.concat(chunks).toString("utf8")));
    request.on("error", fail);
  });
}

export interface Answer {
  status: number;
  body: string;
  type?: string;
}

export const notFound: Answer = { status: 404, body: "404 page not found\n" };
