/** What there is of the container network on one host, as `apollo-weave status` prints it. Null is what is not there. */
export interface Status {
  readonly bridge: BridgeStatus | null;
  /** The files that make the bridge at boot. */
  readonly boot: readonly string[];
  /** What carries frames between hosts. */
  readonly datapath: VxlanStatus | { readonly kind: "router" } | null;
  /** The other hosts, by the VXLAN's table, the router's connections, or where it does not answer what it is to connect to. */
  readonly peers: readonly PeerStatus[];
  /** What Docker gives this host's containers their addresses from. */
  readonly subnet: string | null;
  readonly docker: DockerStatus | null;
  readonly service: ServiceStatus | null;
  readonly router: RouterStatus | null;
  /** What has to be done for this host to be as its own files say. */
  readonly owed: readonly string[];
  /** What could not be looked at, and why. */
  readonly unseen: readonly string[];
}

export interface BridgeStatus {
  readonly name: string;
  readonly up: boolean;
  /** With prefix length. */
  readonly addresses: readonly string[];
  /** In bytes. */
  readonly mtu: number;
  readonly mac: string;
  /** How many containers of Docker's are on it. */
  readonly containers: number;
}

export interface VxlanStatus {
  readonly kind: "vxlan";
  readonly device: string;
  /** Whether it is up and on the bridge. */
  readonly attached: boolean;
  readonly id: number;
  readonly port: number;
  readonly local: string;
}

export interface PeerStatus {
  readonly address: string;
  /** The state of the router's connection, in its words; null where a kernel VXLAN just sends. */
  readonly state: string | null;
}

export interface DockerStatus {
  readonly init: "systemd" | "script";
  readonly running: boolean;
  readonly version: string | null;
  /** How many containers run; null where nobody tells. */
  readonly containers: number | null;
  /** Of the daemon that runs, else those that it would be started with: `--bridge=weave` each, without passwords. */
  readonly options: readonly string[];
}

export interface ServiceStatus {
  readonly init: string;
  readonly unit: string;
  /** Whether there is such a unit. */
  readonly installed: boolean;
  readonly state: string;
  readonly startsWith: string;
  /** The router's container; null where there is none, or nobody tells. */
  readonly container: { readonly image: string; readonly running: boolean } | null;
}

export interface RouterStatus {
  readonly version: string;
  readonly name: string;
  readonly nickname: string;
  readonly encryption: boolean;
}
