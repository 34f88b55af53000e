import type { HttpRequest, HttpResponse, RunOutput } from "../../../../modules/core/host/host";
import { environmentValue } from "../../../../modules/formats/environment_file";
import type { Folder } from "./folder";
import { done, failed, type Part, processStat } from "./part";

export const UNIT = "/etc/systemd/system/weave.service";
export const ENVIRONMENT = "/etc/weave.env";
export const SCRIPT = "/usr/local/bin/weave";
const WANTS = ["docker", "multi-user"].map(
  (target) => `/etc/systemd/system/${target}.${target === "docker" ? "service" : "target"}.wants/weave.service`,
);
const VARIABLES =
  "WEAVE_PEERS WEAVE_ARGS CHECKPOINT_DISABLE WEAVE_NO_FASTDP DOCKER_BRIDGE WEAVE_MTU WEAVE_DEBUG WEAVE_PASSWORD".split(
    " ",
  );

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

  constructor(private readonly files: Folder) {}

  state(): object {
    const { unit, container, targets, unfinished, loaded, startedWith } = this;
    return { unit, container, targets, unfinished, loaded, startedWith };
  }

  reload(): RunOutput {
    this.loaded = this.files.readFile(UNIT)?.content ?? null;
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
    if (command.startsWith("systemctl show weave.service")) return done(this.properties());
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
    "ethtool -k vethwe-bridge": () => done(`tx-checksumming: ${this.unfinished ? "on" : "off"}\n`),
    "ethtool -K vethwe-bridge tx off": () => {
      this.unfinished = false;
      return done();
    },
  };

  private changeContainer(change: (container: Container) => unknown): RunOutput {
    if (this.container === null) return failed("No such container: weave");
    change(this.container);
    return done();
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
