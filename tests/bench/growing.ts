import * as assert from "uvu/assert";
import { bootHosts } from "../e2e/hosts";
import { ownInventory } from "../e2e/own_inventory";
import { type Pings, startPings } from "../e2e/pings";
import { ansiblePlaybook } from "../e2e/playbook";
import { findServices, type Service, startServices } from "../e2e/services";
import { installWeaveStandIn } from "../stand-ins/weave/install";
import { type Disturbance, disturbance } from "./disturbance";

const ROUNDS = 3;

/**
 * Joins three hosts, then adds a fourth with grow.yml and removes it with shrink.yml, with pings between all containers of
 * the three. Returns the disturbance of the three by change.
 */
export async function growth(datapath: "vxlan" | "router"): Promise<ReadonlyMap<string, readonly Disturbance[]>> {
  const cluster = await bootHosts(4);
  try {
    if (datapath === "router") await Promise.all(cluster.hosts.map((host) => installWeaveStandIn(host)));
    const play = async (playbook: string, count: number, ...vars: string[]): Promise<void> => {
      const members = Object.fromEntries(cluster.hosts.slice(0, count).map(({ name }) => [name, ""]));
      const inventory = ownInventory(cluster, members, [`weave_datapath=${datapath}`, "weave_verify_report="]);
      const { status, output } = await ansiblePlaybook(inventory, [playbook, ...vars.flatMap((set) => ["-e", set])]);
      assert.is(status, 0, output);
    };
    const three = cluster.hosts.slice(0, 3);
    await play("site.yml", 3);
    await startServices({ hosts: three }, 1);
    const services = await findServices({ hosts: three }, 1);
    const [grown, shrunk]: [Disturbance[], Disturbance[]] = [[], []];
    const during = (doing: () => Promise<void>): Promise<Disturbance> =>
      disturbance(three, () => pingAllPaths(services), doing);
    for (let round = 0; round < ROUNDS; round++) {
      grown.push(await during(() => play("playbooks/grow.yml", 4)));
      shrunk.push(await during(() => play("playbooks/shrink.yml", 4, "weave_leaving=apollo4")));
    }
    return new Map([
      [`${datapath}: a fourth host comes, by grow.yml`, grown],
      [`${datapath}: it leaves again, by shrink.yml`, shrunk],
    ]);
  } finally {
    await cluster.down();
  }
}

function pingAllPaths(services: readonly Service[]): Promise<Pings[]> {
  const paths = services.flatMap((from) => services.filter((to) => to !== from).map((to) => ({ from, to })));
  return Promise.all(paths.map(({ from, to }) => startPings(from.host, to.address, from.name)));
}
