import type { HttpRequest, HttpResponse, RunOutput } from "../../../../modules/core/host/host";
import { environmentValue } from "../../../../modules/formats/environment_file";
import type { Directory } from "./directory";
import { done, failed, type Part, processStat } from "./part";

export const UNIT = "/etc/systemd/system/weave.service";
export const ENVIRONMENT = "/etc/weave.env";
/** Debian's package enables Docker. */
const OF_DOCKER = "WantedBy=multi-user.target\nRequiredBy=weave.service\n";
const EXPOSE_UNIT = "/etc/systemd/system/weave-expose.service";
export const SCRIPT = "/usr/local/bin/weave";
const WANTS = ["docker", "multi-user"].map(
  (target) => `/etc/systemd/system/${target}.${target === "docker" ? "service" : "target"}.wants/weave.service`,
);
const VARIABLES =
  "WEAVE_PEERS WEAVE_ARGS CHECKPOINT_DISABLE WEAVE_NO_FASTDP DOCKER_BRIDGE WEAVE_MTU WEAVE_DEBUG WEAVE_PASSWORD".split(
    " ",
  );

const RULE = "FORWARD -i weave -o weave -m comment --comment weave_service -j ACCEPT";

/** A part of what the router makes by the iptables of its image. */
const ROUTERS_RULES = [
  "*filter",
  ":WEAVE-EXPOSE - [0:0]",
  "-A FORWARD -i weave -o weave -j ACCEPT",
  "-A FORWARD -o weave -j WEAVE-EXPOSE",
  "COMMIT",
  "*nat",
  ":WEAVE - [0:0]",
  "-A POSTROUTING -j WEAVE",
  "-A WEAVE -m set --match-set weaver-no-masq-local dst -j RETURN",
  "COMMIT",
];

interface Container {
  running: boolean;
  readonly image: string;
  restartPolicy: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** The router on a host with systemd, Docker and the weave script 2.8.1, which read the unit and its environment file. */
export class Weave implements Part {
  unit: "active" | "inactive" | "failed" | "auto-restart" = "inactive";
  container: Container | null = null;
  targets: string[] = [];
  /** The environment that the unit was started with. */
  private startedWith: Readonly<Record<string, string>> = {};
  private startedAt = 0;
  /** In clock ticks since boot; each run of the module has its own. */
  now = 100;
  docker = true;
  /** Whether the port leaves checksums to missing hardware. */
  unfinished = false;
  private loaded: string | null = null;
  private loadedExpose: string | null = null;
  /** Whether the host has an address on the router's own bridge. Enough peers are always there. */
  exposed = false;
  /** Whether iptables accepts the frames of that bridge. */
  accepted = false;
  /** The rules that the router has made, as iptables-nft-save prints them. */
  private rules: string[] = [];
  private ipSets: string[] = ["others"];

  constructor(private readonly files: Directory) {}

  state(): object {
    const { unit, container, targets, unfinished, loaded, loadedExpose, startedWith, exposed, accepted } = this;
    const { rules, ipSets } = this;
    return {
      unit,
      container,
      targets,
      unfinished,
      loaded,
      loadedExpose,
      startedWith,
      exposed,
      accepted,
      rules,
      ipSets,
    };
  }

  reload(): RunOutput {
    this.loaded = this.files.readFile(UNIT)?.content ?? null;
    this.loadedExpose = this.files.readFile(EXPOSE_UNIT)?.content ?? null;
    return done();
  }

  launch(environment: Readonly<Record<string, string>>, restartPolicy: string): void {
    const args = (environment["WEAVE_ARGS"] ?? "").split(" ").filter((word) => word !== "");
    const fastdp = environment["WEAVE_NO_FASTDP"] === "1" ? ["--no-fastdp"] : [];
    this.container = {
      running: true,
      image: "weaveworks/weave:2.8.1",
      restartPolicy,
      args: [...fastdp, "--datapath", "datapath", ...args],
      environment,
    };
    this.targets = (environment["WEAVE_PEERS"] ?? "").split(" ").filter((peer) => peer !== "");
    this.unfinished = true;
    this.rules = [...ROUTERS_RULES];
    this.ipSets = ["others", "weaver-no-masq-local"];
    this.files.put("/run/weave", ""); // A directory on a real host.
  }

  private expose(): RunOutput {
    if (this.loadedExpose === null) return failed("Unit weave-expose.service not found.");
    this.exposed = true;
    return done();
  }

