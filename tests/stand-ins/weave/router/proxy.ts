/**
 * The proxy in front of Docker's socket, as proxy/ of v2.8.1: a container that is created through it gets an address of
 * Weave's, the interface ethwe and a name, and its program is started only once it has them (/w/w, see image/). Other
 * requests pass as they are. It tells the router by its HTTP, so that it can be a separate process, as up to 1.9.
 */

import * as fs from "node:fs";
import * as http from "node:http";
import * as net from "node:net";
import { attach } from "./attach";
import { askDocker, type Container, followContainers, inspect, runningContainers } from "./docker";
import { isRecord, log, readBody } from "./text";

const WAIT = "/w/w";

export interface ProxySettings {
  /** Where it listens: a path. */
  socket: string;
  dockerSocket: string;
  bridge: string;
  /** Its own container, which has the volume with /w/w. */
  container: string;
  /** Whether containers get Weave's DNS, and names. */
  withDns: boolean;
  rewriteInspect: boolean;
  /** "nft" or "legacy". */
  backend: string;
  /** Sends a request to the router and resolves to its answer; rejects if that is no success. */
  router: (method: string, path: string) => Promise<string>;
}

export class DockerProxy {
  /** The end of the attachment of a container, by the id of its process. */
  private readonly attached = new Map<number, Promise<string[]>>();

  constructor(private readonly settings: ProxySettings) {}

  /** Attaches containers that run already, listens, and attaches those that start. */
  async start(): Promise<void> {
    const { socket, dockerSocket } = this.settings;
    const server = http.createServer((request, response) => {
      this.serve(request, response).catch((error: unknown) => {
        response.writeHead(500).end(`${error instanceof Error ? error.message : String(error)}\n`);
      });
    });
    // `docker run` and `docker exec` turn their connection into the container's streams.
    server.on("upgrade", (request: http.IncomingMessage, client: net.Socket, head: Buffer) => {
      const docker = net.connect(dockerSocket, () => {
        const headers = request.rawHeaders.flatMap((value, i, all) =>
          i % 2 === 0 ? `${value}: ${all[i + 1]}\r\n` : [],
        );
        docker.write(`${request.method} ${request.url} HTTP/1.1\r\n${headers.join("")}\r\n`);
        docker.write(head);
        docker.pipe(client).pipe(docker);
      });
      docker.on("error", () => client.destroy());
      client.on("error", () => docker.destroy());
    });
    fs.rmSync(socket, { force: true });
    await new Promise<void>((done, fail) => server.once("error", fail).listen(socket, done));
    log("INFO", `proxy listening on unix://${socket}`);
    followContainers(dockerSocket, (event, id) => {
      if (event === "start") void this.attach(id).catch((error: unknown) => this.failed(id, error));
    });
    // Each may have to wait for an address.
    for (const id of await runningContainers(dockerSocket)) {
      void this.attach(id).catch((error: unknown) => this.failed(id, error));
    }
  }

  private failed(id: string, error: unknown): void {
    log("INFO", `[proxy] ${id}: ${error instanceof Error ? error.message : String(error)}`);
  }

