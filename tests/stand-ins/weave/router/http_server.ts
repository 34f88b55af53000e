/** The router's HTTP: control and status, as prog/weaver/http.go, router/http.go, ipam/http.go and nameserver/http.go of v2.8.1. */
import * as http from "node:http";
import { isBefore, versionFamily } from "./behaviour";
import { connectionLine, peerLines, withUids } from "./peers";
import { dnsLines, ipamLines, metrics, report, statusText, statusTextOld } from "./report";
import type { Router } from "./router";
import { type Answer, listen, notFound, parseCidr, readBody, renderFormat, splitHostPort } from "./text";

/** Listens at `host:port`; port 0 is any free one. Returns the server and where it listens. */
export async function serve(
  router: Router,
  address: string,
  control: boolean,
): Promise<{ server: http.Server; listening: string }> {
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
      }, router.settings.behaviour().answerDelayMilliseconds);
    };
    const closed = (then: () => void): void => void response.on("close", then);
    answer(router, request, control, closed).then(send, (error: unknown) =>
      send({ status: 500, body: `${String(error)}\n` }),
    );
  });
  const listening = await listen(server, host === "" ? undefined : host, port ?? 0);
  return { server, listening: `${listening.address}:${listening.port}` };
}

async function answer(
  router: Router,
  request: http.IncomingMessage,
  control: boolean,
  closed: (then: () => void) => void,
): Promise<Answer> {
  const url = new URL(request.url ?? "/", "http://router");
  const form = new URLSearchParams(["POST", "PUT"].includes(request.method ?? "") ? await readBody(request) : "");
  for (const [key, value] of url.searchParams) form.append(key, value);
  const route = `${request.method ?? "GET"} ${decodeURIComponent(url.pathname)}`;
  if (route.startsWith("GET ")) {
    const read = answerRead(router, route.slice(4), request, url, control);
    if (read) return read;
  }
  if (!control) return notFound;
  const { ipallocRange, dnsAddress } = router.settings;
  return (
    (await answerControl(router, route, form)) ??
    (ipallocRange === undefined ? undefined : await answerIpam(router, route, closed)) ??
    (dnsAddress === undefined ? undefined : answerDns(router, route, form)) ??
    notFound
  );
}

/** Answers of both ports: status, report and metrics. */
function answerRead(
  router: Router,
  route: string,
  request: http.IncomingMessage,
  url: URL,
  control: boolean,
): Answer | undefined {
  const family = versionFamily(router.settings.version);
  if (family === "1.0") return route === "/status" ? { status: 200, body: statusTextOld(router) } : undefined;
  const { mesh } = router;
  const texts: Record<string, () => string> = {
    "/status": () => statusText(router),
    "/status/targets": () =>
      mesh.maker
        .names()
        .map((target) => `${target}\n`)
        .join(""),
    "/status/connections": () => mesh.connections().map(connectionLine).join(""),
    "/status/peers": () => mesh.peers().map(peerLines).join(""),
    "/status/dns": () => dnsLines(router),
    "/status/ipam": () => ipamLines(router),
  };
  const text = texts[route];
  // With the whole text, too: a router that is not ready tells how far it is.
  if (text) return { status: router.isReady() || family !== "2.x" ? 200 : 503, body: text() };
  if (route === "/report") return answerReport(router, request, url);
  if (route === "/metrics" && (family === "2.x" || !control)) {
    return { status: 200, body: metrics(router), type: "text/plain; version=0.0.4" };
  }
  return undefined;
}

function answerReport(router: Router, request: http.IncomingMessage, url: URL): Answer {
  if (request.headers.accept === "application/json") {
    return { status: 200, body: withUids(JSON.stringify(report(router), null, 4)), type: "application/json" };
  }
  const [format, ...others] = url.searchParams.getAll("format");
  if (format === undefined || others.length > 0) {
    return { status: 400, body: "error: must supply one format parameter\n" };
  }
  try {
    return { status: 200, body: withUids(renderFormat(format, report(router))) };
  } catch (error) {
    return { status: 400, body: `${error instanceof Error ? error.message : String(error)}\n` };
  }
}

