import { join } from "node:path";
import { resolveDesired } from "../../../modules/weave_service/desired";
import { environmentOf } from "../../../modules/weave_service/environment";
import { NO_UNIT } from "../../../modules/weave_service/init/init_system";
import type { ObservedContainer, ObservedService } from "../../../modules/weave_service/observed";
import { options, type ServiceOptions } from "../../../modules/weave_service/options";
import { plan } from "../../../modules/weave_service/plan";
import { DEFAULT_CONTROL, type LiveRouter } from "../../../modules/weave_service/router_api";
import { readWeaveScript } from "../../../modules/weave_service/script";
import { inWords } from "../support/changes";
import { optionsOf } from "../support/options";

export const golden = (name: string): string => join(__dirname, "golden", name);

export const serviceOptions = (more: Record<string, unknown> = {}): ServiceOptions =>
  optionsOf(options, { peers: ["192.168.50.12", "192.168.50.13"], ...more });

/** A release's script, in short. */
export const SCRIPT =
  '#!/bin/sh\nSCRIPT_VERSION="2.8.1"\n# weave launch [--no-restart] [--password <pass>] <peer> ...\n';

/** A host with the script and nothing else. */
export const FRESH: ObservedService = {
  init: "systemd",
  unit: NO_UNIT,
  environment: null,
  formerEnvironment: null,
  script: readWeaveScript(SCRIPT),
  machineId: "0123456789abcdef0123456789abcdef",
  ownHost: { hostName: "host1", addresses: ["127.0.0.1", "192.168.50.11"] },
  peerName: null,
  docker: "running",
  dockerClient: "/usr/bin/docker",
  oldestDockerApi: "1.12",
  container: null,
  startedWith: null,
  startedBefore: false,
  router: null,
  control: null,
  offloadingPorts: [],
  exposed: false,
  exposeUnit: NO_UNIT,
  bridgeMtu: null,
  forwardRuleCount: null,
  noFastDatapath: null,
  routerRules: [],
  routerIpSets: [],
  routerFiles: [],
};

export const ROUTER: LiveRouter = {
  version: "2.8.1",
  name: "0e:5f:33:00:00:01",
  nickname: "host1",
  encryption: false,
  targets: ["192.168.50.12", "192.168.50.13"],
  peers: ["0e:5f:33:00:00:01", "0e:5f:33:00:00:02"],
  connections: [
    {
      address: "192.168.50.12:6783",
      state: "established",
      datapath: "sleeve",
      info: "sleeve 0e:5f:33:00:00:02(host2)",
    },
  ],
  datapath: "sleeve",
};

export const CONTAINER: ObservedContainer = {
  running: true,
  image: "weaveworks/weave:2.8.1",
  restartPolicy: "no",
  args: ["--no-fastdp", "--datapath", "datapath", "--no-dns", "192.168.50.12"],
  environment: new Map(),
  address: null,
};

/** The same host when the options are applied. */
export function steady(
  applied: ServiceOptions = serviceOptions(),
  fresh: ObservedService = FRESH,
): ObservedService & { startedWith: ReadonlyMap<string, string> } {
  const host = { ...fresh, peerName: ROUTER.name };
  const { text, exposeText, hasForwardRule, environmentText } = resolveDesired(applied, host);
  return {
    ...host,
    unit: {
      file: { content: text, mode: 0o644 },
      startedBy: "Docker",
      needsReload: false,
      dockerStartsAtBoot: true,
      state: "running",
      pid: 912,
    },
    exposeUnit: host.exposeUnit && {
      ...host.exposeUnit,
      file: exposeText === null ? null : { content: exposeText, mode: 0o644 },
    },
    forwardRuleCount: hasForwardRule ? 1 : null,
    environment: { content: environmentText, mode: 0o600 },
    container: { ...CONTAINER, image: `weaveworks/weave:${host.script.version}` },
    startedWith: new Map([...environmentOf(applied, host), ["PATH", "/usr/bin"]]),
    startedBefore: true,
    router: ROUTER,
    control: DEFAULT_CONTROL,
  };
}

/** What the changes of a plan have as subjects, on a host with systemd. */
export const ENV = "/etc/weave.env";
export const UNIT = "/etc/systemd/system/weave.service";
export const ENABLED = "weave.service: started by";
export const STATE = "weave.service: state";

/** The changes of a plan, in words. */
export const words = (options: ServiceOptions, observed: ObservedService) => inWords(plan(options, observed).changes);

/** A host whose router does not run, with its unit in a state. */
export const down = (
  state: ObservedService["unit"]["state"],
  observed: ObservedService = steady(),
): ObservedService => ({
  ...observed,
  unit: { ...observed.unit, state, pid: 0 },
  container: null,
  startedWith: null,
  startedBefore: false,
  router: null,
});
