import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import { type CommandResult, installCommand, runCommand } from "./command";
import { type Pings, startPings } from "./pings";
import { findServices, type Service, startServices } from "./services";

/** Two hosts that the installed command has joined by VXLAN, with a container each. */
export interface Joined {
  /** Runs weave_bridge on the first host, with these options over those that it was made with, and these flags. */
  bridge(more?: Readonly<Record<string, string | number>>, ...flags: string[]): Promise<CommandResult>;
  /** The container on the first host, and the one on the other. */
  readonly near: Service;
  readonly far: Service;
  /** What makes the bridge at boot, as each host's module says. */
  readonly providers: readonly unknown[];
}

/** Joins the two hosts of a cluster by the command. */
export async function joinByCommand(cluster: Cluster): Promise<Joined> {
  const options = { datapath: "vxlan", underlay: "eth0" };
  const peers = cluster.hosts.map(({ name }) => name).join(",");
  const results: CommandResult[] = [];
  await installCommand(cluster.hosts);
  for (const each of cluster.hosts) {
    const made = await runCommand(each, "bridge", { ...options, "host-index": each.number, peers });
    assert.not(made.failed, made.msg);
    results.push(made);
    const { docker_subnet, mtu } = made as CommandResult & { docker_subnet: string; mtu: number };
    await runCommand(each, "docker-opts", { bridge: "weave", "fixed-cidr": docker_subnet, mtu });
    await each.exec(["systemctl", "restart", "docker"]);
  }
  await startServices(cluster, 1);
  const services = await findServices(cluster, 1);
  assert.is(services.length, 2);
  const [near, far] = services as [Service, Service];
  // What is not given stays as it is, and each run is to set these again.
  const [{ mtu, mac } = { mtu: 0, mac: "" }] = results as (CommandResult & { mtu: number; mac: string })[];
  const set = { network: "10.2.0.0/16", mtu, mac };
  const all = { ...options, ...set, "host-index": 1, peers: cluster.hosts.map(({ address }) => address).join(",") };
  const bridge: Joined["bridge"] = (more = {}, ...flags) => runCommand(near.host, "bridge", { ...all, ...more }, flags);
  return { bridge, near, far, providers: results.map(({ provider }) => provider) };
}

/** Pings between the containers, both ways, and from the other host itself to the first one's container. */
export function pingJoined({ near, far }: Joined): Promise<Pings[]> {
  return Promise.all([
    startPings(near.host, far.address, near.name),
    startPings(far.host, near.address, far.name),
    startPings(far.host, near.address),
  ]);
}
