import { dockerPid } from "../../core/docker";
import type { Host } from "../../core/host/host";
import { linuxHost } from "../../core/host/linux";
import { type OptionTable, parseOptions, type Values } from "../../core/options";
import { configuredOptions } from "../../docker_bridge_opts/configuration";
import { observe as observeDockerOptions } from "../../docker_bridge_opts/observe";
import type { ObservedDocker } from "../../docker_bridge_opts/observed";
import { options as dockerOptions } from "../../docker_bridge_opts/options";
import { DockerMissing } from "../../docker_bridge_opts/service/observe_service";
import { observeAsAnyUser as observeBridge } from "../../weave_bridge/observe";
import type { ObservedBridge } from "../../weave_bridge/observed";
import { options as bridgeOptions } from "../../weave_bridge/options";
import { COMPONENTS } from "../../weave_service/components";
import { observeContainer, tagOf } from "../../weave_service/container";
import { configuredPeers } from "../../weave_service/environment";
import { detectInit, INIT_SYSTEMS } from "../../weave_service/init/detect";
import type { InitName, ObservedUnit } from "../../weave_service/init/init_system";
import { NO_UNIT } from "../../weave_service/init/init_system";
import type { ObservedContainer } from "../../weave_service/observed";
import { controlOf, type LiveRouter, observeRouter } from "../../weave_service/router_api";
import { scriptOfVersion } from "../../weave_service/script";
import { attempt, attemptLater, lenientHost } from "./lenient_host";

/** What the modules observe on the host. A part is null if it is absent or can't be read. */
export interface Observed {
  readonly bridge: ObservedBridge | null;
  readonly docker: ObservedDocker | null;
  /** Why Docker is not there, if it is not installed. */
  readonly dockerMissing: string | null;
  readonly service: ObservedRouterService | null;
  readonly container: ObservedContainer | null;
  readonly router: LiveRouter | null;
  /** The peers in the router's environment file. */
  readonly configuredPeers: readonly string[];
  /** Why some part could not be read. */
  readonly errors: readonly string[];
}

export interface ObservedRouterService {
  readonly init: InitName;
  readonly name: string;
  readonly unit: ObservedUnit;
}

/** Observes the bridge and all that depends on it, with the modules' own code. Throws a UserError if the name is invalid. */
export async function observe(name: string, host: Host = linuxHost): Promise<Observed> {
  // With state=absent the module resolves no peer names, so status does not wait for the network.
  const bridgeValues = defaults(bridgeOptions, { name, state: "absent" });
  // Only before a restart does the module ask Docker for its containers.
  const dockerValues = defaults(dockerOptions, { state: "restarted" });
  const errors = new Set<string>();
  const lenient = lenientHost(host, errors);
  let dockerMissing: string | null = null;
  const unlessMissing = (error: unknown): null => {
    if (!(error instanceof DockerMissing)) throw error;
    dockerMissing = error.message;
    return null;
  };
  const isRunning = attempt(() => dockerPid(lenient), errors) !== null;
  const [bridge, docker, container, router] = await Promise.all([
    attemptLater(() => observeBridge(bridgeValues, lenient), errors),
    attemptLater(() => observeDockerOptions(dockerValues, lenient).catch(unlessMissing), errors),
    isRunning ? attemptLater(() => observeContainer(COMPONENTS.router.container, lenient), errors) : null,
    isRunning ? attemptLater(() => observeRunningRouter(lenient), errors) : null,
  ]);
  // Why its options can't be computed.
  if (docker !== null) attempt(() => configuredOptions(docker), errors);
  return {
    bridge,
    docker,
    dockerMissing,
    service: attempt(() => observeUnit(lenient), errors),
    container,
    router,
    configuredPeers: configuredPeers(lenient),
    errors: [...errors],
  };
}

async function observeRunningRouter(host: Host): Promise<LiveRouter | null> {
  const container = await observeContainer(COMPONENTS.router.container, host);
  const reports = container !== null && scriptOfVersion(tagOf(container.image)).hasReport;
  return reports && container.running ? observeRouter(host, controlOf(container)) : null;
}

function observeUnit(host: Host): ObservedRouterService {
  const init = detectInit(host);
  const [unit = NO_UNIT] = INIT_SYSTEMS[init].observe([COMPONENTS.router], host);
  return { init, name: INIT_SYSTEMS[init].nameOf(COMPONENTS.router), unit };
}

function defaults<Table extends OptionTable>(table: Table, given: Readonly<Record<string, unknown>>): Values<Table> {
  return parseOptions("status", table, new Map(Object.entries(given)));
}
