import type { Action, Change } from "../core/change";
import { UserError } from "../core/errors";
import { tagOf } from "./container";
import type { DesiredService } from "./desired";
import { ARGS, differingVariables, PEERS } from "./environment";
import { adoptPath } from "./init/steps";
import { isReady, type ObservedService } from "./observed";
import type { ServiceOptions } from "./options";
import { planFiles } from "./plan_files";
import { planLive, planNoRestartPolicy } from "./plan_live";
import { status } from "./router_api";

/** The changes that make the component run as desired, with as little interruption as possible. */
export function planLaunch(options: ServiceOptions, desired: DesiredService, observed: ObservedService): Change[] {
  if (observed.offloadingPorts === null && desired.bridge !== null) {
    throw new UserError(
      "mode: bridge needs ethtool on this host, to turn TX checksum offload off on the router's port; otherwise TCP between " +
        "containers of different hosts fails (found no ethtool). Install it (apt install ethtool).",
    );
  }
  const { unit, container } = observed;
  const startedByOthers = unit.state !== "running" && unit.state !== "starting" && container?.running === true;
  if (startedByOthers) return planAdoption(options, desired, observed);
  if (unit.state !== "running" || !isReady(options, observed)) return start(options, desired, observed);

  const reasons = restartReasons(options, desired, observed);
  if (reasons.length > 0) return [restart(options, desired, reasons)];
  return [...planNoRestartPolicy(desired, observed), ...planLive(options, desired, observed)];
}

function start(options: ServiceOptions, desired: DesiredService, observed: ObservedService): Change[] {
  const { init, component } = desired;
  const { unit } = observed;
  const before = unit.state === "running" ? "running, not answering\n" : `${stateName(unit.state)}\n`;
  // A start in progress is waited for, unless it has begun with files that are now replaced.
  const inProgress = unit.state === "running" || unit.state === "starting";
  const outdated = inProgress && planFiles(desired, observed).length > 0;
  const join = unit.state === "running" ? [] : init.start(component, unit.state);
  const commands = outdated ? init.restart(component) : join;
  return [
    {
      ...stateOf(desired),
      before,
      actions: [...commands.map(withTimeout(options, desired)), untilReady(options, desired)],
    },
  ];
}

function restart(options: ServiceOptions, desired: DesiredService, reasons: readonly string[]): Change {
  const { init, component } = desired;
  const why = reasons.join(", ");
  return {
    ...stateOf(desired),
    before: `running, ${why}\n`,
    actions: [...init.restart(component).map(withTimeout(options, desired)), untilReady(options, desired)],
    disruption: disruption(options, `its restart interrupts traffic between hosts (${why})`),
  };
}

/** Why the running component must be restarted, in words without secrets. */
function restartReasons(options: ServiceOptions, desired: DesiredService, observed: ObservedService): string[] {
  const { startedWith, startedBefore, container } = observed;
  // A running router gets its peers over its API. Without a report of them (up to 1.1), other peers restart it.
  const live = options.component === "router" && observed.script.hasReport ? [PEERS] : [];
  // A unit that something else wrote, such as Apollo's role, does not set this module's variables.
  const isOwnUnit = startedWith === null || startedWith.has(ARGS);
  const variables = isOwnUnit && startedWith ? differingVariables(desired.environment, startedWith, live) : [];
  const otherImage = desired.tag !== null && container !== null && tagOf(container.image) !== desired.tag;
  return [
    ...(variables.length > 0 ? [`with other ${variables.join(", ")}`] : []),
    ...(isOwnUnit && otherImage ? [`with the image ${container.image}, not ${desired.tag}`] : []),
    ...(isOwnUnit ? [] : desired.mismatches(container)),
    ...(options.state === "restarted" && startedBefore ? ["started before this run"] : []),
  ];
}

/** A container that an operator, an older unit or Docker itself has started is adopted if it matches, and launched again otherwise. */
function planAdoption(options: ServiceOptions, desired: DesiredService, observed: ObservedService): Change[] {
  const { init, component } = desired;
  const { container, unit } = observed;
  const starts = init.start(component, unit.state).map(withTimeout(options, desired));
  const policy = planNoRestartPolicy(desired, observed);
  const mismatches = options.state === "restarted" ? ["a restart was requested"] : desired.mismatches(container);
  const before = `${stateName(unit.state)}, container started by something else`;
  if (mismatches.length === 0) {
    const adopt: Action = { do: "write", path: adoptPath(component), content: "", mode: 0o600 };
    // The container keeps running, so its API stays where it is.
    const ready = observed.router && observed.control ? status(observed.control) : desired.ready;
    const actions = [adopt, ...starts, untilReady(options, { ...desired, ready })];
    return [
      ...policy,
      { ...stateOf(desired), before: `${before}\n`, actions },
      ...planLive(options, desired, observed),
    ];
  }
  const why = mismatches.join(", ");
  return [
    ...policy,
    {
      ...stateOf(desired),
      before: `${before}: ${why}\n`,
      actions: [...starts, untilReady(options, desired)],
      disruption: disruption(options, `launching it again interrupts traffic between hosts (${why})`),
    },
  ];
}

/** A unit that waits for its next try has failed its last one. */
function stateName(state: ObservedService["unit"]["state"]): string {
  return state === "retrying" ? "failed" : state;
}

function stateOf({ unit }: DesiredService): Pick<Change, "subject" | "after"> {
  return { subject: `${unit}: state`, after: "running\n" };
}

/** A start may include the download of images, so it gets the whole `timeout`; if it fails, the unit's log says why. */
function withTimeout(
  { timeout }: ServiceOptions,
  { init, component }: DesiredService,
): (argv: readonly string[]) => Action {
  return (argv) => ({ do: "run", argv, timeout, diagnose: init.log(component) });
}

function untilReady({ timeout }: ServiceOptions, { init, component, ready: request }: DesiredService): Action {
  return { do: "await", request, timeout, diagnose: init.log(component) };
}

function disruption({ component }: ServiceOptions, what: string): string {
  return component === "router" ? `the router: ${what}` : `the ${component}: it is launched again`;
}
