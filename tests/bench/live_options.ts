import * as assert from "uvu/assert";
import { bootHosts } from "../e2e/hosts";
import { joinByCommand, pingJoined } from "../e2e/joined";
import { liveChangeCases } from "../e2e/live_change_cases";
import { type Disturbance, disturbance } from "./disturbance";

const ROUNDS = 3;

/** The prefix of the names of these changes. */
export const LIVE = "live: ";

/**
 * Joins two hosts by VXLAN and makes every live change on one of them, one after another, with pings between their
 * containers. Returns the disturbance of both hosts by change.
 */
export async function liveOptions(): Promise<ReadonlyMap<string, readonly Disturbance[]>> {
  const cluster = await bootHosts(2);
  try {
    const joined = await joinByCommand(cluster);
    const changes = Object.entries(liveChangeCases("ifupdown"));
    const all = new Map<string, Disturbance[]>(changes.map(([name]) => [LIVE + name, []]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, { by, options }] of changes) {
        if (by !== undefined) await joined.near.host.exec(["sh", "-c", by]);
        const change = async (): Promise<void> => {
          const made = await joined.bridge(options);
          assert.not(made.failed, made.msg);
          assert.ok(made.changed, `${name} changed nothing`);
        };
        all.get(LIVE + name)?.push(await disturbance(cluster.hosts, () => pingJoined(joined), change));
      }
    }
    return all;
  } finally {
    await cluster.down();
  }
}
