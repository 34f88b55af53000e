import type { ObservedDocker } from "../../../modules/docker_bridge_opts/observe";
import { type DockerOptions, options } from "../../../modules/docker_bridge_opts/options";
import { parseDockerFlags } from "../../../modules/formats/docker_flags";
import { splitWords } from "../../../modules/formats/words";
import { optionsOf } from "../support/options";

export const PATH = "/etc/default/docker";

/** The file of Debian's docker.io, in short. */
export const DEFAULT_FILE = `# Use DOCKER_OPTS to modify the daemon startup options.
#DOCKER_OPTS="--dns 8.8.8.8 --dns 8.8.4.4"
export http_proxy="http://127.0.0.1:3128/"
`;

/** What weave_docker_opts was in Apollo. */
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

export const runningWith = (line: string) => parseDockerFlags(splitWords(`-H fd:// ${line}`));

/** A host with Debian's docker.io as it is installed, and the bridge made. */
export const FRESH: ObservedDocker = {
  environmentFile: PATH,
  running: runningWith(""),
  file: { content: DEFAULT_FILE, mode: 0o644 },
  bridgeAddresses: ["10.2.0.1/16"],
};

/** The same host as `usual()` wants it. */
export const STEADY: ObservedDocker = {
  ...FRESH,
  running: runningWith(USUAL_LINE),
  file: { content: `${DEFAULT_FILE}DOCKER_OPTS="${USUAL_LINE}"\n`, mode: 0o644 },
};