/** Answers that only the control port gives. */
async function answerControl(router: Router, route: string, form: URLSearchParams): Promise<Answer | undefined> {
  if (route === "POST /connect") {
    const errors = await router.mesh.maker.initiate(form.getAll("peer"), form.get("replace") === "true");
    return errors.length > 0 ? { status: 400, body: `${errors.join("\n")}\n` } : { status: 200, body: "" };
  }
  if (route === "POST /forget") {
    router.mesh.maker.forget(form.getAll("peer"));
    return { status: 200, body: "" };
  }
  if (route === "DELETE /peer") {
    router.allocator?.leave();
    return { status: 204, body: "" };
  }
  if (route === "GET /proxyaddrs" && router.settings.proxyAddress !== undefined) {
    return { status: 200, body: `${router.settings.proxyAddress}\n` };
  }
  const [, gone] = /^DELETE \/peer\/(.+)$/.exec(route) ?? [];
  if (gone !== undefined) {
    return { status: 200, body: `${router.allocator?.takeOver(gone) ?? 0} IPs taken over from ${gone}\n` };
  }
  const [, ip, prefix] = /^POST \/expose\/([^/]+)\/([^/]+)$/.exec(route) ?? [];
  if (ip === undefined || versionFamily(router.settings.version) !== "2.x") return undefined;
  return expose(router, `${ip}/${prefix}`, form.get("skipNAT") !== "true");
}

/** Adds an address to the bridge for `weave expose`; without a bridge only remembers it. */
function expose(router: Router, cidr: string, masquerade: boolean): Answer {
  if (!parseCidr(cidr)) return { status: 400, body: `unable to parse ip addr: invalid CIDR address: ${cidr}\n` };
  try {
    router.firewall?.expose(cidr, masquerade);
  } catch (error) {
    return { status: 500, body: `unable to expose: ${error instanceof Error ? error.message : String(error)}\n` };
  }
  if (!router.exposed.includes(cidr)) router.exposed.push(cidr);
  return { status: 204, body: "" };
}

/** Addresses: a request for one is answered when there is one, which may be never. */
async function answerIpam(
  router: Router,
  route: string,
  closed: (then: () => void) => void,
): Promise<Answer | undefined> {
  const { allocator } = router;
  const [, method, ident = "", ip, prefix] =
    /^(GET|POST|PUT|DELETE) \/ip\/([^/]+)(?:\/([^/]+)(?:\/(\d+))?)?$/.exec(route) ?? [];
  if (!allocator || method === undefined) return undefined;
  const cidr = prefix === undefined ? undefined : `${ip}/${prefix}`;
  if (method === "DELETE") {
    const freed = allocator.free(ident, ip);
    return freed ? { status: 204, body: "" } : { status: 400, body: `Delete: no addresses for ${ident}\n` };
  }
  if (method === "PUT") {
    if (cidr === undefined || !parseCidr(cidr)) return { status: 400, body: `invalid CIDR address: ${cidr}\n` };
    allocator.claim(ident, cidr);
    return { status: 204, body: "" };
  }
  const subnet = cidr ?? router.settings.ipallocDefaultSubnet ?? router.settings.ipallocRange ?? "";
  if (method === "GET") {
    const found = allocator.lookup(ident, subnet);
    if (!isBefore(router.settings.version, 1, 5)) return { status: 200, body: found.join(" ") };
    return found[0] === undefined ? notFound : { status: 200, body: found[0] };
  }
  const address = await allocator.allocate(ident, subnet, closed);
  return { status: 200, body: address ?? "cancelled" };
}

/** Names: registered by the proxy, the plugin, and `weave attach`, `dns-add` and `expose -h`. */
function answerDns(router: Router, route: string, form: URLSearchParams): Answer | undefined {
  const { names, settings } = router;
  if (!names) return undefined;
  const { host } = splitHostPort(settings.dnsAddress ?? "");
  if (route === "GET /domain") return { status: 200, body: "weave.local." };
  if (route === "GET /dns-address") return { status: 200, body: host };
  if (route === "GET /dns-address-port") return { status: 200, body: settings.dnsAddress ?? "" };
  const [, method, id, ip] = /^(PUT|DELETE) \/name(?:\/([^/]+)(?:\/([^/]+))?)?$/.exec(route) ?? [];
  if (method === undefined || (method === "PUT" && ip === undefined)) return undefined;
  if (ip !== undefined && !parseCidr(`${ip}/32`)) return { status: 400, body: `invalid IP address: ${ip}\n` };
  const fqdn = form.get("fqdn") ?? undefined;
  if (method === "PUT") names.add(fqdn ?? "", id ?? "", ip ?? "");
  else names.remove({ ...(id ? { id } : {}), ...(ip ? { address: ip } : {}), ...(fqdn ? { fqdn } : {}) });
  return { status: 204, body: "" };
}
