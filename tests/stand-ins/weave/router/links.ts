/** One connection to another router: its status, and whether the router keeps it. */
import type * as net from "node:net";
import { selfConnection } from "./connection_maker";
import type { ConnectionStatus, Hello, PeerStatus } from "./peers";
import type { RouterSettings } from "./settings";
import { inSubnets, splitHostPort } from "./text";

export interface Link {
  socket: net.Socket;
  address: string;
  outbound: boolean;
  established: boolean;
  peer: PeerStatus | undefined;
  endReason: string | undefined;
  lastHeard: number;
}

/** What sleeve takes of the underlay's MTU: 1438 and, encrypted, 1414 of 1500 were seen on 2.8. */
const overhead = { plain: 62, encrypted: 86 };

type Settings = Pick<RouterSettings, "password" | "trustedSubnets" | "underlayMtu">;

function isEncrypted(link: Link, { password, trustedSubnets }: Settings): boolean {
  return password !== undefined && !inSubnets(splitHostPort(link.address).host, trustedSubnets);
}

/** How large the packets are that it carries whole. */
export function mtuOf(link: Link, settings: Settings): number {
  const own = (link.socket.localAddress ?? "").replace(/^::ffff:/, "");
  return settings.underlayMtu(own) - (isEncrypted(link, settings) ? overhead.encrypted : overhead.plain);
}

/** The connection as the report has it; nothing as long as the other side is unknown. */
export function linkStatus(link: Link, settings: Settings): ConnectionStatus | [] {
  if (link.peer === undefined) return [];
  const encrypted = isEncrypted(link, settings);
  const kind = `sleeve ${link.peer.Name}(${link.peer.NickName})`;
  const attributes = { mtu: mtuOf(link, settings), name: "sleeve" };
  return {
    Address: link.address,
    Outbound: link.outbound,
    State: link.established ? "established" : "pending",
    Info: settings.password === undefined ? kind : `${encrypted ? "encrypted   " : "unencrypted "}${kind}`,
    Attrs: encrypted ? { encrypted: true, ...attributes } : attributes,
  };
}

/** Why the router of this name and proof of a password can't connect to another, in mesh's words, or undefined. */
export function disagreement(hello: Hello, name: string, proof: string | undefined): string | undefined {
  if (hello.peer.Name === name) return selfConnection;
  if (proof === hello.proof) return undefined;
  if (proof === undefined) return "no password specificed, but peer requested an encrypted connection";
  if (hello.proof === undefined) return "password specified, but peer requested an unencrypted connection";
  return "Unable to decrypt TCP msg";
}

/**
 * Whether a connection replaces another one to the same peer. One from before the peer's restart is replaced; of two dialled
 * by the same side the first stays; of two dialled by both sides at once, the one dialled by the lower name stays, so that
 * both sides keep the same one.
 */
export function replaces(link: Link, twin: Link, peer: PeerStatus, own: string): boolean {
  const lowerDialled = link.outbound === own < peer.Name;
  return twin.peer?.UID !== peer.UID || (twin.outbound !== link.outbound && lowerDialled);
}
