import { type Change, fileChanges, run } from "../core/change";
import type { Plan } from "../core/module";
import { redactSecrets } from "../core/redact";
import { COMPONENTS, type Component } from "./components";
import type { ObservedContainer } from "./container";
import { type DesiredService, resolveDesired } from "./desired";
import { launch } from "./launch";
import { noRestartPolicy } from "./live_changes";
import type { ObservedService } from "./observe";
import type { ServiceOptions } from "./options";
import { othersOf } from "./others";
import { files } from "./unit_files";

/** Decides what makes the component's unit, its start with Docker and what runs of it what is asked. */
export function plan(asked: ServiceOptions, observed: ObservedService): Plan {
  const options = { ...asked, peers: othersOf(asked.peers, observed) };
  const { state } = options;
  const wanted = resolveDesired(options, observed);
  return {
    changes:
      state === "absent" || state === "stopped" ? ending(state, wanted, observed) : running(options, wanted, observed),
    facts: {
      state,
      unit: wanted.unit,
      script_version: observed.script.version,
      ...(options.component === "router" && { router: observed.router }),
    },
  };
}

function ending(state: "absent" | "stopped", wanted: DesiredService, observed: ObservedService): Change[] {
  return [
    ...stop(wanted, observed),
    ...enable(false, wanted, observed),
    ...(state === "absent" ? removal(wanted, observed) : noRestartPolicy(wanted, observed)),
  ];
}

function running(options: ServiceOptions, wanted: DesiredService, observed: ObservedService): Change[] {
  return [
    ...files(wanted, observed),
    ...enable(true, wanted, observed),
    ...(options.state === "enabled" ? [] : launch(options, wanted, observed)),
  ];
}

function enable(enabled: boolean, { init, component, unit }: DesiredService, observed: ObservedService): Change[] {
  const { startsWith } = observed.unit;
  const wanted = enabled ? "Docker" : "nothing";
  if (startsWith === wanted) return [];
  const actions = init.enable(component, enabled, startsWith);
  return [{ subject: `${unit}: starts with`, before: `${startsWith}\n`, after: `${wanted}\n`, actions }];
}

function stop(wanted: DesiredService, { unit, container }: ObservedService): Change[] {
  const { init, component } = wanted;
  const unitRuns = unit.state !== "stopped" && unit.state !== "failed";
  if (!unitRuns && container?.running !== true) return [];
  return [
    {
      subject: `${wanted.unit}: state`,
      before: unitRuns ? `${unit.state}\n` : `${unit.state}, while something else has launched the container\n`,
      after: "stopped\n",
      actions: [run(unitRuns ? init.stop(component) : ["docker", "stop", component.container], 120)],
      disruption: ends(wanted),
    },
  ];
}

function ends({ component }: DesiredService): string {
  return component === COMPONENTS.router
    ? "the router: traffic between hosts ends"
    : `${component.description}: it ends`;
}

function removal(
  { init, component, redact }: DesiredService,
  { unit, environment, container }: ObservedService,
): Change[] {
  return [
    ...(container === null ? [] : [containerRemoval(component, container)]),
    ...fileChanges(unit.file, {
      path: init.pathOf(component),
      content: null,
      redact: redactSecrets,
      afterwards: init.reload,
    }),
    ...fileChanges(environment, { path: component.environmentPath, content: null, redact }),
  ];
}

function containerRemoval({ container: name }: Component, { restartPolicy }: ObservedContainer): Change {
  const change = { subject: `container ${name}`, before: "there\n", after: "" };
  const actions = [run(["docker", "rm", "--force", name])];
  const comesBack = { disruption: `the container ${name}, which would come back with Docker` };
  return { ...change, actions, ...(restartPolicy !== "no" && comesBack) };
}
