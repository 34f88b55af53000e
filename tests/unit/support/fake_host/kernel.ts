import type { Change } from "../../../../modules/core/change";
import type { RunOutput } from "../../../../modules/core/host/host";
import type { VxlanDevice } from "../../../../modules/formats/iproute";
import { done, type FileAction, failed, type Part } from "./part";

export interface Device {
  kind: "ethernet" | "bridge" | "vxlan" | "veth";
  mac: string;
  mtu: number;
  up: boolean;
  master: string | null;
  addresses: string[];
  vxlan: VxlanDevice | null;
  peers: string[];
  aliases: string[];
}

export const device = (more: Partial<Device>): Device => ({
  kind: "ethernet",
  mac: "0e:00:00:00:00:01",
  mtu: 1500,
  up: true,
  master: null,
  addresses: [],
  vxlan: null,
  peers: [],
  aliases: [],
  ...more,
});

export const vxlanDevice = (more: Partial<VxlanDevice>): VxlanDevice => ({
  ...{ id: 6783, port: 4789, local: "192.168.50.11", flags: [], ipv6: false },
  ...more,
});

const NET = "/sys/class/net";

const DOCKERS_PORT = /^veth[0-9a-f]{7}$/;
const indexOf = (port: string): string => String(Number.parseInt(port.slice(4), 16));
/** The line of `ip -o link show` in a container for the other end of its port. */
const otherEnd = (port: string): string =>
  `9: eth0@if${indexOf(port)}: <UP> mtu 1500 \\ link/ether 02:42:0a:02:01:01\n`;

/** A command that a part knows, and what it does with the words that the pattern captures. */
export type Command = readonly [RegExp, (...words: string[]) => RunOutput];

/** What the first of these commands that matches does; undefined if none does. */
export function runFirst(commands: readonly Command[], argv: readonly string[]): RunOutput | undefined {
  for (const [pattern, command] of commands) {
    const match = pattern.exec(argv.join(" "));
    if (match) return command(...match.slice(1));
  }
  return undefined;
}

/** A host's kernel: its network devices, and what ip, bridge, ss and iptables do with them (ip-link(8), bridge(8)). */
export class Kernel implements Part {
  readonly devices = new Map<string, Device>([
    ["lo", device({ mtu: 65536, addresses: ["127.0.0.1/8"] })],
    ["eth0", device({ addresses: ["192.168.50.11/24"] })],
  ]);
  readonly rules = new Set<string>();
  /** Kernel settings that are on, such as weave/promote_secondaries. */
  readonly settings = new Set<string>();
  /** The kernel's modules; it loads no others. */
  readonly modules = new Set(["bridge", "vxlan"]);
  /** Routes besides those of eth0, and rules besides the kernel's own, as ip prints them. */
  readonly routes = new Set<string>();
  readonly policy = new Set<string>();
  /** The UDP ports that a process listens on. */
  readonly sockets = new Set<number>();

  change(_change: Change, action: FileAction): Promise<void> | undefined {
    return action.do === "set" ? this.set(action.path) : undefined;
  }

  private async set(path: string): Promise<void> {
    const [, name, setting] = /^\/proc\/sys\/net\/ipv4\/conf\/([^/]+)\/(\w+)$/.exec(path) ?? [];
    if (name === undefined || !this.devices.has(name)) throw new Error(`not found: ${path}`);
    this.settings.add(`${name}/${setting}`);
  }

  readText(path: string): string | null | undefined {
    const [, name = "", attribute] = /^\/sys\/class\/net\/([^/]+)\/(\w+)$/.exec(path) ?? [];
    const of = this.devices.get(name);
    switch (attribute) {
      case "address":
        return of?.mac ?? null;
      case "mtu":
        return of ? String(of.mtu) : null;
      case "flags":
        return of?.up ? "0x1003" : "0x1002";
    }
    const port = /^\/sys\/class\/net\/(.*)\/ifindex$/.exec(path)?.[1];
    if (port !== undefined && DOCKERS_PORT.test(port)) return indexOf(port);
    const [, setting] = /^\/proc\/sys\/net\/ipv4\/conf\/(.*)$/.exec(path) ?? [];
    if (setting !== undefined) return this.settings.has(setting) ? "1" : "0";
    if (path === "/proc/net/udp") return [...this.sockets].map(udpRow).join("\n");
    if (path === "/proc/net/arp") return "";
    return PROC[path];
  }

  readdir(path: string): readonly string[] | undefined {
    if (path === NET) return [...this.devices.keys()].sort();
    if (path === "/sys/module") return [...this.modules];
    const [, name = "", directory] = /^\/sys\/class\/net\/([^/]+)\/(bridge|brif)$/.exec(path) ?? [];
    if (directory === undefined) return undefined;
    if (this.devices.get(name)?.kind !== "bridge") return [];
    return directory === "bridge" ? ["stp_state"] : this.portsOf(name);
  }

