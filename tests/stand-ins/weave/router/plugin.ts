/**
 * The plugin for Docker networks, as plugin/ of v2.8.1: weavemesh.sock is a driver of networks and their addresses, weave.sock
 * one of networks whose addresses others give. At its start it makes the network `weave`. It tells the router by its HTTP.
 */
import * as fs from "node:fs";
import * as http from "node:http";
import * as path from "node:path";
import { connectToBridge } from "./attach";
import { has, run } from "./bridge";
import { askDocker, followContainers, postToDocker } from "./docker";
import { isRecord, log, readBody } from "./text";

/** Where Docker looks for plugins, by their sockets' names. */
const SOCKETS = "/run/docker/plugins";

/** Whose address is asked for: no container's (api.NoContainerID). */
const NOBODY = "_";

export interface PluginSettings {
  dockerSocket: string;
  bridge: string;
  defaultSubnet: string;
  withDns: boolean;
  /** Sends a request to the router and resolves to its answer; rejects if that is no success. */
  router: (method: string, path: string) => Promise<string>;
}

type Body = Record<string, unknown>;

export class DockerPlugin {
  constructor(private readonly settings: PluginSettings) {}

  /** Listens, makes the network, and registers the names of containers that start on it. */
  async start(): Promise<void> {
    await this.listen("weave", "global", ["NetworkDriver"]);
    await this.listen("weavemesh", "local", ["NetworkDriver", "IpamDriver"]);
    const { dockerSocket, defaultSubnet, withDns } = this.settings;
    log("INFO", 'Creating default "weave" network');
    await postToDocker(dockerSocket, "/networks/create", {
      Name: "weave",
      CheckDuplicate: true,
      Driver: "weavemesh",
      IPAM: { Driver: "weavemesh", Config: [{ Subnet: defaultSubnet }] },
      Options: { "works.weave.multicast": "true" },
    }).catch((error: unknown) => log("INFO", `[plugin] ${String(error)}`));
    followContainers(dockerSocket, (event, id) => {
      if (event === "start" && withDns) void this.named(id).catch((error: unknown) => log("INFO", `[plugin] ${error}`));
    });
  }

  private async listen(name: string, scope: string, kinds: string[]): Promise<void> {
    const server = http.createServer((request, response) => {
      readBody(request)
        .then((text) => this.answer(request.url ?? "", JSON.parse(text || "{}") as Body, scope, kinds))
        .then(
          (answer) => response.writeHead(answer === undefined ? 404 : 200).end(JSON.stringify(answer ?? {})),
          (error: unknown) => response.writeHead(500).end(JSON.stringify({ Err: String(error) })),
        );
    });
    const socket = path.join(SOCKETS, `${name}.sock`);
    fs.rmSync(socket, { force: true });
    await new Promise<void>((done, fail) => server.once("error", fail).listen(socket, done));
    log("INFO", `Listening on ${socket} for ${scope} scope`);
  }

  /** The answer to a request of Docker's: plugin/skel/listener.go; undefined to one that there is not. */
  private async answer(url: string, body: Body, scope: string, kinds: string[]): Promise<Body | undefined> {
    const [receiver = "", method = ""] = url.slice(1).split(".");
    if (url === "/Plugin.Activate") return { Implements: kinds };
    if (!kinds.includes(receiver)) return undefined;
    return receiver === "NetworkDriver" ? this.network(method, body, scope) : this.addresses(method, body);
  }

  /** plugin/net/driver.go */
  private network(method: string, body: Body, scope: string): Body {
    // The first nine characters of the id are assumed to be unique.
    const id = String(body["EndpointID"] ?? "").slice(0, 9);
    const [port, end] = [`vethwl${id}`, `vethwg${id}`];
    switch (method) {
      case "GetCapabilities":
        return { Scope: scope };
      case "CreateEndpoint":
        connectToBridge(port, end, this.settings.bridge);
        return { Interface: { MacAddress: fs.readFileSync(`/sys/class/net/${end}/address`, "utf8").trim() } };
      case "DeleteEndpoint":
        if (has(port)) run("ip", "link", "del", port);
        return {};
      case "EndpointOperInfo":
        return { Value: {} };
      case "Join":
        return {
          InterfaceName: { SrcName: end, DstPrefix: "ethwe" },
          StaticRoutes: [{ Destination: "224.0.0.0/4", RouteType: 1 }],
        };
      default:
        return {};
    }
  }

  /** plugin/ipam/driver.go: what it needs of a pool later is in the pool's name. */
  private async addresses(method: string, body: Body): Promise<Body> {
    const [, subnet = "", range = ""] = String(body["PoolID"] ?? "").split("-");
    const given = String(body["Address"] ?? "");
    switch (method) {
      case "GetDefaultAddressSpaces":
        return { LocalDefaultAddressSpace: "weavelocal", GlobalDefaultAddressSpace: "weaveglobal" };
      case "RequestPool": {
        const pool = String(body["Pool"] || this.settings.defaultSubnet);
        const PoolID = `weave-${pool}-${String(body["SubPool"] || pool)}`;
        // The network's address stands in for a gateway, which there is not.
        return { PoolID, Pool: pool, Data: { "com.docker.network.gateway": pool } };
      }
      case "RequestAddress": {
        const length = subnet.split("/")[1] ?? "";
        if (given !== "") {
          await this.settings.router("PUT", `/ip/${NOBODY}/${given}/${length}`);
          return { Address: `${given}/${length}` };
        }
        const [address] = (await this.settings.router("POST", `/ip/${NOBODY}/${range}`)).split("/");
        return { Address: `${address}/${length}` };
      }
      case "ReleaseAddress":
        if (given !== subnet.split("/")[0]) await this.settings.router("DELETE", `/ip/${given}`);
        return {};
      default:
        return {};
    }
  }

  /** Registers a container on one of its networks by its host name, and its name in Weave's domain: plugin/net/watcher.go. */
  private async named(id: string): Promise<void> {
    const container = await askDocker(this.settings.dockerSocket, `/containers/${id}/json`);
    const { Name, Config, NetworkSettings } = container as {
      Name: string;
      Config: { Hostname: string; Domainname: string };
      NetworkSettings: { Networks: Record<string, { NetworkID: string; IPAddress: string }> };
    };
    for (const { NetworkID, IPAddress } of Object.values(NetworkSettings.Networks)) {
      const network = await askDocker(this.settings.dockerSocket, `/networks/${NetworkID}`);
      if (!isRecord(network) || !["weave", "weavemesh"].includes(String(network["Driver"]))) continue;
      for (const fqdn of [`${Config.Hostname}.${Config.Domainname}`, `${Name.slice(1)}.weave.local`]) {
        await this.settings.router("PUT", `/name/${id}/${IPAddress}?fqdn=${encodeURIComponent(fqdn)}`);
      }
    }
  }
}
