import type { Container } from "../core/docker_containers";
import type { FileState } from "../core/host/host";
import type { OwnHost } from "../net/own_host";
import type { InitName, ObservedUnit } from "./init/init_system";
import type { ServiceOptions } from "./options";
import type { Control, LiveRouter } from "./router_api";
import type { RouterRules } from "./router_rules";
import type { WeaveScript } from "./script";

/** Variables by name. Values have one character per byte, as in files. */
export type Environment = ReadonlyMap<string, string>;

/** A component's container, as Docker reports it. */
export interface ObservedContainer extends Omit<Container, "environment"> {
  readonly environment: Environment;
}

/** What weave_service observes on a host. */
export interface ObservedService {
  readonly init: InitName;
  readonly unit: ObservedUnit;
  /** The environment file. */
  readonly environment: FileState | null;
  /** The router's file that Apollo's unit read, and this module's does not; null if there is none. */
  readonly formerEnvironment: { readonly path: string; readonly variables: Environment } | null;
  readonly script: WeaveScript;
  /** /etc/machine-id; "" if there is none. */
  readonly machineId: string;
  readonly ownHost: OwnHost;
  /** The router's name, now or at its last launch; null if it never had one. */
  readonly peerName: string | null;
  /** Unless it runs, the containers are unknown. */
  readonly docker: "running" | "stopped" | "not installed";
  /** The path of Docker's client; null without one. */
  readonly dockerClient: string | null;
  /** The oldest API version that the Docker daemon accepts, or would if it ran; null if unknown. */
  readonly oldestDockerApi: string | null;
  /** The component's container; null if there is none, or Docker does not run. */
  readonly container: ObservedContainer | null;
  /** The environment that the running unit was started with; null if it does not run. */
  readonly startedWith: Environment | null;
  /** Whether the running unit was started before this run of the module. */
  readonly startedBefore: boolean;
  /** The running router; null if it does not answer. */
  readonly router: LiveRouter | null;
  /** Where the running router's API is; null if none runs. */
  readonly control: Control | null;
  /** The router's ports on the bridge that have TX checksum offload on; null if ethtool is not installed. */
  readonly offloadingPorts: readonly string[] | null;
  /** Whether the router has given the host an address on its own bridge. */
  readonly exposed: boolean;
  /** The unit EXPOSE, which gives it one; null for other components. */
  readonly exposeUnit: ObservedUnit | null;
  /** The MTU of weave_bridge's bridge, in bytes; null if there is none. */
  readonly bridgeMtu: number | null;
  /** How many copies iptables has of the rule that accepts the frames of the router's own bridge; null without iptables. */
  readonly forwardRuleCount: number | null;
  /** Why the kernel can't have the fast datapath that the router is launched with, in words; null if it can. */
  readonly noFastDatapath: string | null;
  /** What a removed router leaves behind; nothing unless it is to be removed. */
  readonly routerRules: readonly RouterRules[];
  readonly routerIpSets: readonly string[];
  readonly routerFiles: readonly string[];
}

/** Whether the unit that gives the host its address is waiting for peers. */
export function isWaitingToExpose({ exposed, exposeUnit }: ObservedService): boolean {
  return !exposed && (exposeUnit?.state === "running" || exposeUnit?.state === "starting");
}

/**
 * How many routers must be up before one allocates an address, and how many it knows of, itself included. Its targets do not
 * include itself (weaveworks/weave 2.8.1, prog/weaver/main.go, determineQuorum).
 */
export function quorum({ targets, peers }: LiveRouter): {
  readonly needed: number;
  readonly found: number;
  readonly all: number;
} {
  const all = targets.length + 1;
  return { needed: Math.floor(all / 2) + 1, found: peers.length, all };
}

/** Whether the component runs and, if it has an API, answers. */
export function isReady({ component }: ServiceOptions, { container, script, router }: ObservedService): boolean {
  const answers = component !== "router" || script.series === "1.0" || router !== null;
  return container?.running === true && answers;
}
