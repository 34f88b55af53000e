import type { DockerNetwork } from "../core/docker_networks";
import type { FileState } from "../core/host/host";
import type { DockerFlags } from "../formats/docker_options";
import type { DockerService } from "./service/docker_service";

/** The host as docker_bridge_opts observes it. */
export interface ObservedDocker {
  readonly service: DockerService;
  /** The file with DOCKER_OPTS. */
  readonly optionsFile: FileState | null;
  /** Whether DOCKER_OPTS of that file reaches dockerd, by its unit or by this module's drop-in. */
  readonly dockerOptsIsRead: boolean;
  readonly dropIn: FileState | null;
  readonly configPath: string;
  /** daemon.json. */
  readonly config: FileState | null;
  readonly daemon: RunningDaemon | null;
  /** dockerd's version, such as 20.10.24; null if it is unknown. */
  readonly version: string | null;
  /** What manages containers' cgroups on this host unless dockerd's options say so, from 20.10 on. */
  readonly cgroupDriver: "systemd" | "cgroupfs";
  readonly saved: SavedConfiguration | null;
  /** When this module was called, in clock ticks since boot. */
  readonly calledAt: number;
  /** The IPv4 addresses of the bridge, with prefix length; empty if the bridge does not exist. */
  readonly bridgeAddresses: readonly string[];
  /** What this module wrote about the network that it created, as a stopped Docker reports none. */
  readonly networkRecord: FileState | null;
}

/** The running dockerd. */
export interface RunningDaemon {
  /** Differs after a restart and after a reboot. */
  readonly id: string;
  /** In clock ticks since boot. */
  readonly startedAt: number;
  /** Its program's path and arguments. */
  readonly command: readonly string[];
  /** The options among these. */
  readonly flags: DockerFlags;
  /** The file that it writes its process id to. */
  readonly pidFile: string;
  /** What it read from daemon.json when it started; null if that is unknown. */
  readonly configAtStart: DockerFlags | null;
  /** Its default network, as its API reports it; null if the API does not answer. */
  readonly defaultNetwork: DockerFlags | null;
  /** All its networks; null if the API does not answer. */
  readonly networks: readonly ObservedNetwork[] | null;
  /** The running containers; null if the API does not answer, or was not asked as no restart is planned. */
  readonly containers: readonly Container[] | null;
  /** Whether containers keep running while Docker restarts. */
  readonly liveRestore: boolean;
  /** Such as 20.10.24; null if the API does not answer. */
  readonly version: string | null;
}

export interface ObservedNetwork extends DockerNetwork {
  /** The names of its containers, running or not; null if the API was not asked, as the network stays, or does not answer. */
  readonly members: readonly string[] | null;
}

export interface Container {
  readonly id: string;
  readonly name: string;
  /** Whether it is one of Weave's own, which their service starts and stops with Docker. */
  readonly belongsToWeave: boolean;
  /** Whether it is paused. Asked only under live-restore, as the next one. */
  readonly paused?: boolean | null | undefined;
  /** Whether Docker removes it when it stops (docker run --rm). */
  readonly autoRemove?: boolean;
}

/**
 * The configuration from before the first change that the running daemon has not been restarted for. It is saved before
 * that change is made, so that it survives an interrupted run, and deleted once a restart has worked.
 */
export interface SavedConfiguration {
  /** The id of the daemon that runs with it; null if none ran. */
  readonly daemon: string | null;
  /** That daemon's program and arguments. */
  readonly command: readonly string[];
  readonly files: readonly SavedFile[];
  /** Whether daemon.json among these is what the daemon read when it started. */
  readonly configWasRead: boolean;
  /** The containers that a restart has stopped and has not started again yet. */
  readonly stopped: readonly Container[];
}

interface SavedFile {
  readonly path: string;
  /** One character per byte; null if the file did not exist. */
  readonly content: string | null;
  /** Permission bits, such as 0o644. */
  readonly mode: number;
}