  readlink(path: string): string | null | undefined {
    const [, name] = /^\/sys\/class\/net\/([^/]+)\/master$/.exec(path) ?? [];
    if (name !== undefined) return this.devices.get(name)?.master ?? null;
    return undefined;
  }

  private portsOf(bridge: string): string[] {
    return [...this.devices].filter(([, { master }]) => master === bridge).map(([name]) => name);
  }

  run(argv: readonly string[]): RunOutput | undefined {
    return runFirst(this.commands, argv);
  }

  private readonly commands: readonly Command[] = [
    [/^ip -d addr show$/, () => done(this.addrShow())],
    [/^ip -d -batch -$/, () => done(`${this.addrShow()}\n${this.routeShow()}${this.ruleShow()}`)],
    // As in Linux 5.6 and newer (drivers/net/wireguard), in its own network namespace.
    [/^unshare --net ip link add type wireguard$/, () => done()],
    [/^ss -uanp$/, () => done([...this.sockets].map(ssRow).join(""))],
    [
      /^nsenter --net=\/proc\/813\/ns\/net ip -o link show$/,
      () =>
        done(
          [...this.devices.keys()]
            .filter((name) => DOCKERS_PORT.test(name))
            .map(otherEnd)
            .join(""),
        ),
    ],
    [/^bridge fdb show dev (\S+)$/, (name = "") => this.with(name, ({ peers }) => done(peers.map(fdbLine).join("")))],
    [
      /^ip link add name (\S+) (?:address (\S+) )?type bridge$/,
      (name = "", mac) => this.add(name, device({ kind: "bridge", up: false, ...(mac !== undefined && { mac }) })),
    ],
    [
      /^ip link add name (\S+) type vxlan id (\d+) dstport (\d+) local (\S+)$/,
      (name = "", id, port, local = "") =>
        this.add(
          name,
          device({ kind: "vxlan", up: false, vxlan: vxlanDevice({ id: Number(id), port: Number(port), local }) }),
        ),
    ],
    [/^ip link set dev (\S+) address (\S+)$/, (name = "", mac = "") => this.changeDevice(name, { mac })],
    [/^ip link set dev (\S+) mtu (\d+)$/, (name = "", mtu) => this.changeDevice(name, { mtu: Number(mtu) })],
    [/^ip link set dev (\S+) up$/, (name = "") => this.setUp(name)],
    [
      /^ip link set dev (\S+) master (\S+)$/,
      (name = "", master = "") => this.with(master, () => this.changeDevice(name, { master })),
    ],
    [/^ip link del dev (\S+)$/, (name = "") => this.with(name, () => this.deleteDevice(name))],
    [
      /^ip addr replace (\S+) dev (\S+)$/,
      (cidr = "", name = "") => this.with(name, ({ addresses }) => added(addresses, cidr)),
    ],
    [
      /^ip addr del (\S+) dev (\S+)$/,
      (cidr = "", name = "") => this.with(name, (of) => this.deleteAddress(name, of, cidr)),
    ],
    [/^ip route (?:replace|del) \S+ dev (\S+) src \S+ metric 1$/, (name = "") => this.with(name, () => done())],
    [
      /^bridge fdb append 00:00:00:00:00:00 dev (\S+) dst (.+)$/,
      (name = "", peer = "") => this.with(name, ({ peers }) => added(peers, peer)),
    ],
    [
      /^bridge fdb del 00:00:00:00:00:00 dev (\S+) dst (.+)$/,
      (name = "", peer = "") =>
        this.with(name, (of) => this.changeDevice(name, { peers: of.peers.filter((each) => each !== peer) })),
    ],
    [
      /^iptables-save -t filter$/,
      () => done(`*filter\n${[...this.rules].map((rule) => `-A ${rule}\n`).join("")}COMMIT\n`),
    ],
    [/^iptables -w -I (.*)$/, (rule = "") => added(this.rules, rule)],
    [/^iptables -w -D (.*)$/, (rule = "") => (this.rules.delete(rule) ? done() : failed("no such rule"))],
  ];

  private with(name: string, use: (of: Device) => RunOutput): RunOutput {
    const of = this.devices.get(name);
    return of ? use(of) : failed(`Cannot find device "${name}"`);
  }

  private changeDevice(name: string, change: Partial<Device>): RunOutput {
    return this.with(name, (of) => {
      Object.assign(of, change);
      return done();
    });
  }

  protected add(name: string, made: Device): RunOutput {
    if (!this.modules.has(made.kind)) return failed("Error: Unknown device type.");
    const all = [...this.devices].flatMap(([other, { aliases }]) => [other, ...aliases]);
    const twin = [...this.devices.values()].some(({ vxlan }) => vxlan !== null && isTwin(vxlan, made.vxlan));
    if (all.includes(name) || twin) return failed("File exists");
    this.devices.set(name, made);
    return done();
  }

