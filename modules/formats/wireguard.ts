/** A WireGuard device, as wg(8) of wireguard-tools 1.0.20210914 configures and shows it. Keys are in base64. */
export interface WireguardConfig {
  readonly privateKey: string;
  /** The UDP port that it listens on. */
  readonly port: number;
  readonly peers: readonly WireguardPeer[];
}

export interface WireguardPeer {
  readonly publicKey: string;
  /** Null for none. */
  readonly presharedKey: string | null;
  /** Address and port; null if it is not known yet. */
  readonly endpoint: string | null;
  /** The networks that are sent to the peer, and accepted from it. */
  readonly allowedIps: readonly string[];
}

/** A device as `wg show DEVICE dump` prints it. */
export interface WireguardDump extends WireguardConfig {
  readonly publicKey: string;
  readonly peers: readonly DumpedPeer[];
}

export interface DumpedPeer extends WireguardPeer {
  /** When the last handshake was, in seconds since 1970; 0 if there was none. */
  readonly handshake: number;
  /** In bytes. */
  readonly received: number;
  readonly sent: number;
}

/** Renders a file for `wg setconf` and `wg syncconf`. */
export function renderWireguardConfig(comment: string, { privateKey, port, peers }: WireguardConfig): string {
  const sections = peers.map(({ publicKey, presharedKey, endpoint, allowedIps }) =>
    section("Peer", [
      ["PublicKey", publicKey],
      ...(presharedKey === null ? [] : [["PresharedKey", presharedKey] as const]),
      ...(endpoint === null ? [] : [["Endpoint", endpoint] as const]),
      ["AllowedIPs", allowedIps.join(", ")],
    ]),
  );
  const device = section("Interface", [
    ["ListenPort", String(port)],
    ["PrivateKey", privateKey],
  ]);
  return [`# ${comment}\n`, device, ...sections].join("\n");
}

function section(name: string, settings: readonly (readonly [key: string, value: string])[]): string {
  return `[${name}]\n${settings.map(([key, value]) => `${key} = ${value}\n`).join("")}`;
}

/** The secret keys in such a file, whoever wrote it. */
export function secretKeysOf(content: string): string[] {
  return [...content.matchAll(SECRET)].map(([, , key = ""]) => key);
}

/** Such a file for a diff: without its secret keys. */
export function withoutSecretKeys(content: string): string {
  return content.replace(SECRET, "$1********");
}

/** wg reads keys of settings in any case, and white space around "=" or none. */
const SECRET = /^([ \t]*(?:PrivateKey|PresharedKey)[ \t]*=[ \t]*)(\S+)/gim;

/**
 * Parses `wg show DEVICE dump`: a line for the device, then one for each peer, of fields between tabs. Null if it is not that.
 */
export function parseWireguardDump(output: string): WireguardDump | null {
  const [device, ...rows] = output
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split("\t"));
  if (device === undefined || device.length !== 4) return null;
  const [privateKey = "", publicKey = "", port = ""] = device;
  return {
    privateKey: privateKey === NONE ? "" : privateKey,
    publicKey: publicKey === NONE ? "" : publicKey,
    port: Number(port),
    peers: rows.map(([key = "", preshared = NONE, endpoint = NONE, allowed = NONE, handshake, received, sent]) => ({
      publicKey: key,
      presharedKey: preshared === NONE ? null : preshared,
      endpoint: endpoint === NONE ? null : endpoint,
      allowedIps: allowed === NONE ? [] : allowed.split(","),
      handshake: Number(handshake),
      received: Number(received),
      sent: Number(sent),
    })),
  };
}

const NONE = "(none)";
