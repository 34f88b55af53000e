import type { HttpRequest, HttpResponse, RunOutput } from "../../../../modules/core/host/host";
import { daemonOptions } from "../../../../modules/formats/daemon_json";
import { invalidWords, parseDockerFlags } from "../../../../modules/formats/docker_flags";
import type { DockerFlags } from "../../../../modules/formats/docker_options";
import { environmentVariables } from "../../../../modules/formats/environment_file";
import { shellValue } from "../../../../modules/formats/shell_file";
import { listSettings, parseUnit } from "../../../../modules/formats/systemd_unit";
import { systemdWords } from "../../../../modules/formats/systemd_words";
import { done, type Files, failed, type Part, processStat } from "./part";

export const UNIT = "/lib/systemd/system/docker.service";
export const DROP_INS = "/etc/systemd/system/docker.service.d";
export const OPTIONS_FILE = "/etc/default/docker";
export const CONFIG = "/etc/docker/daemon.json";
export const SCRIPT = "/etc/init.d/docker";

interface Daemon {
  readonly pid: number;
  readonly startedAt: number;
  readonly words: readonly string[];
  readonly options: DockerFlags;
  /** daemon.json as it was at the start. */
  readonly config: string | undefined;
}

const BRIDGE = "com.docker.network.bridge.name";

/** A network of Docker's API. */
export interface Network {
  readonly Id: string;
  readonly Name: string;
  readonly Driver: string;
  readonly Options: Readonly<Record<string, string>>;
  readonly IPAM: {
    readonly Config: readonly { readonly Subnet?: string; readonly IPRange?: string; readonly Gateway?: string }[];
  };
}

/** Docker on a host: how systemd or an init script, and dockerd itself, read its files. */
export class Docker implements Part {
  daemon: Daemon | null = null;
  /** In clock ticks since boot; each run of a module has its own. */
  now = 100;
  /** Whether dockerd's API does not answer. */
  hangs = false;
  /** What the API answers by path, if not by the daemon's options; it answers nothing else then. */
  answers: Readonly<Record<string, unknown>> | null = null;
  /** The unit and its drop-ins as systemd has read them. */
  private loaded: readonly string[] = [];
  /** The networks that were created by the API, as it lists them. They outlive the daemon. */
  private networks: readonly Network[] = [];
  /** The names of the networks that containers are on, by the containers' names. */
  members: Readonly<Record<string, string>> = {};

  /** The programs in /usr/sbin: none where Docker's package was removed. */
  programs: readonly string[] = ["dockerd"];
  /** The program that the unit starts. */
  starts = "/usr/sbin/dockerd";

  constructor(private readonly files: Files) {}

  state(): object {
    return { daemon: this.daemon, loaded: this.loaded, networks: this.networks };
  }

  private hasSystemd(): boolean {
    return this.files.readdir("/run/systemd").includes("system");
  }

  private unitFiles(): string[] {
    const paths = [UNIT, ...this.files.readdir(DROP_INS).map((name) => `${DROP_INS}/${name}`)].filter((path) =>
      this.files.readFile(path),
    );
    return paths.map((path) => this.files.readFile(path)?.content ?? "");
  }

  reload(): RunOutput {
    this.loaded = this.unitFiles();
    return done();
  }

  /** The command line that dockerd would be started with. */
  commandLine(): string[] {
    const read = (path: string): string => this.files.readFile(path)?.content ?? "";
    if (!this.hasSystemd()) {
      const line = shellValue(read(OPTIONS_FILE), "DOCKER_OPTS") ?? "";
      return ["dockerd", ...line.split(/\s+/).filter((word) => word !== "")];
    }
    const settings = parseUnit(this.loaded.map((content) => ({ path: "", content })));
    const valuesOf = (key: string): string[] => listSettings(settings, "Service", key).map(({ value }) => value);
    const files = valuesOf("EnvironmentFile").map((path) => read(path.replace(/^-/, "")));
    const line = files
      .map((content) => environmentVariables(content)?.get("DOCKER_OPTS")?.value)
      .filter((value) => value !== undefined)
      .at(-1);
    return systemdWords(valuesOf("ExecStart").at(-1) ?? "", "command").words.flatMap(({ value }) =>
      value === "$DOCKER_OPTS"
        ? systemdWords(line ?? "", "value").words.map((word) => word.value)
        : [value.replace(/([$%])\1/g, "$1")],
    );
  }

  /** The options that it would run with; throws where it would not start. */
  wouldRunWith(): DockerFlags {
    const words = this.commandLine().map((word) => ({ raw: word, value: word }));
    const [stray] = invalidWords(words.slice(1));
    if (stray) throw new Error(`unknown argument: ${stray.value}`);
    const flags = parseDockerFlags(words.slice(1));
    const config = daemonOptions(this.files.readFile(CONFIG)?.content ?? "");
    const twice = [...config.keys()].find((name) => flags.has(name));
    if (twice !== undefined) throw new Error(`${twice} is given twice`);
    return new Map([...config, ...flags]);
  }

  start(): RunOutput {
    this.daemon = null;
    try {
      const [words, options] = [this.commandLine(), this.wouldRunWith()];
      const bridge = options.get("bridge")?.at(-1) ?? "docker0";
      if (this.networks.some(({ Options }) => Options[BRIDGE] === bridge)) throw new Error("Pool overlaps");
      this.now++;
      const config = this.files.readFile(CONFIG)?.content;
      this.daemon = { pid: 800 + this.now, startedAt: this.now, words, options, config };
      return done();
    } catch (error) {
      return failed(String(error));
    }
  }