  /** A VXLAN listens on its port, by itself or with others that have the same flags. */
  private setUp(name: string): RunOutput {
    return this.with(name, ({ vxlan }) => {
      const taken = [...this.devices].some(
        ([other, { up, vxlan: its }]) =>
          other !== name && up && vxlan !== null && its !== null && isInTheWay(its, vxlan),
      );
      if (taken || (vxlan !== null && this.sockets.has(vxlan.port))) return failed("Address already in use");
      return this.changeDevice(name, { up: true });
    });
  }

  private routeShow(): string {
    return [...this.routes, ...ROUTES].map((row) => `${row} \n`).join("");
  }

  private ruleShow(): string {
    return ["0:\tfrom all lookup local", ...this.policy, "32766:\tfrom all lookup main"]
      .map((row) => `${row} proto kernel\n`)
      .join("");
  }

  private deleteDevice(name: string): RunOutput {
    this.devices.delete(name);
    for (const setting of [...this.settings]) if (setting.startsWith(`${name}/`)) this.settings.delete(setting);
    for (const port of this.portsOf(name)) this.changeDevice(port, { master: null });
    return done();
  }

  /** Deletes the other addresses of a network with its first one, unless they are promoted. */
  private deleteAddress(name: string, of: Device, cidr: string): RunOutput {
    if (!of.addresses.includes(cidr)) return failed("Cannot assign requested address");
    // Those of another mask are no secondary ones (inet_insert_ifa of net/ipv4/devinet.c).
    const network = (address: string): string => address.replace(/^(\d+\.\d+)\..*\//, "$1/");
    const sameNetwork = of.addresses.filter((each) => network(each) === network(cidr));
    const gone = sameNetwork[0] === cidr && !this.settings.has(`${name}/promote_secondaries`) ? sameNetwork : [cidr];
    return this.changeDevice(name, { addresses: of.addresses.filter((each) => !gone.includes(each)) });
  }

  private addrShow(): string {
    return [...this.devices]
      .map(([name, { kind, mac, mtu, up, master, addresses, vxlan, aliases }], index) =>
        [
          `${index + 1}: ${name}: <BROADCAST${up ? ",UP" : ""}> mtu ${mtu} qdisc noqueue ${master ? `master ${master} ` : ""}state UP group default qlen 1000`,
          `    link/ether ${mac} brd ff:ff:ff:ff:ff:ff promiscuity 0 minmtu 68 maxmtu 65535 `,
          ...(vxlan
            ? [
                `    vxlan ${vxlan.flags.includes("external") ? "external " : ""}id ${vxlan.id} local ${vxlan.local} srcport 0 0 dstport ${vxlan.port} ttl auto ageing 300 udpcsum ${vxlan.flags.filter((flag) => flag !== "external").join(" ")}`,
              ]
            : [`    ${kind} `]),
          ...aliases.map((alias) => `    altname ${alias}`),
          ...addresses.flatMap((cidr) => [
            `    inet ${cidr} scope global ${name}`,
            "       valid_lft forever preferred_lft forever",
          ]),
        ].join("\n"),
      )
      .join("\n");
  }
}

/** Adds a value once. */
export function added(to: string[] | Set<string>, value: string): RunOutput {
  if (to instanceof Set) to.add(value);
  else if (!to.includes(value)) to.push(value);
  return done();
}

const fdbLine = (peer: string): string => `00:00:00:00:00:00 dst ${peer} self permanent\n`;

const PROC: Readonly<Record<string, string>> = {
  "/proc/self/status": "Name:\tnode\nUid:\t0\t0\t0\t0",
  "/proc/sys/kernel/hostname": "host1",
};

const ROUTES = [
  "default via 192.168.50.1 dev eth0",
  "192.168.50.0/24 dev eth0 proto kernel scope link src 192.168.50.11",
  "local 192.168.50.11 dev eth0 table local proto kernel scope host src 192.168.50.11",
];

/** vxlan_vni_in_use() and vxlan_find_sock() in drivers/net/vxlan/vxlan_core.c; all devices here receive over IPv4. */
const isTwin = (one: VxlanDevice, other: VxlanDevice | null): boolean =>
  one.port === other?.port && one.id === other.id && String(one.flags) === String(other.flags);
const isInTheWay = (one: VxlanDevice, other: VxlanDevice): boolean =>
  one.port === other.port && String(one.flags) !== String(other.flags);

const udpRow = (port: number): string =>
  `  1: 00000000:${port.toString(16).toUpperCase().padStart(4, "0")} 00000000:0000 07`;
const ssRow = (port: number): string => `UNCONN 0 0 0.0.0.0:${port} 0.0.0.0:* users:(("dnsmasq",pid=812,fd=3))\n`;
