import type { Host } from "../../core/host/host";
import { linuxHost } from "../../core/host/linux";
import { type OptionTable, parseOptions, type Values } from "../../core/options";
import { type ObservedDocker, observe as observeDockerOptions } from "../../docker_bridge_opts/observe";
import { options as dockerOptions } from "../../docker_bridge_opts/options";
import { environmentValue } from "../../formats/environment_file";
import { probe as lookAtBridge, type ObservedBridge } from "../../weave_bridge/observe";
import { options as bridgeOptions } from "../../weave_bridge/options";
import { COMPONENTS } from "../../weave_service/components";
import { dockerRuns, type ObservedContainer, observeContainer } from "../../weave_service/container";
import { PEERS } from "../../weave_service/environment";
import { detectInit, INIT_SYSTEMS, type InitName, type ObservedUnit } from "../../weave_service/init_system";
import { type LiveRouter, observeRouter } from "../../weave_service/router_api";
import { attempt, attemptLater, lenientHost } from "./lenient_host";

/** The host as the modules find it, each part null where it is not there or can't be seen. */
export interface Observed {
  readonly bridge: ObservedBridge | null;
  readonly docker: ObservedDocker | null;
  readonly service: ObservedRouterService | null;
  readonly container: ObservedContainer | null;
  readonly router: LiveRouter | null;
  /** The peers that the router's environment file tells it of. */
  readonly told: readonly string[];
  /** What can't be seen, and why. */
  readonly unseen: readonly string[];
}

export interface ObservedRouterService {
  readonly init: InitName;
  readonly name: string;
  readonly unit: ObservedUnit;
}

/**
 * Looks at the bridge of this name and all that goes with it, by the modules' own eyes. Changes nothing, waits for nothing.
 * Throws a UserError where that can be no bridge's name.
 */
export async function observe(name: string, host: Host = linuxHost): Promise<Observed> {
  // For a bridge that is to go nobody on the network is asked anything.
  const bridgeAsked = defaults(bridgeOptions, { name, state: "absent" });
  // Before a restart Docker is asked for its containers, too.
  const dockerAsked = defaults(dockerOptions, { state: "restarted" });
  const unseen = new Set<string>();
  const eyes = lenientHost(host, unseen);
  const runs = dockerRuns(eyes);
  const [bridge, docker, container, router] = await Promise.all([
    attemptLater(() => lookAtBridge(bridgeAsked, eyes), unseen),
    attemptLater(() => observeDockerOptions(dockerAsked, eyes), unseen),
    runs ? attemptLater(() => observeContainer(COMPONENTS.router.container, eyes), unseen) : null,
    runs ? attemptLater(() => observeRouter(eyes), unseen) : null,
  ]);
  return {
    bridge,
    docker,
    service: attempt(() => observeUnit(eyes), unseen),
    container,
    router,
    told: toldPeers(eyes),
    unseen: [...unseen],
  };
}

function observeUnit(host: Host): ObservedRouterService {
  const init = detectInit(host);
  return {
    init,
    name: INIT_SYSTEMS[init].nameOf(COMPONENTS.router),
    unit: INIT_SYSTEMS[init].observe(COMPONENTS.router, host),
  };
}

function toldPeers(host: Host): string[] {
  const content = host.readFile(COMPONENTS.router.environmentPath)?.content ?? "";
  return (environmentValue(content, PEERS) ?? "").split(" ").filter((peer) => peer !== "");
}

function defaults<Table extends OptionTable>(table: Table, given: Readonly<Record<string, unknown>>): Values<Table> {
  return parseOptions("status", table, new Map(Object.entries(given)));
}
