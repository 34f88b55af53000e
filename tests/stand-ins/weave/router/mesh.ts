/**
 * Connections to other stand-ins by TCP, as mesh of v2.8.1 reports them, and what routers tell each other over them. The
 * protocol is the stand-in's own: lines of JSON.
 */
import { createHash, randomBytes } from "node:crypto";
import * as net from "node:net";
import { ConnectionMaker } from "./connection_maker";
import { disagreement, type Link, linkStatus, mtuOf, replaces } from "./links";
import { type ConnectionStatus, type Hello, type PeerStatus, parseHello, reachable, uid } from "./peers";
import type { Carried, RouterSettings } from "./settings";
import { dialError, listen, splitHostPort } from "./text";

/** A part of the router that tells all other routers something. */
export interface Gossiper {
  say(): unknown;
  /** Throws what ends the connection to a peer that can't be agreed with. */
  hear(from: string, said: unknown): void;
}

export class Mesh {
  readonly uid = uid(randomBytes(8).readBigUInt64BE(0));
  readonly maker: ConnectionMaker;
  private readonly shortId = randomBytes(2).readUInt16BE(0) % 4096;
  private topologyVersion = 1;
  private readonly links = new Set<Link>();
  private readonly others = new Map<string, PeerStatus>();
  private readonly proof: string | undefined;
  private readonly server: net.Server;
  private heartbeat: NodeJS.Timeout | undefined;
  /** How many connections have ended. */
  terminations = 0;
  /** Port for peers after `start`. */
  port = 0;

  constructor(
    private readonly settings: RouterSettings,
    private readonly gossipers: () => Record<string, Gossiper>,
    private readonly events: { saveTargets: (targets: string[]) => void; beat: () => void },
  ) {
    const { password } = settings;
    this.proof = password === undefined ? undefined : createHash("sha256").update(`weave ${password}`).digest("hex");
    this.server = net.createServer((socket) => this.attach(socket, false));
    this.maker = new ConnectionMaker({
      port: settings.port,
      retryMilliseconds: () => settings.behaviour().retryMilliseconds,
      connected: () => [...this.links],
      dial: (address) => {
        const { host, port } = splitHostPort(address);
        this.attach(net.connect({ host, port: port ?? settings.port, timeout: 10_000 }), true, address);
      },
      save: events.saveTargets,
    });
  }

  /** Listens and begins to connect. */
  async start(): Promise<void> {
    this.port = (await listen(this.server, this.settings.host, this.settings.port)).port;
    this.heartbeat = setInterval(() => this.sendHeartbeats(), this.settings.behaviour().retryMilliseconds);
    this.maker.start();
  }

  /** Ends every connection and stops listening. */
  async stop(): Promise<void> {
    this.maker.stop();
    if (this.heartbeat) clearInterval(this.heartbeat);
    for (const link of this.links) link.socket.destroy();
    await new Promise<void>((done) => this.server.close(() => done()));
  }

  // --- what is known ---

  connections(): ConnectionStatus[] {
    return [...[...this.links].flatMap((link) => linkStatus(link, this.settings)), ...this.maker.status()];
  }

  /** This router and all that it reaches by connections, each with the connections that it reported. */
  peers(): PeerStatus[] {
    return reachable(this.settings.name, [this.ownPeer(), ...this.others.values()]);
  }

  /** Whether it reaches the peer of this name. */
  knows(name: string): boolean {
    return this.peers().some((peer) => peer.Name === name);
  }

  /** Whether there is a connection to the peer of this name. */
  isNeighbour(name: string): boolean {
    return [...this.links].some((link) => link.peer?.Name === name);
  }

  /** The peer at an address, as long as there is a connection. */
  peerAt(address: string): PeerStatus | undefined {
    return [...this.links].find((link) => splitHostPort(link.address).host === address)?.peer;
  }

  private ownPeer(): PeerStatus {
    const connections = [...this.links].flatMap(({ peer, address, outbound, established }) => {
      if (peer === undefined) return [];
      return {
        Name: peer.Name,
        NickName: peer.NickName,
        Address: address,
        Outbound: outbound,
        Established: established,
      };
    });
    return {
      Name: this.settings.name,
      NickName: this.settings.nickName,
      UID: this.uid,
      ShortID: this.shortId,
      Version: this.topologyVersion,
      Connections: connections.length > 0 ? connections : null,
    };
  }

  // --- the protocol ---

