import { type Action, type Change, runAction } from "../core/change";
import { UserError } from "../core/errors";
import type { Module, Plan } from "../core/module";
import { shortenLists } from "../core/shorten_lists";
import { type OwnHost, withoutOwnHost } from "../net/own_host";
import { COMPONENTS, type Component } from "./components";
import { type DesiredService, resolveDesired } from "./desired";
import { PEERS, sortedPeers } from "./environment";
import { planLaunch } from "./launch";
import { planLeftovers } from "./leftovers";
import { observe } from "./observe";
import { isWaitingToExpose, type ObservedContainer, type ObservedService, quorum } from "./observed";
import { hostOf, isEnding, OPTION_OF, options, type ServiceOptions } from "./options";
import { planFileRemoval, planFiles } from "./plan_files";
import { planForwardRule, planNoRestartPolicy } from "./plan_live";

/** A Weave component as a service that starts and stops with Docker, and its peers. */
export const weaveService: Module<typeof options, ObservedService> = {
  name: "weave_service",
  options,
  observe,
  plan,
  shorten: shortenLists,
};

/** Plans the changes to the component's unit, its start with Docker, and what runs. Throws the UserErrors of resolveDesired(). */
export function plan(given: ServiceOptions, observed: ObservedService): Plan {
  const options = { ...given, peers: withoutOwn(given.peers, observed.ownHost) };
  const { state } = options;
  const desired = resolveDesired(options, observed);
  return {
    changes: isEnding(options) ? planEnd(state, desired, observed) : planService(options, desired, observed),
    returns: {
      state,
      unit: desired.unit,
      script_version: observed.script.version,
      ...(options.component === "router" && { router: observed.router, expose_pending: isWaitingToExpose(observed) }),
    },
    warnings: [
      ...unseenContainer(state, desired, observed),
      ...missingDatapath(options, observed),
      ...pendingAddress(observed),
      ...unreadVariables(desired, observed),
      ...dockerNotAtBoot(options, desired, observed),
    ],
  };
}

/** The peers without this host, whatever port it is written with. */
function withoutOwn(peers: readonly string[], own: OwnHost): readonly string[] {
  const hosts = withoutOwnHost(peers.map(hostOf), own);
  return peers.filter((peer) => hosts.includes(hostOf(peer)));
}

/**
 * Warnings about a container that may be there. Docker's own files are private to it, so only a running daemon can answer. Throws a
 * UserError if the container is to be removed.
 */
function unseenContainer(
  state: ServiceOptions["state"],
  { component }: DesiredService,
  { docker }: ObservedService,
): string[] {
  if (docker !== "stopped" || !isEnding({ state })) return [];
  const problem = `Docker: must run to show the container ${component.container} (found it stopped)`;
  if (state === "absent") {
    throw new UserError(`${problem}. Start it (systemctl start docker) and run again.`);
  }
  return [`${problem}, so that container may have a restart policy. Run again when Docker runs.`];
}

/** Warns, as the router falls back to its slow datapath silently. */
function missingDatapath({ mode }: ServiceOptions, { noFastDatapath }: ObservedService): string[] {
  if (noFastDatapath === null) return [];
  return [
    `mode: ${mode} uses the fast datapath, which needs the kernel module openvswitch (found ${noFastDatapath}); the router falls back ` +
      "to its slow one (sleeve, in user space). Install or allow the module (modprobe openvswitch), or set WEAVE_NO_FASTDP to 1 in I(env).",
  ];
}

/** Warns of a second file that Apollo's unit read. No value is shown, as it may be the password. */
function unreadVariables(
  { environment }: DesiredService,
  { formerEnvironment: former, ownHost }: ObservedService,
): string[] {
  const isPeers = (name: string, value: string): boolean => {
    const [one, other] = [value, environment.get(name) ?? ""].map((peers) =>
      peers.split(/\s+/).filter((peer) => peer !== ""),
    );
    return name === PEERS && sortedPeers(withoutOwn(one ?? [], ownHost)).join() === sortedPeers(other ?? []).join();
  };
  const lost = [...(former?.variables ?? [])].flatMap(([name, value]) =>
    environment.get(name) === value || isPeers(name, value) ? [] : name,
  );
  if (former === null || lost.length === 0) return [];
  const settings = [...new Set(lost.map((name) => `I(${OPTION_OF.get(name) ?? "env"})`))].join(", ");
  return [
    `env: ${former.path}, which Apollo's service read, is not read any more (found ${lost.join(", ")} in it with other values than the ` +
      `service has). Move what you need into ${settings}, and delete the file.`,
  ];
}