  private start(): RunOutput {
    if (this.loaded === null) return failed("Unit weave.service not found.");
    this.docker = true; // The unit requires it.
    if (this.unit === "active") return done();
    const content = this.files.readFile(ENVIRONMENT)?.content ?? "";
    const set = VARIABLES.map((name) => [name, environmentValue(content, name)] as const).filter(
      ([, value]) => value !== null,
    );
    this.startedWith = Object.fromEntries(set) as Record<string, string>;
    this.startedAt = this.now + 1;
    const adopt = "/run/weave.adopt";
    if (this.files.readFile(adopt) === null) this.launch(this.startedWith, "no");
    else this.files.remove(adopt);
    this.unfinished = false;
    this.unit = "active";
    if (this.loaded.includes("iptables")) this.accepted = true;
    if (this.loaded.includes("weave-expose.service")) this.expose();
    return done();
  }

  private stopContainer(container: Container): HttpResponse {
    const status = container.running ? 204 : 304;
    container.running = false;
    return { status, body: "" };
  }

  private stop(): RunOutput {
    // Between two tries systemd runs no ExecStop (systemd.service(5)).
    if (this.container && this.unit !== "auto-restart") this.container.running = false;
    this.unit = "inactive";
    return done();
  }

  private disable(): RunOutput {
    for (const path of WANTS) this.files.remove(path);
    return done();
  }

  private enable(): RunOutput {
    if (this.files.readlink(WANTS[0] ?? "") === null) this.files.putLink(WANTS[0] ?? "", UNIT);
    return done();
  }

  readText(path: string): string | null | undefined {
    const environ = Object.entries({ PATH: "/usr/bin", ...this.startedWith }).map((pair) => pair.join("="));
    const files: Readonly<Record<string, string | null>> = {
      "/proc/1/comm": "systemd",
      "/proc/self/stat": processStat(this.now),
      "/proc/sys/kernel/hostname": "host1",
      "/var/run/docker.pid": this.docker ? "812" : null,
      "/proc/812/comm": "dockerd",
      "/proc/912/environ": this.unit === "active" ? environ.join("\0") : null,
      "/proc/912/stat": this.unit === "active" ? processStat(this.startedAt) : null,
    };
    return files[path];
  }

  readdir(path: string): readonly string[] | undefined {
    if (path === "/usr/bin") return ["docker"];
    if (path === "/usr/local/sbin") return ["dockerd"];
    if (path !== "/sys/class/net/weave/brif") return undefined;
    return this.container?.running ? ["vethwe-bridge"] : [];
  }

  request({ to, method, path, body = "" }: HttpRequest): HttpResponse | null {
    return "socket" in to ? this.dockerResponse(method, path) : this.routerResponse(method, path, body);
  }

  private dockerResponse(method: string, path: string): HttpResponse | null {
    if (!this.docker) return null;
    if (path === "/version") return { status: 200, body: '{"MinAPIVersion":"1.12"}' };
    if (this.container === null) return { status: 404, body: "" };
    if (method === "POST") return this.stopContainer(this.container);
    const { running, image, restartPolicy, args, environment } = this.container;
    const inspected = {
      State: { Running: running },
      Config: { Image: image, Env: Object.entries(environment).map((pair) => pair.join("=")) },
      HostConfig: { RestartPolicy: { Name: restartPolicy } },
      Args: args,
    };
    return { status: path.endsWith("/top") && !running ? 409 : 200, body: JSON.stringify(inspected) };
  }

  private routerResponse(method: string, path: string, body: string): HttpResponse | null {
    if (!this.container?.running) return null;
    if (path === "/ip/weave:expose") return { status: 200, body: this.exposed ? "10.32.0.1/12" : "" };
    const peers = [...new URLSearchParams(body).getAll("peer")];
    if (method === "POST" && path === "/connect") this.targets = [...new Set([...this.targets, ...peers])];
    if (method === "POST" && path === "/forget")
      this.targets = this.targets.filter((target) => !peers.includes(target));
    const report = {
      Version: "2.8.1",
      Router: {
        Name: "0e:5f:33:00:00:01",
        NickName: "host1",
        Encryption: false,
        Interface: "via pcap",
        Targets: this.targets,
        Peers: null,
        Connections: null,
      },
    };
    return { status: 200, body: JSON.stringify(report) };
  }