  /** Runs the protocol on one connection, incoming or outgoing, until it ends. */
  private attach(socket: net.Socket, outbound: boolean, dialled = ""): void {
    const link: Link = {
      socket,
      address: outbound ? dialled : `${(socket.remoteAddress ?? "").replace(/^::ffff:/, "")}:${socket.remotePort ?? 0}`,
      outbound,
      established: false,
      peer: undefined,
      endReason: undefined,
      lastHeard: Date.now(),
    };
    let text = "";
    socket.setEncoding("utf8");
    socket.on("timeout", () => {
      if (!link.established) {
        link.endReason ??= dialError(link.address, "ETIMEDOUT");
        socket.destroy();
      }
    });
    const begin = (): void => {
      this.links.add(link);
      this.sendHello(link);
    };
    if (outbound) socket.on("connect", begin);
    else begin();
    socket.on("data", (chunk: string) => {
      text += chunk;
      const lines = text.split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) this.hear(link, line);
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      link.endReason ??= this.links.has(link)
        ? `read tcp4: ${error.message}`
        : dialError(link.address, error.code ?? "");
    });
    socket.on("end", () => {
      link.endReason ??= link.established ? "EOF" : "failed to receive remote protocol header: EOF";
    });
    socket.on("close", () => this.ended(link));
  }

  private sendHello(link: Link): void {
    const hello: Hello = {
      standIn: "weave",
      proof: this.proof,
      peer: this.ownPeer(),
      others: this.peers().slice(1),
      gossip: Object.fromEntries(Object.entries(this.gossipers()).map(([name, gossiper]) => [name, gossiper.say()])),
    };
    link.socket.write(`${JSON.stringify(hello)}\n`);
  }

  /** Handles a message of the other side: the first one establishes the connection, later ones tell what is new. */
  private hear(link: Link, line: string): void {
    link.lastHeard = Date.now();
    const hello = parseHello(line);
    const refusal = hello ? this.refusal(link, hello) : "remote protocol header not recognised";
    if (!hello || refusal !== undefined) {
      link.endReason ??= refusal;
      link.socket.destroy();
      return;
    }
    link.peer = hello.peer;
    for (const peer of [hello.peer, ...hello.others]) {
      const known = this.others.get(peer.Name);
      const isNewer = known === undefined || known.UID !== peer.UID || known.Version < peer.Version;
      // Of a neighbour only its own word counts: the others may still tell of one that it was before its restart.
      const isOwnWord = peer === hello.peer || ![...this.links].some((other) => other.peer?.Name === peer.Name);
      if (peer.Name !== this.settings.name && isNewer && isOwnWord) this.others.set(peer.Name, peer);
    }
    if (!link.established) {
      link.established = true;
      if (link.outbound) this.maker.established(link.address);
      this.announce();
    }
    try {
      for (const [name, part] of Object.entries(this.gossipers())) part.hear(hello.peer.Name, hello.gossip[name]);
    } catch (error) {
      link.endReason ??= error instanceof Error ? error.message : String(error);
      link.socket.destroy();
    }
  }

  /** Why a connection is rejected, or undefined. Closes the older one of two connections to the same peer. */
  private refusal(link: Link, hello: Hello): string | undefined {
    const reason = disagreement(hello, this.settings.name, this.proof);
    const twin = [...this.links].find((other) => other !== link && other.peer?.Name === hello.peer.Name);
    if (reason !== undefined || !twin) return reason;
    const both = `${hello.peer.Name}(${hello.peer.NickName}) added to ${this.settings.name}(${this.settings.nickName})`;
    if (!replaces(link, twin, hello.peer, this.settings.name)) return `Multiple connections to ${both}`;
    twin.endReason ??= `Multiple connections to ${both}`;
    twin.socket.destroy();
    this.links.delete(twin);
    return undefined;
  }

  private ended(link: Link): void {
    this.links.delete(link);
    if (link.outbound) this.maker.ended(link.address, link.endReason ?? "EOF");
    if (link.established) {
      this.terminations += 1;
      this.announce();
    }
    this.maker.check();
  }

  /** Reports a change of this router's connections to all neighbours, and updates where frames are sent. */
  private announce(): void {
    this.topologyVersion += 1;
    const established = [...this.links].filter((link) => link.established);
    const mtus = new Map(established.map((link) => [splitHostPort(link.address).host, mtuOf(link, this.settings)]));
    this.settings.carry([...mtus].sort().map(([address, mtu]): Carried => ({ address, mtu })));
    this.broadcast();
  }

  /** Tells all neighbours what is new, now rather than with the next heartbeat. */
  broadcast(): void {
    for (const link of this.links) this.sendHello(link);
  }

  /** Keeps connections alive, and closes those that have been silent for five intervals, as their host is down. */
  private sendHeartbeats(): void {
    const limit = this.settings.behaviour().retryMilliseconds * 5;
    for (const link of this.links) {
      if (Date.now() - link.lastHeard > limit) {
        link.endReason ??= "read tcp4: i/o timeout";
        link.socket.destroy();
      } else {
        this.sendHello(link);
      }
    }
    this.events.beat();
    this.maker.check();
  }
}