  /** Older than the pid file as long as the file is as it was when the daemon started. */
  changedAt(path: string): number | null | undefined {
    if (path === "/var/run/docker.pid") return this.daemon && 2;
    const content = this.files.readFile(path)?.content;
    return content === undefined ? undefined : content === this.daemon?.config ? 1 : 3;
  }

  readdir(path: string): readonly string[] | undefined {
    return path === "/usr/sbin" ? this.programs : undefined;
  }

  readText(path: string): string | null | undefined {
    if (path === "/proc/self/stat") return processStat(this.now);
    if (path === "/proc/sys/kernel/random/boot_id") return "boot";
    if (path === "/var/run/docker.pid") return this.daemon && String(this.daemon.pid);
    if (!path.startsWith("/proc/")) return undefined;
    if (this.daemon === null || !path.startsWith(`/proc/${this.daemon.pid}/`)) return null;
    if (path.endsWith("/comm")) return "dockerd";
    return path.endsWith("/stat")
      ? processStat(this.daemon.startedAt)
      : `${["/usr/sbin/dockerd", ...this.daemon.words.slice(1)].join("\0")}\0`;
  }

  request({ method, path, body }: HttpRequest): HttpResponse | null {
    if (this.daemon === null || this.hangs) return null;
    if (method === "DELETE") return this.removeNetwork(path.replace("/networks/", ""));
    if (path === "/networks/create") return this.createNetwork(JSON.parse(body ?? "{}") as Omit<Network, "Id">);
    if (this.answers !== null) return this.answers[path] === undefined ? null : response(this.answers[path]);
    const { options } = this.daemon;
    const last = (name: string): string | undefined => options.get(name)?.at(-1);
    const answers: Readonly<Record<string, unknown>> = {
      "/_ping": "OK",
      "/info": { LiveRestoreEnabled: last("live-restore") === "true" },
      "/containers/json": [{ Id: "c1", Names: ["/web"] }],
      "/containers/json?all=true": Object.entries(this.members).map(([name, network]) => ({
        Names: [`/${name}`],
        NetworkSettings: { Networks: { [network]: { NetworkID: "" } } },
      })),
      "/networks": [
        {
          Id: "default",
          Name: "bridge",
          Driver: "bridge",
          Options: {
            [BRIDGE]: last("bridge") ?? "docker0",
            "com.docker.network.driver.mtu": last("mtu") ?? "1500",
          },
          IPAM: { Config: [{ IPRange: last("fixed-cidr") }] },
        },
        ...this.networks,
      ],
    };
    return response(answers[path] ?? {});
  }

  /** As Docker 20.10.24 answers; addresses overlap here only if they are the same. */
  createNetwork(network: Omit<Network, "Id">): HttpResponse {
    const ofDefault = this.daemon?.options.get("bridge")?.at(-1) ?? "docker0";
    const bridgeOf = ({ Options }: Pick<Network, "Options">): string | undefined => Options[BRIDGE];
    const subnetOf = ({ IPAM }: Pick<Network, "IPAM">): string | undefined => IPAM.Config[0]?.Subnet;
    if (this.daemon === null) return response({}, 500);
    if (this.networks.some(({ Name }) => Name === network.Name)) return response({ message: "already exists" }, 409);
    const bridges = [ofDefault, ...this.networks.map(bridgeOf)];
    if (bridgeOf(network) !== undefined && bridges.includes(bridgeOf(network)))
      return response({ message: "networks have same bridge name" }, 403);
    if (this.networks.some((other) => subnetOf(other) === subnetOf(network)))
      return response({ message: "Pool overlaps with other one on this address space" }, 403);
    this.networks = [...this.networks, { ...network, Id: `id-of-${network.Name}-${this.now}` }];
    return response({}, 201);
  }

  private removeNetwork(id: string): HttpResponse {
    const rest = this.networks.filter((network) => network.Id !== id);
    const status = rest.length < this.networks.length ? 204 : 404;
    this.networks = rest;
    return response({}, status);
  }

  run(argv: readonly string[]): RunOutput | undefined {
    const command = argv.join(" ");
    if (command.startsWith("systemctl show docker.service")) return done(this.properties());
    if (command === "systemctl show-environment") return done("LANG=C.UTF-8\nPATH=/usr/bin");
    if (command === "systemctl daemon-reload") return this.reload();
    if (command === "systemctl restart docker.service" || command === "service docker restart") return this.start();
    if (command === "ip -o -4 addr show")
      return done("4: weave    inet 10.2.0.1/16 brd 10.2.255.255 scope global weave");
    if (command === "ip link show dev weave") return done("4: weave: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500");
    if (command === "dockerd --version") return done("Docker version 20.10.24+dfsg1, build 297e128");
    if (/^(journalctl|tail|systemctl (reset-failed|is-active)|service docker status)/.test(command)) return done();
    return undefined;
  }

  private properties(): string {
    const dropIns = this.files.readdir(DROP_INS).map((name) => `${DROP_INS}/${name}`);
    return [
      "LoadState=loaded",
      `FragmentPath=${UNIT}`,
      `DropInPaths=${dropIns.join(" ")}`,
      `NeedDaemonReload=${this.unitFiles().join("\0") === this.loaded.join("\0") ? "no" : "yes"}`,
      `MainPID=${this.daemon?.pid ?? 0}`,
      `ExecStart={ path=${this.starts} ; argv[]=${this.starts} -H fd:// ; ignore_errors=no ; start_time=[n/a] }`,
    ].join("\n");
  }
}

const response = (answer: unknown, status = 200): HttpResponse => ({
  status,
  body: JSON.stringify(answer),
  server: "Docker/20.10.24 (linux)",
});
