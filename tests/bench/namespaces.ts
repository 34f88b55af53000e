import * as assert from "uvu/assert";
import { findInit } from "../hosts/boot";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { run } from "../hosts/run";

/** The network namespace of a host or of one of its containers, as a path for `nsenter --net=` on this machine. */
export async function networkOf({ name }: Cluster, host: Host, container?: string): Promise<string> {
  const init = findInit(name, host.name);
  assert.ok(init, `${host.name} is off`);
  if (container === undefined) return `/proc/${init.pid}/ns/net`;
  const { stdout } = await host.exec(["docker", "inspect", "--format", "{{.State.Pid}}", container]);
  return `/proc/${init.pid}/root/proc/${stdout.trim()}/ns/net`;
}

/** Runs a program of this machine in a network namespace; returns its output. Throws if it fails or takes over 30 s. */
export async function inNetwork(network: string, argv: readonly string[]): Promise<string> {
  return (await run(["nsenter", `--net=${network}`, ...argv], { timeoutSeconds: 30 })).stdout;
}

/** Attaches a network namespace to the wire between the hosts, by a device of this name (down) and a `port` on the wire's side. */
export async function plug(cluster: Cluster, port: string, network: string, device: string): Promise<void> {
  const ip = ["ip", "-n", cluster.underlay];
  await run([...ip, "link", "add", port, "type", "veth", "peer", "name", device, "netns", network]);
  await run([...ip, "link", "set", port, "master", "br0", "up"]);
}
