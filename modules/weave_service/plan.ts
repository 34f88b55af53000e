import { type Change, run } from "../core/change";
import type { Module, Plan } from "../core/module";
import { withoutOwnHost } from "../net/own_host";
import { COMPONENTS, type Component } from "./components";
import { type DesiredService, resolveDesired } from "./desired";
import { planLaunch } from "./launch";
import { observe } from "./observe";
import type { ObservedContainer, ObservedService } from "./observed";
import { options, type ServiceOptions } from "./options";
import { planFileRemoval, planFiles } from "./plan_files";
import { planNoRestartPolicy } from "./plan_live";

/** A Weave component as a service that starts and stops with Docker, and its peers. */
export const weaveService: Module<typeof options, ObservedService> = { name: "weave_service", options, observe, plan };

/** Plans the changes to the component's unit, its start with Docker, and what runs. Throws the UserErrors of resolveDesired(). */
export function plan(given: ServiceOptions, observed: ObservedService): Plan {
  const options = { ...given, peers: withoutOwnHost(given.peers, observed.ownHost) };
  const { state } = options;
  const desired = resolveDesired(options, observed);
  return {
    changes:
      state === "absent" || state === "stopped"
        ? planEnd(state, desired, observed)
        : planService(options, desired, observed),
    facts: {
      state,
      unit: desired.unit,
      script_version: observed.script.version,
      ...(options.component === "router" && { router: observed.router }),
    },
  };
}

function planService(options: ServiceOptions, desired: DesiredService, observed: ObservedService): Change[] {
  return [
    ...planFiles(desired, observed),
    ...planEnabled(true, desired, observed),
    ...(options.state === "enabled" ? [] : planLaunch(options, desired, observed)),
  ];
}

function planEnd(state: "absent" | "stopped", desired: DesiredService, observed: ObservedService): Change[] {
  return [
    ...planStop(desired, observed),
    ...planEnabled(false, desired, observed),
    ...(state === "absent" ? planRemoval(desired, observed) : planNoRestartPolicy(desired, observed)),
  ];
}

function planEnabled(enabled: boolean, { init, component, unit }: DesiredService, observed: ObservedService): Change[] {
  const { startsWith } = observed.unit;
  const after = enabled ? "Docker" : "nothing";
  if (startsWith === after) return [];
  const actions = init.enable(component, enabled, startsWith);
  return [{ subject: `${unit}: starts with`, before: `${startsWith}\n`, after: `${after}\n`, actions }];
}

function planStop(desired: DesiredService, { unit, container }: ObservedService): Change[] {
  const { init, component } = desired;
  const unitRuns = unit.state !== "stopped" && unit.state !== "failed";
  if (!unitRuns && container?.running !== true) return [];
  return [
    {
      subject: `${desired.unit}: state`,
      before: unitRuns ? `${unit.state}\n` : `${unit.state}, container started by something else\n`,
      after: "stopped\n",
      actions: [run(unitRuns ? init.stop(component) : ["docker", "stop", component.container], 120)],
      disruption:
        component === COMPONENTS.router
          ? "the router: traffic between hosts ends"
          : `${component.description}: it is stopped`,
    },
  ];
}

function planRemoval(desired: DesiredService, observed: ObservedService): Change[] {
  const { component } = desired;
  const { container } = observed;
  return [
    ...(container === null ? [] : [containerRemoval(component, container)]),
    ...planFileRemoval(desired, observed),
  ];
}

function containerRemoval({ container: name }: Component, { restartPolicy }: ObservedContainer): Change {
  const change = { subject: `container ${name}`, before: "present\n", after: "" };
  const actions = [run(["docker", "rm", "--force", name])];
  const disruption = { disruption: `the container ${name}, which Docker would start again` };
  return { ...change, actions, ...(restartPolicy !== "no" && disruption) };
}
