import type { Host } from "../core/host/host";

/** Whether a device has the name of a Docker container's port. */
export function isContainerPort(device: string): boolean {
  return CONTAINER_PORT.test(device);
}

/** What Docker names its containers' ports: "veth" and seven hexadecimal digits (moby's libnetwork, drivers/bridge). */
const CONTAINER_PORT = /^veth[0-9a-f]{7}$/;

/**
 * Takes the bridge's name and all devices; returns the ports of Docker's containers that are on no bridge, as they are once
 * the bridge under them was deleted, be it to be made anew at once (ifdown, ifup). None where Docker uses another bridge.
 */
export function observeCutOffPorts(name: string, devices: readonly string[], host: Host): readonly string[] {
  const onNone = devices.filter(
    (device) => isContainerPort(device) && host.readlink(`/sys/class/net/${device}/master`) === null,
  );
  return onNone.length > 0 && dockerUses(name, host) ? onNone : [];
}

function dockerUses(name: string, host: Host): boolean {
  const pid = host.readText("/run/docker.pid");
  const commandLine = (pid && host.readText(`/proc/${pid}/cmdline`)) ?? "";
  const configured = /"bridge"\s*:\s*"([^"]*)"/.exec(host.readFile("/etc/docker/daemon.json")?.content ?? "")?.[1];
  return configured === name || /(?:--bridge|-b)[=\0]([^\0]*)/.exec(commandLine)?.[1] === name;
}