  run(argv: readonly string[]): RunOutput | undefined {
    const command = argv.join(" ");
    if (command.startsWith("systemctl show weave.service weave-expose.service "))
      return done(`${this.properties()}\n\n${this.exposeProperties()}\n\n${OF_DOCKER}`);
    if (command.startsWith("systemctl show weave.service ")) return done(`${this.properties()}\n\n${OF_DOCKER}`);
    if (command.startsWith("iptables-nft -w -t ")) return this.changeRules(argv.slice(3));
    return this.commands[command]?.();
  }

  private readonly commands: Readonly<Record<string, () => RunOutput>> = {
    "dockerd --version": () => done("Docker version 20.10.24+dfsg1, build 297e128\n"),
    "systemctl daemon-reload": () => this.reload(),
    "systemctl enable weave.service": () => this.enable(),
    "systemctl reenable weave.service": () => {
      this.disable();
      return this.enable();
    },
    "systemctl disable weave.service": () => this.disable(),
    "systemctl reset-failed weave.service": () => done(),
    "systemctl start weave.service": () => this.start(),
    "systemctl restart weave.service": () => {
      this.stop();
      return this.start();
    },
    "systemctl stop weave.service": () => this.stop(),
    "docker update --restart=no weave": () =>
      this.changeContainer((container) => Object.assign(container, { restartPolicy: "no" })),
    "docker stop weave": () => this.changeContainer((container) => Object.assign(container, { running: false })),
    "docker rm --force weave": () => this.changeContainer(() => Object.assign(this, { container: null })),
    "systemctl start weave-expose.service": () => this.expose(),
    "ip -o -4 addr show": () => done(this.exposed ? "5: weave    inet 10.32.0.1/12 scope global weave" : ""),
    "iptables-save -t filter": () => done(this.accepted ? `*filter\n-A ${RULE}\nCOMMIT\n` : ""),
    [`iptables -w -I ${RULE}`]: () => this.accept(true),
    [`iptables -w -D ${RULE}`]: () => this.accept(false),
    "iptables-nft-save": () => done(this.rules.join("\n")),
    "ipset list -name": () => done(`${this.ipSets.join("\n")}\n`),
    "ipset destroy weaver-no-masq-local": () => {
      if (this.rules.some((rule) => rule.includes("--match-set weaver-no-masq-local")))
        return failed("ipset v7.17: Set cannot be destroyed: it is in use by a kernel component");
      this.ipSets = ["others"];
      return done();
    },
    "rm -rf -- /run/weave": () => {
      this.files.remove("/run/weave");
      return done();
    },
    "ethtool -k vethwe-bridge": () => done(`tx-checksumming: ${this.unfinished ? "on" : "off"}\n`),
    "ethtool -K vethwe-bridge tx off": () => {
      this.unfinished = false;
      return done();
    },
  };

  private accept(accepted: boolean): RunOutput {
    this.accepted = accepted;
    return done();
  }

  /** As iptables, which removes no chain that is used. */
  private changeRules([table = "", verb, ...words]: readonly string[]): RunOutput {
    const line = verb === "-X" ? `:${words[0]} - [0:0]` : `-A ${words.join(" ")}`;
    const [start, end] = [
      this.rules.indexOf(`*${table}`),
      this.rules.indexOf("COMMIT", this.rules.indexOf(`*${table}`)),
    ];
    const index = this.rules.indexOf(line, start);
    const used = verb === "-X" && this.rules.slice(start, end).some((rule) => rule.endsWith(`-j ${words[0]}`));
    if (index < 0 || index > end || used) return failed("iptables: No chain/target/match by that name.");
    this.rules.splice(index, 1);
    return done();
  }

  private changeContainer(change: (container: Container) => unknown): RunOutput {
    if (this.container === null) return failed("No such container: weave");
    change(this.container);
    return done();
  }

  private exposeProperties(): string {
    const differs = (this.files.readFile(EXPOSE_UNIT)?.content ?? null) !== this.loadedExpose;
    return `ActiveState=inactive\nSubState=dead\nJob=0\nNeedDaemonReload=${differs ? "yes" : "no"}\nMainPID=0`;
  }

  private properties(): string {
    return [
      `ActiveState=${this.unit === "auto-restart" ? "activating" : this.unit}`,
      `SubState=${this.unit}`,
      "Job=0",
      `NeedDaemonReload=${(this.files.readFile(UNIT)?.content ?? null) === this.loaded ? "no" : "yes"}`,
      `MainPID=${this.unit === "active" ? 912 : 0}`,
    ].join("\n");
  }
}