/** With socket activation, as in Flatcar, or after an installation from RPM packages, nothing starts Docker before its first use. */
function dockerNotAtBoot(
  options: ServiceOptions,
  { unit }: DesiredService,
  { docker, unit: { dockerStartsAtBoot } }: ObservedService,
): string[] {
  if (options.component !== "router" || isEnding(options)) return [];
  if (docker !== "running" || dockerStartsAtBoot) return [];
  return [
    `Docker: must be started at boot, as ${unit} starts with it (found no unit that starts docker.service). Run systemctl enable docker.`,
  ];
}

function pendingAddress(observed: ObservedService): string[] {
  if (!isWaitingToExpose(observed) || observed.router === null) return [];
  const { needed, found, all } = quorum(observed.router);
  return [
    `expose: ${observed.ownHost.hostName} gets its address on the network when ${needed} of ${all} routers are up (found ${found}). ` +
      "Start the other hosts' routers; weave-expose.service waits for them.",
  ];
}

function planService(options: ServiceOptions, desired: DesiredService, observed: ObservedService): Change[] {
  return [
    ...planFiles(desired, observed),
    ...planEnabled(true, desired, observed),
    ...(options.state === "enabled" ? [] : planForwardRule(desired.hasForwardRule, observed)),
    ...(options.state === "enabled" ? [] : planLaunch(options, desired, observed)),
  ];
}

function planEnd(state: ServiceOptions["state"], desired: DesiredService, observed: ObservedService): Change[] {
  return [
    ...planStop(desired, observed),
    ...planEnabled(false, desired, observed),
    ...(state === "absent" ? planRemoval(desired, observed) : planNoRestartPolicy(desired, observed)),
  ];
}

function planEnabled(enabled: boolean, { init, component, unit }: DesiredService, observed: ObservedService): Change[] {
  const { startedBy } = observed.unit;
  const after = enabled ? "Docker" : "nothing";
  if (startedBy === after) return [];
  const actions = init.enable(component, enabled, startedBy);
  return [{ subject: `${unit}: started by`, before: `${startedBy}\n`, after: `${after}\n`, actions }];
}

function planStop(desired: DesiredService, observed: ObservedService): Change[] {
  const { component } = desired;
  const { unit, container } = observed;
  const unitRuns = unit.state !== "stopped" && unit.state !== "failed";
  if (!unitRuns && container?.running !== true) return [];
  // To an operator, a start and the wait for its next try are the same.
  const state = unit.state === "retrying" ? "starting" : unit.state;
  return [
    {
      subject: `${desired.unit}: state`,
      before: unitRuns ? `${state}\n` : `${state}, container started by something else\n`,
      after: "stopped\n",
      actions: stopActions(desired, observed),
      disruption:
        component === COMPONENTS.router
          ? "the router: traffic between hosts ends"
          : `${component.description}: it is stopped`,
    },
  ];
}

function stopActions({ init, component }: DesiredService, { unit, docker }: ObservedService): Action[] {
  const stopUnit = runAction(init.stop(component), 120);
  switch (unit.state) {
    case "running":
      return [stopUnit];
    case "stopped":
    case "failed":
      return [runAction(["docker", "stop", component.container], 120)];
    default: {
      // systemd runs ExecStop only for a unit that has started, so the container of a failed try may still run.
      const { container: name } = component;
      const stopContainer: Action = { do: "stop", containers: [{ id: name, name }], timeout: 120 };
      return docker === "running" ? [stopUnit, stopContainer] : [stopUnit];
    }
  }
}

function planRemoval(desired: DesiredService, observed: ObservedService): Change[] {
  const { component } = desired;
  const { container } = observed;
  return [
    ...(container === null ? [] : [containerRemoval(component, container)]),
    ...planForwardRule(false, observed),
    ...planLeftovers(observed),
    ...planFileRemoval(desired, observed),
  ];
}

function containerRemoval({ container: name }: Component, { restartPolicy }: ObservedContainer): Change {
  const change = { subject: `container ${name}`, before: "present\n", after: "" };
  const actions = [runAction(["docker", "rm", "--force", name])];
  const disruption = { disruption: `the container ${name}, which Docker would start again` };
  return { ...change, actions, ...(restartPolicy !== "no" && disruption) };
}
