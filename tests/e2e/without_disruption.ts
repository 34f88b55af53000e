import * as assert from "uvu/assert";
import type { Host } from "../hosts/host";
import { differences, fingerprint } from "./fingerprint";
import { PING_SECONDS, startPings } from "./pings";
import { running } from "./running";
import { findServices, type Service } from "./services";

/** A host as it is, without process ids, Ansible's own directory for its work, and whether a port has just left docker0. */
async function stateOf(host: Host): Promise<string> {
  const more = [
    "find /var/lib/apollo-weave* /run/weave* 2>/dev/null | sort",
    "docker volume ls",
    "docker image ls --format '{{.Repository}}:{{.Tag}}' | grep -v ^busybox | sort",
  ];
  const found = (await fingerprint(host))
    .replace(/^(MainPID=.*|\/root\/\.ansible.*)\n/gm, "")
    .replace(/NO-CARRIER,| linkdown/g, "");
  return found + (await host.exec(["sh", "-c", more.join("; ")])).stdout;
}

/** Fails unless the hosts are as they were. */
export async function assertAsBefore(some: readonly Host[], before: ReadonlyMap<Host, string>): Promise<void> {
  const now = await statesOf(some);
  for (const host of some) {
    assert.equal(differences(before.get(host) ?? "", now.get(host) ?? ""), [], host.name);
  }
}

/** The hosts as they are. */
export const statesOf = async (some: readonly Host[]): Promise<ReadonlyMap<Host, string>> =>
  new Map(await Promise.all(some.map(async (host): Promise<[Host, string]> => [host, await stateOf(host)])));

/** Runs something; fails if it restarts anything on these hosts, or if a ping between their containers is lost. */
export async function withoutDisruption<T>(some: readonly Host[], doing: () => Promise<T>): Promise<T> {
  const services = await servicesOn(some);
  const before = await Promise.all(some.map(running));
  const pings = await Promise.all(
    services.map(({ host, name }, index) =>
      startPings(host, services[(index + 1) % services.length]?.address ?? "", name),
    ),
  );
  const started = Date.now();
  const result = await doing().catch((error: Error) => error);
  const due = (Date.now() - started) / 1000 / PING_SECONDS;
  for (const { answered, lost, doubled } of await Promise.all(pings.map((ping) => ping.end()))) {
    assert.equal({ lost, doubled }, { lost: [], doubled: [] });
    // They went on all the time, if more slowly than they should where the machine is busy.
    assert.ok(answered > due / 2, `${answered} pings of ${due}`);
  }
  if (result instanceof Error) throw result;
  assert.equal(await Promise.all(some.map(running)), before);
  return result;
}

/** The first service of each host. */
export const servicesOn = async (some: readonly Host[]): Promise<Service[]> =>
  (await Promise.all(some.map((host) => findServices({ hosts: [host] }, 1)))).flat();
