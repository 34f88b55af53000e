import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { installWeaveStandIn } from "../stand-ins/weave/install";
import { subjects } from "./command";
import { bootHosts } from "./hosts";
import { type ModuleRun, runModule } from "./module";
import { ansiblePlaybook } from "./playbook";
import { sh, waitUntil } from "./shell";

let cluster: Cluster;
/** The one host of a test file of weave_service by itself: it has the bridge, and the stand-in of the Weave router, which runs. */
export let host: Host;

/** Boots it. */
export async function bootServiceHost(): Promise<void> {
  cluster = await bootHosts(1);
  host = cluster.host("apollo1");
  await installWeaveStandIn(host);
  const bridge = await ansiblePlaybook(cluster.inventory, ["site.yml"]);
  assert.is(bridge.status, 0, bridge.output);
}

/** Takes it down. */
export const takeDown = (): Promise<void> => cluster.down();

/** When a container was started. */
export const launchedAt = (container = "weave"): Promise<string> =>
  sh(host, `docker inspect --format '{{.State.StartedAt}}' ${container}`);

/** Runs the module. */
export async function service(options: object, check = false): Promise<ModuleRun> {
  return runModule(host, "weave_service", options, { check });
}

/** Runs the module after a check, and again: all three have to agree. Returns what the run said. */
export async function settled(options: object): Promise<ModuleRun> {
  const predicted = await service(options, true);
  const made = await service(options);
  assert.not(made["failed"], made.msg);
  assert.equal(subjects(predicted), subjects(made));
  assert.equal(predicted["disruptions"], made["disruptions"]);
  const again = await service(options);
  assert.not(again.changed, JSON.stringify(again.diff));
  return made;
}

/** Removes a component. */
export async function removed(component = "router"): Promise<void> {
  const { failed, msg } = await service({ component, state: "absent" });
  assert.not(failed, msg);
}

/** Shell that waits for the router's answer. */
export const ANSWERS = waitUntil("curl -sf http://127.0.0.1:6784/status");
