/** The router without its HTTP: what its parts are, and how they come and go. */

import * as fs from "node:fs";
import { startDns } from "./dns_server";
import { followContainers } from "./docker";
import type { Firewall } from "./firewall";
import { Allocator } from "./ipam";
import { Mesh } from "./mesh";
import { Nameserver } from "./nameserver";
import { bridgeAddresses, containersOnBridge } from "./on_bridge";
import type { RouterSettings } from "./settings";
import { splitHostPort } from "./text";

/** `start` listens and connects; `stop` closes everything. */
export class Router {
  readonly mesh: Mesh;
  readonly allocator: Allocator | undefined;
  readonly names: Nameserver | undefined;
  /** Addresses that were exposed. */
  readonly exposed: string[] = [];
  private readonly closers: (() => void)[] = [];
  private listeningSince = 0;

  constructor(
    readonly settings: RouterSettings,
    readonly firewall?: Firewall,
  ) {
    const gossipers = () => ({
      ...(this.allocator ? { IPallocation: this.allocator } : {}),
      ...(this.names ? { nameserver: this.names } : {}),
    });
    this.mesh = new Mesh(settings, gossipers, {
      saveTargets: (targets) => settings.store.save("targets", targets),
      beat: () => this.allocator?.retry(),
    });
    if (settings.dnsAddress !== undefined) {
      this.names = new Nameserver(
        settings.name,
        (name) => this.mesh.knows(name),
        () => this.mesh.broadcast(),
      );
    }
    if (settings.ipallocRange !== undefined) this.allocator = this.newAllocator(settings.ipallocRange);
  }

  /** Port for peers after `start`. */
  get port(): number {
    return this.mesh.port;
  }

  private newAllocator(range: string): Allocator {
    const { settings, mesh } = this;
    const [, mode, value = ""] = /^(\w+)(?:=(.*))?$/.exec(settings.ipallocInit ?? "") ?? [];
    const count = mode === "consensus" ? Number(value) : 0;
    return new Allocator({
      name: settings.name,
      nickName: settings.nickName,
      uid: mesh.uid,
      range,
      defaultSubnet: settings.ipallocDefaultSubnet ?? range,
      seed: mode === "seed" ? value.split(",").sort() : [],
      // The targets may or may not contain this router: determineQuorum in prog/weaver/main.go.
      quorum: () => Math.floor((count || mesh.maker.names(true).length + 1) / 2) + 1,
      isKnown: (name) => mesh.knows(name),
      isNeighbour: (name) => mesh.isNeighbour(name),
      claims: settings.bridge === undefined ? [] : bridgeAddresses(settings.bridge),
      store: settings.store,
      broadcast: () => mesh.broadcast(),
    });
  }

  /** Listens, resolves the first targets and begins to connect. Throws when a target has no address, as the router does. */
  async start(): Promise<void> {
    const { settings } = this;
    const errors = await this.mesh.maker.initiate(settings.targets, false);
    if (errors.length > 0) throw new Error(errors.join("\n"));
    if (this.names && settings.dnsAddress !== undefined && settings.bridge !== undefined) {
      for (const { id, fqdn, address } of await containersOnBridge(settings)) this.names.add(fqdn, id, address);
      this.closers.push(await startDns(settings.dnsAddress, this.names, () => this.upstream()));
    }
    if (settings.dockerSocket !== undefined) {
      const stop = followContainers(settings.dockerSocket, (event, id) => {
        if (event === "die") this.names?.remove({ id });
        if (event === "destroy") this.allocator?.free(id);
      });
      this.closers.push(stop);
    }
    await this.mesh.start();
    this.listeningSince = Date.now();
  }

  /** Ends every connection and stops listening. */
  async stop(): Promise<void> {
    for (const close of this.closers) close();
    await this.mesh.stop();
  }

  isReady(): boolean {
    return Date.now() - this.listeningSince >= this.settings.behaviour().readyDelayMilliseconds;
  }

  /** The servers that DNS asks for what it does not know: those of the host, without itself. */
  upstream(): string[] {
    const { resolvConf, dnsAddress } = this.settings;
    try {
      const text = fs.readFileSync(resolvConf ?? "", "utf8");
      const servers = [...text.matchAll(/^nameserver\s+(\S+)/gm)].map((match) => match[1] ?? "");
      return servers.filter((server) => server !== splitHostPort(dnsAddress ?? "").host);
    } catch {
      return [];
    }
  }
}
