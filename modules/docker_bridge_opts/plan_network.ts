import { type Action, type Change, fileChanges, runAction } from "../core/change";
import { DEFAULT_NETWORK, removeNetwork } from "../core/docker_networks";
import { UserError } from "../core/errors";
import {
  bridgeToManage,
  createRequest,
  type DesiredNetwork,
  describe,
  describeNetwork,
  desiredNetwork,
  isAsDesired,
  isRecordedOn,
  NETWORK_RECORD,
  recordOf,
  rejectNetworkConflicts,
  staleNetworks,
} from "./network";
import type { ObservedDocker, ObservedNetwork } from "./observed";
import type { DockerOptions } from "./options";

/**
 * The changes of Docker's networks on the bridge: the desired one is created or replaced, others are removed. While the bridge is that
 * of the default network, or Docker is stopped, the network has to wait for a restart; state=restarted creates it after that. Throws
 * a UserError if containers are on a network that has to go.
 */
export function networkChanges(options: DockerOptions, observed: ObservedDocker): Change[] {
  const { daemon, bridgeAddresses } = observed;
  const desired = desiredNetwork(options, bridgeAddresses);
  const bridge = bridgeToManage(options);
  if (bridge === null || (options.state === "restarted" && desired === null)) return [];
  if (daemon === null) return whileStopped(options, bridge, desired, observed);
  if (daemon.networks === null) {
    const isRecorded = isRecordedOn(bridge, observed.networkRecord?.content ?? "");
    if (options.network === DEFAULT_NETWORK && !isRecorded) return [];
    throw new UserError("network: Docker must list its networks (found no answer). See systemctl status docker.");
  }
  const stale = staleNetworks(daemon.networks, bridge, desired);
  stale.forEach(requireUnused);
  const isBridgeOfDefault = daemon.defaultNetwork?.get("bridge")?.at(-1) === bridge;
  const others = daemon.networks.filter(
    (network) => !stale.includes(network) && !(network.name === DEFAULT_NETWORK && isBridgeOfDefault),
  );
  const replaced = stale.find(({ name }) => name === desired?.name);
  const removals = stale.filter((network) => network !== replaced).map(removal);
  if (desired === null || others.some((network) => isAsDesired(network, desired))) {
    return withRecord(removals, bridge, desired, observed);
  }
  rejectNetworkConflicts(desired, others);
  const creation = creationChange(desired, replaced);
  return options.state === "present" && isBridgeOfDefault
    ? [...removals, afterRestart(creation)]
    : withRecord([...removals, creation], bridge, desired, observed);
}

/**
 * Which networks a stopped Docker has is not known: state=restarted starts it, and accepts a network of this name. Throws a UserError
 * where this module created one that has to go, as Docker would not start with its default network on the same bridge. Where Docker is
 * not installed, nothing is known of its networks but the record.
 */
function whileStopped(
  { state, network }: DockerOptions,
  bridge: string,
  desired: DesiredNetwork | null,
  observed: ObservedDocker,
): Change[] {
  const record = observed.networkRecord?.content ?? "";
  const isOther = isRecordedOn(bridge, record) && (desired === null || record !== recordOf(desired));
  if (observed.service.missing) return withRecord([], bridge, null, observed);
  if (isOther || (desired === null && network !== DEFAULT_NETWORK)) {
    throw new UserError(
      `network: Docker must run before its network on the bridge ${bridge} can be replaced or removed (found it stopped). ` +
        "Start it and run again.",
    );
  }
  if (desired === null) return [];
  const creation = { ...creationChange(desired), before: "unknown, as Docker does not run\n" };
  return state === "present"
    ? [afterRestart(creation)]
    : withRecord([{ ...creation, actions: createNetworkActions(desired, [409]) }], bridge, desired, observed);
}

/** The changes, the last of which also writes the record; it is a separate change if nothing else is to be done. */
function withRecord(
  changes: readonly Change[],
  bridge: string,
  desired: DesiredNetwork | null,
  { networkRecord }: ObservedDocker,
): Change[] {
  if (desired === null && !isRecordedOn(bridge, networkRecord?.content ?? "")) return [...changes];
  const content = desired === null ? null : recordOf(desired);
  const record = fileChanges(networkRecord, { path: NETWORK_RECORD, content, mode: 0o600 });
  const last = changes.at(-1);
  if (last === undefined) return record;
  const actions = [...last.actions, ...record.flatMap((change) => change.actions)];
  return [...changes.slice(0, -1), { ...last, actions }];
}

function afterRestart(change: Change): Change {
  return { ...change, actions: [], pending: "a restart of Docker" };
}

function creationChange(desired: DesiredNetwork, replaced?: ObservedNetwork): Change {
  return {
    subject: subjectOf(desired),
    before: replaced === undefined ? "" : describeNetwork(replaced),
    after: describe(desired),
    actions: [...(replaced === undefined ? [] : [remove(replaced)]), ...createNetworkActions(desired)],
  };
}

function removal(network: ObservedNetwork): Change {
  return { subject: subjectOf(network), before: describeNetwork(network), after: "", actions: [remove(network)] };
}

const subjectOf = ({ name }: { readonly name: string }): string => `Docker network ${name}`;

function remove({ id }: ObservedNetwork): Action {
  return { do: "request", request: removeNetwork(id), acceptedStatuses: [404] };
}

/** Docker would create a bridge that is missing, and delete it with its network. */
function createNetworkActions(desired: DesiredNetwork, acceptedStatuses: readonly number[] = []): Action[] {
  const { bridge } = desired;
  return [
    {
      do: "try",
      steps: [runAction(["ip", "link", "show", "dev", bridge])],
      rollback: [
        { steps: [], result: `bridge: ${bridge} must exist first. Configure it (weave_bridge), and run again.` },
      ],
    },
    { do: "request", request: createRequest(desired), ...(acceptedStatuses.length > 0 && { acceptedStatuses }) },
  ];
}

/** Including stopped containers: one would not start without the very network that it was on. */
function requireUnused({ name, members }: ObservedNetwork): void {
  if (members !== null && members.length === 0) return;
  const found = members === null ? "no answer about its containers" : members.join(", ");
  throw new UserError(
    `network: Docker's network ${name} must have no containers before it can be replaced or removed (found ${found}). Remove ` +
      `them, or disconnect each (docker network disconnect ${name} CONTAINER), also those that do not run, and run again.`,
  );
}
