import { basename } from "node:path";
import type { ObservedDocker, RunningDaemon, SavedConfiguration } from "../../../modules/docker_bridge_opts/observed";
import { type DockerOptions, options } from "../../../modules/docker_bridge_opts/options";
import type { UnitStart } from "../../../modules/docker_bridge_opts/service/docker_service";
import { parseDockerFlags } from "../../../modules/formats/docker_flags";
import { splitWords } from "../../../modules/formats/shell_words";
import { unitSpecifiers } from "../../../modules/formats/systemd_expand";
import { type Contents, listed } from "../support/fake_host/contents";
import { CONFIG, Docker, DROP_INS, UNIT } from "../support/fake_host/docker";
import { FakeHost, fakeHost } from "../support/fake_host/fake_host";
import { optionsOf } from "../support/options";

export const PATH = "/etc/default/docker";

/** The file of Debian's docker.io, shortened. */
export const DEFAULT_FILE = `# Use DOCKER_OPTS to modify the daemon startup options.
#DOCKER_OPTS="--dns 8.8.8.8 --dns 8.8.4.4"
export http_proxy="http://127.0.0.1:3128/"
`;

/** Apollo's weave_docker_opts. */
export const APOLLO =
  "--bridge=weave --fixed-cidr=10.2.1.0/24 --dns 172.17.42.1 --dns 8.8.8.8 --dns-search service.consul";

export const asked = (more: Record<string, unknown> = {}): DockerOptions => optionsOf(options, more);

export const usual = (more: Record<string, unknown> = {}): DockerOptions =>
  asked({
    bridge: "weave",
    fixed_cidr: "10.2.1.0/24",
    mtu: 1450,
    dns: ["172.17.42.1", "8.8.8.8"],
    dns_search: ["service.consul"],
    ...more,
  });

export const USUAL_LINE =
  "--bridge=weave --fixed-cidr=10.2.1.0/24 --dns=172.17.42.1 --dns=8.8.8.8 --dns-search=service.consul --mtu=1450";

/** A daemon with this command line, whose API does not answer. */
export const runningWith = (line: string): RunningDaemon => ({
  id: "boot 812 500",
  startedAt: 500,
  command: ["/usr/sbin/dockerd", "-H", "fd://", ...splitWords(line).map(({ value }) => value)],
  flags: parseDockerFlags(splitWords(`-H fd:// ${line}`)),
  pidFile: "/var/run/docker.pid",
  configAtStart: new Map(),
  defaultNetwork: null,
  networks: null,
  containers: null,
  liveRestore: false,
  version: "20.10.24",
});

export const DEBIAN_UNIT = `[Service]
EnvironmentFile=-${PATH}
ExecStart=/usr/sbin/dockerd -H fd:// $DOCKER_OPTS
`;

/** Docker's unit with this content, and with the options file that it reads. */
export const unitWith = (content: string, optionsFile: string | null = DEFAULT_FILE): UnitStart => ({
  files: [{ path: UNIT, content }],
  environmentFiles: new Map([[PATH, optionsFile === null ? [] : [{ path: PATH, content: optionsFile }]]]),
  sharedTargets: new Map(),
  specifiers: unitSpecifiers("docker.service"),
  inherited: new Set(),
  isScript: false,
});

/** The observed host with another options file. */
export function withOptionsFile(observed: ObservedDocker, content: string | null, mode = 0o644): ObservedDocker {
  const unit = observed.service.unit && unitWith(observed.service.unit.files[0]?.content ?? "", content);
  return {
    ...observed,
    service: { ...observed.service, unit },
    optionsFile: content === null ? null : { content, mode },
  };
}

/** The observed host with another command line in Docker's unit. */
export function withCommand(observed: ObservedDocker, command: string): ObservedDocker {
  const content = DEBIAN_UNIT.replace(/^ExecStart=.*/m, () => `ExecStart=${command}`);
  return {
    ...observed,
    service: { ...observed.service, unit: unitWith(content, observed.optionsFile?.content ?? null) },
  };
}

/** What was saved while this daemon ran. */
export const savedOf = (
  { id, command }: RunningDaemon,
  more: Partial<SavedConfiguration> = {},
): SavedConfiguration => ({
  daemon: id,
  command,
  files: [],
  configWasRead: true,
  stopped: [],
  ...more,
});

/** A host with Debian's docker.io as it is installed, and with the bridge. */
export const FRESH: ObservedDocker = {
  service: {
    init: "systemd",
    missing: false,
    unit: unitWith(DEBIAN_UNIT),
    readsFile: true,
    whyNot: "",
    filePath: PATH,
    sharedTarget: null,
    failed: false,
    lostSocket: null,
    needsReload: false,
    pid: 812,
  },
  optionsFile: { content: DEFAULT_FILE, mode: 0o644 },
  dockerOptsIsRead: true,
  dropIn: null,
  configPath: "/etc/docker/daemon.json",
  config: null,
  daemon: runningWith(""),
  version: "20.10.24",
  cgroupDriver: "cgroupfs",
  saved: null,
  calledAt: 900,
  bridgeAddresses: ["10.2.0.1/16"],
  networkRecord: null,
};

/** The same host, configured as `usual()` describes. */
export const STEADY: ObservedDocker = {
  ...withOptionsFile(FRESH, `${DEFAULT_FILE}DOCKER_OPTS="${USUAL_LINE}"\n`),
  daemon: runningWith(USUAL_LINE),
};

/** Files by their absolute paths. */
export type Files = ReadonlyMap<string, string>;

/** What a running daemon shows: the words of its command line, and what its API answers by path. */
export interface Daemon {
  readonly words: readonly string[];
  readonly api?: Readonly<Record<string, unknown>>;
}

/** A host with just these files, and more that takes precedence. It runs systemd if Docker's unit is among the files. */
export function hostWith(files: Files, daemon: Daemon | null = null, more: Contents = {}): FakeHost {
  const dropIns = [...files.keys()].filter((path) => path.startsWith(`${DROP_INS}/`)).sort();
  const contents: Contents = {
    files: Object.fromEntries(files),
    names: {
      [DROP_INS]: dropIns.map((path) => basename(path)),
      ...(files.has(UNIT) && { "/run/systemd": ["notify", "system"] }),
    },
  };
  const docker = new Docker(fakeHost(contents));
  docker.reload();
  docker.now = FRESH.calledAt;
  docker.answers = daemon?.api ?? {};
  if (daemon !== null)
    docker.daemon = { pid: 812, startedAt: 500, words: daemon.words, options: new Map(), config: files.get(CONFIG) };
  return new FakeHost(listed(more), docker, listed(contents));
}
