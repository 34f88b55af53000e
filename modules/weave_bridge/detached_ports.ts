import { dockerPid, requestOrNull } from "../core/docker";
import { inspectPath, listContainers } from "../core/docker_containers";
import { bridgeOfNetwork, listNetworks } from "../core/docker_networks";
import type { Host } from "../core/host/host";
import { isMapOf, isNumber, isOptional, isShape, isString } from "../core/json";
import { NET_DEVICES } from "../core/proc";
import { isContainerPort } from "./observed";

/**
 * The ports of Docker's containers that are on no bridge, although the network that they connect to is one on the bridge `name`.
 * Deleting the bridge detaches them, even if it is recreated at once (ifdown, ifup). A container can have ports of several networks,
 * and another network can have lost its bridge, too. A Docker that does not run, or does not answer, is not known to have any.
 */
export async function observeDetachedPorts(
  name: string,
  devices: readonly string[],
  host: Host,
): Promise<readonly string[]> {
  const detached = devices.filter(
    (device) => isContainerPort(device) && host.readlink(`${NET_DEVICES}/${device}/master`) === null,
  );
  // A request could start a stopped Docker.
  if (detached.length === 0 || dockerPid(host) === null) return [];
  const { networks } = await listNetworks(host);
  const ids = (networks ?? []).filter((network) => bridgeOfNetwork(network) === name).map(({ id }) => id);
  const containers = ids.length === 0 ? null : await listContainers(host);
  const indexes = await Promise.all((containers ?? []).map(({ id }) => portIndexes(id, ids, host)));
  const own = new Set(indexes.flat());
  return detached.filter((device) => own.has(host.readText(`${NET_DEVICES}/${device}/ifindex`) ?? ""));
}

/** The interface indexes of a container's ports on these networks. */
async function portIndexes(container: string, networks: readonly string[], host: Host): Promise<readonly string[]> {
  const { pid, endpoints } = await inspectEndpoints(container, host);
  const macs = endpoints.filter(({ network }) => networks.includes(network)).map(({ mac }) => mac);
  if (pid === 0 || macs.length === 0) return [];
  const { stdout } = host.run(["nsenter", `--net=/proc/${pid}/ns/net`, "ip", "-o", "link", "show"], { mayFail: true });
  return parsePeerIndexes(stdout, macs);
}

const ENDPOINTS = isShape({
  State: isOptional(isShape({ Pid: isOptional(isNumber) })),
  NetworkSettings: isOptional(
    isShape({
      Networks: isOptional(
        isMapOf(isOptional(isShape({ NetworkID: isOptional(isString), MacAddress: isOptional(isString) }))),
      ),
    }),
  ),
});

/** A container's process id, 0 if it does not run, and the networks that it is on by their ids, with its MAC address on each. */
async function inspectEndpoints(
  container: string,
  host: Host,
): Promise<{
  readonly pid: number;
  readonly endpoints: readonly { readonly network: string; readonly mac: string }[];
}> {
  const { body } = await requestOrNull(inspectPath(container), ENDPOINTS, host);
  const networks = Object.values(body?.NetworkSettings?.Networks ?? {});
  return {
    pid: body?.State?.Pid ?? 0,
    endpoints: networks.map((each) => ({ network: each?.NetworkID ?? "", mac: each?.MacAddress ?? "" })),
  };
}

/** Parses the output of `ip -o link show`: the indexes of the other ends of the devices with these MAC addresses. */
export function parsePeerIndexes(output: string, macs: readonly string[]): readonly string[] {
  return output.split("\n").flatMap((row) => {
    const [, index = "", mac] = /^\d+: [^@\s]+@if(\d+): .*\slink\/ether (\S+)/.exec(row) ?? [];
    return mac !== undefined && macs.includes(mac) ? [index] : [];
  });
}
