/** The state of the container network on one host, as `apollo-weave status` prints it. What is absent is null. */
export interface Status {
  readonly bridge: BridgeStatus | null;
  /** The files that create the bridge at boot. */
  readonly boot: readonly string[];
  /** What carries frames between hosts. */
  readonly datapath: VxlanStatus | { readonly kind: "router" } | null;
  /**
   * The other hosts: from WireGuard's peers, the VXLAN's forwarding table, the router's connections or, if it does not answer, its
   * configuration.
   */
  readonly peers: readonly PeerStatus[];
  /** Null without a bridge or its address, or if they could not be read, as by users other than root. */
  readonly firewall: FirewallStatus | null;
  /** The Docker network whose containers are on the bridge. */
  readonly network: string | null;
  /** The subnet of this host's containers. */
  readonly subnet: string | null;
  readonly docker: DockerStatus | null;
  /** Whether it is null because Docker is not installed. */
  readonly dockerIsMissing: boolean;
  readonly service: ServiceStatus | null;
  readonly router: RouterStatus | null;
  /** What must still be done before the host matches its own files. */
  readonly pending: readonly string[];
  /** What does not work, with where to look. */
  readonly problems: readonly string[];
  /** Why some part could not be read. */
  readonly errors: readonly string[];
}

export interface BridgeStatus {
  readonly name: string;
  readonly up: boolean;
  /** With their prefix lengths. */
  readonly addresses: readonly string[];
  /** In bytes. */
  readonly mtu: number;
  readonly mac: string;
  /** The number of Docker's containers on it. */
  readonly containers: number;
}

export interface VxlanStatus {
  readonly kind: "vxlan";
  readonly device: string;
  /** Whether it is up and attached to the bridge. */
  readonly attached: boolean;
  readonly id: number;
  readonly port: number;
  readonly local: string;
  readonly encryption: EncryptionStatus | null;
}

/** The WireGuard device under the VXLAN. */
export interface EncryptionStatus {
  readonly device: string;
  readonly up: boolean;
  /** The UDP port; null if unknown, as to users other than root. */
  readonly port: number | null;
}

export interface PeerStatus {
  readonly address: string;
  /**
   * The state of the connection: the router's word for it, `not connected` if the router does not answer, or WireGuard's last
   * handshake. Null for a VXLAN that is not encrypted, which has no connections.
   */
  readonly state: string | null;
  /** What WireGuard knows of it; left out if it is not encrypted or unknown. */
  readonly wireguard?: PeerWireguardStatus;
}

export interface PeerWireguardStatus {
  /** Address and port. */
  readonly endpoint: string | null;
  /** How long ago the last handshake was, in seconds; null if there was none. */
  readonly handshake: number | null;
  /** In bytes. */
  readonly received: number;
  readonly sent: number;
}

/** The packet filters of this host. */
export interface FirewallStatus {
  /** What they drop of the traffic that the network needs, in words. */
  readonly drops: readonly string[];
}

export interface DockerStatus {
  readonly init: "systemd" | "script";
  readonly running: boolean;
  readonly version: string | null;
  /** The number of running containers; null if unknown. */
  readonly containers: number | null;
  /** Those of the running daemon, or of the next one if none runs, such as `--bridge=weave`; passwords are redacted. */
  readonly options: readonly string[];
  /** Whether Docker must start, or restart to run with its configured options; null if what it has read is unknown. */
  readonly restartPending: boolean | null;
}

export interface ServiceStatus {
  readonly init: string;
  readonly unit: string;
  /** Whether the unit exists. */
  readonly installed: boolean;
  readonly state: string;
  readonly startsWith: string;
  /** The router's container; null if absent or unknown. */
  readonly container: { readonly image: string; readonly running: boolean } | null;
}

export interface RouterStatus {
  readonly version: string;
  readonly name: string;
  readonly nickname: string;
  readonly encryption: boolean;
}
