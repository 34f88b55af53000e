import type { HttpRequest, HttpResponse, RunOutput } from "../../../../modules/core/host/host";
import type { Directory } from "./directory";
import { added, type Command, device, Kernel, runFirst, vxlanDevice } from "./kernel";
import { done, failed } from "./part";

/** The state of the unit file of Debian's ifupdown. */
const NETWORKING: Readonly<Record<string, string>> = { "networking.service": "enabled" };

const UNITS = "/etc/systemd/system";
const UNIT = "weave-bridge.service";
export const LINKS = ["multi-user.target.wants", "docker.service.requires"].map((of) => `${UNITS}/${of}/${UNIT}`);
const STANZA_COMMENT = /^\s*(#|$)/;

/**
 * A host's network: its kernel, and what ifupdown, systemd and systemd-networkd do when weave_bridge runs them (interfaces(5),
 * systemd.network(5)).
 */
export class Network extends Kernel {
  /** The interfaces that are up for ifupdown. */
  readonly held = new Set<string>();
  readonly units = new Set<string>();
  /** The file that systemd-networkd manages eth0 by; null where it does not. */
  networkdOfEth0: string | null = null;
  /** The bridge of the Docker that runs; null where none does. */
  dockersBridge: string | null = null;

  /** The state of the bridge's own unit, and its file as systemd has loaded it. */
  ownUnit: "active" | "inactive" | "failed" = "inactive";
  private loaded: string | null = null;
  /** The addresses that systemd-networkd has set, by device; it deletes them once no file matches the device any more. */
  private readonly setByNetworkd = new Map<string, string[]>();

  constructor(private readonly files: Directory) {
    super();
  }

  state(): object {
    const { devices, rules, held, units, settings, ownUnit, loaded, setByNetworkd } = this;
    return { devices, rules, held, units, settings, ownUnit, loaded, setByNetworkd };
  }

  override readText(path: string): string | null | undefined {
    if (path === "/run/network/ifstate") return [...this.held].map((held) => `${held}=${held}`).join("\n");
    if (path === "/var/run/docker.pid") return this.dockersBridge && "812";
    if (path === "/proc/812/comm") return "dockerd";
    return super.readText(path);
  }

  /** Docker has one container on its bridge for each port that is named as Docker names them. */
  request({ path }: HttpRequest): HttpResponse | undefined {
    if (this.dockersBridge === null) return undefined;
    const options = { "com.docker.network.bridge.name": this.dockersBridge };
    const bodies: Record<string, unknown> = {
      "/networks": [{ Id: "n1", Name: "bridge", Driver: "bridge", Options: options }],
      "/containers/json": [{ Id: "c1" }],
      "/containers/c1/json": {
        State: { Pid: 813 },
        NetworkSettings: { Networks: { bridge: { NetworkID: "n1", MacAddress: "02:42:0a:02:01:01" } } },
      },
    };
    return path in bodies ? { status: 200, body: JSON.stringify(bodies[path]) } : undefined;
  }

  override readdir(path: string): readonly string[] | undefined {
    return path === "/run/systemd" ? ["system"] : super.readdir(path);
  }

  override run(argv: readonly string[]): RunOutput | undefined {
    return runFirst(this.programs, argv) ?? super.run(argv);
  }

  private readonly programs: readonly Command[] = [
    [/^systemctl show docker.service -p MainPID$/, () => done("MainPID=0\n")],
    [/^systemctl show (.*) -p ActiveState,UnitFileState,ExitType$/, (units = "") => done(this.show(units.split(" ")))],
    [/^networkctl list --no-legend --no-pager$/, () => done(this.networkctlList())],
    [/^ifup --force (\S+)$/, (name = "") => this.ifup(name)],
    [/^ifdown --force --ignore-errors (\S+)$/, (name = "") => this.ifdown(name)],
    [/^networkctl reload$/, () => this.reloadNetworkd()],
    [/^sh -c for i in .* networkctl list --no-legend weave \| grep -q unmanaged/, () => done()],
    [/^systemctl (daemon-reload|start|stop|reset-failed|reenable|disable)/, (verb) => this.systemctl(verb)],
    [/^(ping|\S+wait-online|systemctl reload NetworkManager|true$)/, () => done()],
  ];

  private show(units: readonly string[]): string {
    const state = (unit: string): string =>
      unit === UNIT ? this.ownUnit : this.units.has(unit.replace(".service", "")) ? "active" : "inactive";
    return units
      .map((unit) => `ActiveState=${state(unit)}\nUnitFileState=${NETWORKING[unit] ?? ""}\nExitType=main\n`)
      .join("\n");
  }

  private networkctlList(): string {
    const setup = this.networkdOfEth0 === null ? "unmanaged" : "configured";
    return `  1 lo   loopback carrier  unmanaged\n  2 eth0 ether    routable ${setup}\n`;
  }

  private stanzaSteps(name: string, phases: readonly string[]): string[] {
    const lines = (this.files.readFile(`/etc/network/interfaces.d/${name}.cfg`)?.content ?? "").split("\n");
    const steps = lines.filter((line) => !STANZA_COMMENT.test(line)).map((line) => /^\s+(\S+) (.*)$/.exec(line));
    return phases.flatMap((phase) => steps.flatMap((step) => (step?.[1] === phase && step[2] ? [step[2]] : [])));
  }

  private hasIfupdown(): boolean {
    return this.files.readdir("/usr/sbin").includes("ifup");
  }

  private ifup(name: string): RunOutput {
    if (!this.hasIfupdown()) return failed("ifup: not found");
    for (const command of this.stanzaSteps(name, ["pre-up", "post-up"])) {
      if (!this.shell(command)) return failed(`ifup: failed: ${command}`);
    }
    this.held.add(name);
    return done();
  }

  private ifdown(name: string): RunOutput {
    if (!this.hasIfupdown()) return failed("ifdown: not found");
    for (const command of this.stanzaSteps(name, ["pre-down", "post-down"])) this.shell(command);
    this.held.delete(name);
    return done();
  }

  /** The shell's `A || B`, which is all that there is in a stanza. */
  private shell(line: string): boolean {
    return line.split(" || ").some((command) => {
      const words = command.split(" ").filter((word) => word !== "" && !/^\d?>/.test(word));
      if (words.join(" ").startsWith("ip link show dev")) return this.devices.has(words.at(-1) ?? "");
      return this.run(words)?.status === 0;
    });
  }

  /** systemd runs what it has loaded, and loads a file when it needs it first. Without its file, a unit runs nothing. */
  private systemctl(verb = ""): RunOutput {
    const read = (): string | null => this.files.readFile(`${UNITS}/${UNIT}`)?.content ?? null;
    if (["daemon-reload", "reenable", "disable"].includes(verb)) this.loaded = read();
    this.loaded ??= read();
    const unit = settings(this.loaded ?? "");
    const exec = (key: string): boolean[] =>
      (unit.get(`Service.${key}`) ?? []).map((line) => this.shell(/^-?\/bin\/sh -c "(.*)"$/.exec(line)?.[1] ?? line));
    if (["disable", "reenable"].includes(verb)) for (const link of LINKS) this.files.remove(link);
    switch (verb) {
      case "reenable":
        if (!unit.has("Install.WantedBy")) return failed("no installation config");
        for (const link of LINKS) this.files.putLink(link, `${UNITS}/${UNIT}`);
        return done();
      case "start":
        if (this.loaded === null) return failed(`Unit ${UNIT} not found.`);
        if (this.ownUnit === "active") return done();
        this.ownUnit = exec("ExecStart").every((succeeded) => succeeded) ? "active" : "failed";
        return this.ownUnit === "active" ? done() : failed(`Job for ${UNIT} failed`);
      case "stop":
        if (this.ownUnit === "active") exec("ExecStop");
        if (this.ownUnit === "active") this.ownUnit = "inactive";
        return done();
      case "reset-failed":
        if (this.ownUnit === "failed") this.ownUnit = "inactive";
        return done();
    }
    return done();
  }

  /** systemd-networkd makes the devices of its files, and sets each up by the file that matches it. */
  private reloadNetworkd(): RunOutput {
    const read = (kind: string, directory = "/etc/systemd/network"): Map<string, string[]>[] =>
      this.files
        .readdir(directory)
        .filter((name) => name.endsWith(kind))
        .map((name) => settings(this.files.readFile(`${directory}/${name}`)?.content ?? ""));
    for (const file of read(".netdev")) {
      const one = (key: string): string => file.get(key)?.[0] ?? "";
      const [name, mac] = [one("NetDev.Name"), one("NetDev.MACAddress")];
      const vxlan = vxlanDevice({
        id: Number(one("VXLAN.VNI")),
        port: Number(one("VXLAN.DestinationPort")),
        local: one("VXLAN.Local"),
      });
      const isVxlan = one("NetDev.Kind") === "vxlan";
      if (name !== "")
        this.add(
          name,
          device({ kind: isVxlan ? "vxlan" : "bridge", ...(mac && { mac }), vxlan: isVxlan ? vxlan : null }),
        );
    }
    const matched = [...read(".network", "/run/systemd/network"), ...read(".network")].filter(
      (file) => !file.has("Link.Unmanaged"),
    );
    const names = new Set(matched.map((file) => file.get("Match.Name")?.[0] ?? ""));
    for (const [name, addresses] of this.setByNetworkd) {
      const of = this.devices.get(name);
      if (of && !names.has(name)) of.addresses = of.addresses.filter((each) => !addresses.includes(each));
    }
    this.setByNetworkd.clear();
    for (const file of matched) {
      const of = this.devices.get(file.get("Match.Name")?.[0] ?? "");
      if (!of) continue;
      const [mtu, master] = [file.get("Link.MTUBytes")?.[0], file.get("Network.Bridge")?.[0]];
      Object.assign(of, { up: true, ...(mtu && { mtu: Number(mtu) }), ...(master && { master }) });
      const addresses = file.get("Address.Address") ?? [];
      for (const cidr of addresses) added(of.addresses, cidr);
      this.setByNetworkd.set(file.get("Match.Name")?.[0] ?? "", addresses);
      for (const peer of file.get("BridgeFDB.Destination") ?? []) added(of.peers, peer);
    }
    return done();
  }
}

/** The settings of a file in systemd's syntax, as "Section.Key". */
function settings(content: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  let section = "";
  for (const line of content.split("\n")) {
    section = /^\[(.*)\]$/.exec(line)?.[1] ?? section;
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined)
      found.set(`${section}.${key}`, [...(found.get(`${section}.${key}`) ?? []), value]);
  }
  return found;
}