  private async serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const [path = ""] = (request.url ?? "").split("?");
    const match = /^(?:\/v[\d.]*)?\/containers\/([^/]+)(?:\/(json|start|restart))?$/.exec(path);
    if (match?.[1] === "create") {
      const container: unknown = JSON.parse(await readBody(request));
      const body = isRecord(container) ? await this.created(container, request.url ?? "") : container;
      return this.pass(request, response, Buffer.from(JSON.stringify(body)));
    }
    if (match?.[2] === "json" && this.settings.rewriteInspect) return this.inspected(request, response);
    const starts = match?.[2] === "start" || match?.[2] === "restart";
    await this.pass(request, response, undefined, async () => {
      if (starts) await this.attach(match?.[1] ?? "");
    });
  }

  /** Sends the request to Docker, with `body` if it is another one, and its answer back once `before` has ended. */
  private pass(
    request: http.IncomingMessage,
    response: http.ServerResponse,
    body?: Buffer,
    before = async (): Promise<void> => undefined,
  ): Promise<void> {
    return new Promise((done, fail) => {
      const { method, url: path, headers } = request;
      const length = body === undefined ? {} : { "content-length": body.length };
      const to = http.request(
        { socketPath: this.settings.dockerSocket, method, path, headers: { ...headers, ...length } },
        (from) => {
          const success = (from.statusCode ?? 0) < 300;
          (success ? before() : Promise.resolve()).then(() => {
            response.writeHead(from.statusCode ?? 500, from.headers);
            // `POST /containers/ID/wait` has its body when the container ends, and is waited for before it is started.
            response.flushHeaders();
            from.pipe(response).on("finish", () => done());
          }, fail);
        },
      );
      to.on("error", fail);
      if (body === undefined) request.pipe(to);
      else to.end(body);
    });
  }

  /** A request to create a container, with what makes it one of Weave's: createContainerInterceptor. */
  private async created(container: Record<string, unknown>, url: string): Promise<Record<string, unknown>> {
    const host = isRecord(container["HostConfig"]) ? container["HostConfig"] : {};
    const list = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
    if (weaveCidrs(String(host["NetworkMode"] ?? ""), list(container["Env"])) === undefined) return container;
    let [entrypoint, command] = [list(container["Entrypoint"]), list(container["Cmd"])];
    if (entrypoint.length === 0) {
      const image = await askDocker(this.settings.dockerSocket, `/images/${container["Image"]}/json`).catch(
        () => undefined,
      );
      const config = isRecord(image) && isRecord(image["Config"]) ? image["Config"] : {};
      if (command.length === 0) command = list(config["Cmd"]);
      entrypoint = list(config["Entrypoint"]);
    }
    const weave = await inspect(this.settings.dockerSocket, this.settings.container);
    const volume = weave?.Mounts.find(({ Destination }) => Destination === "/w")?.Source;
    const changed: Record<string, unknown> = {
      ...container,
      Entrypoint: [WAIT, ...entrypoint.filter((word) => word !== WAIT)],
      Cmd: command,
    };
    changed["HostConfig"] = { ...host, Binds: [...list(host["Binds"]), `${volume}:/w:ro`] };
    if (!this.settings.withDns) return changed;
    const name = new URLSearchParams(url.split("?")[1] ?? "").get("name") ?? "";
    if (!container["Hostname"] && name !== "") Object.assign(changed, { Hostname: name, Domainname: "weave.local" });
    const search = list(host["DnsSearch"]);
    const dns = [...list(host["Dns"]), await this.settings.router("GET", "/dns-address")];
    const DnsSearch = search.length > 0 ? search : [name === "" ? "weave.local." : "."];
    changed["HostConfig"] = { ...(changed["HostConfig"] as object), Dns: dns, DnsSearch };
    return changed;
  }

  /** Attaches a container that was created through the proxy and runs. Resolves to its addresses. */
  private async attach(name: string): Promise<string[]> {
    const container = await inspect(this.settings.dockerSocket, name);
    if (!container?.State.Running || container.Config.Entrypoint?.[0] !== WAIT) return [];
    const { Pid } = container.State;
    let attached = this.attached.get(Pid);
    if (!attached) {
      attached = this.attachOnce(container);
      this.attached.set(Pid, attached);
      attached.catch(() => this.attached.delete(Pid));
    }
    return attached;
  }

  private async attachOnce({ Id, State, Config, HostConfig }: Container): Promise<string[]> {
    const { router, bridge, withDns, backend } = this.settings;
    const given = weaveCidrs(HostConfig.NetworkMode, Config.Env ?? []) ?? [];
    log("INFO", `Attaching container ${Id} with WEAVE_CIDR "${given.join(" ")}" to weave network`);
    const cidrs: string[] = [];
    for (const wish of given.length > 0 ? given : ["net:default"]) {
      const [, kind = "ip", cidr = ""] = /^(?:(net|ip):)?(.*)$/.exec(wish) ?? [];
      const path = `/ip/${Id}${cidr === "default" ? "" : `/${cidr}`}?check-alive=true`;
      if (kind === "net") cidrs.push(await router("POST", path));
      else await router("PUT", path).then(() => cidrs.push(cidr));
    }
    attach(State.Pid, bridge, cidrs, backend);
    const fqdn = encodeURIComponent(`${Config.Hostname}.${Config.Domainname}`);
    for (const cidr of withDns ? cidrs : []) {
      await router("PUT", `/name/${Id}/${cidr.split("/")[0]}?fqdn=${fqdn}&check-alive=true`);
    }
    return cidrs;
  }

  /** Docker's answer about a container, with the address that Weave gave it: inspectContainerInterceptor. */
  private async inspected(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const container = await askDocker(this.settings.dockerSocket, request.url ?? "").catch(() => undefined);
    if (!isRecord(container)) return this.pass(request, response);
    const [cidr] = await this.attach(String(container["Id"])).catch(() => []);
    const network = container["NetworkSettings"];
    if (cidr !== undefined && isRecord(network)) {
      const [IPAddress, prefix] = cidr.split("/");
      Object.assign(network, { IPAddress, IPPrefixLen: Number(prefix) });
    }
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(container));
  }
}

/** The addresses that a container's WEAVE_CIDR asks for; undefined is one that the proxy leaves alone. */
function weaveCidrs(networkMode: string, environment: string[]): string[] | undefined {
  if (!["", "none", "default", "bridge"].includes(networkMode)) return undefined;
  const given = environment.find((line) => line.startsWith("WEAVE_CIDR="))?.slice("WEAVE_CIDR=".length);
  return given === "none" ? undefined : (given ?? "").split(/\s+/).filter(Boolean);
}
