import type { Action, Change } from "../core/change";
import { UserError } from "../core/errors";
import type { DesiredService } from "./desired";
import { ARGS, differingVariables, PEERS } from "./environment";
import { liveChanges, noRestartPolicy } from "./live_changes";
import { isReady, type ObservedService } from "./observe";
import type { ServiceOptions } from "./options";
import { adoptPath } from "./shell_steps";
import { files } from "./unit_files";

/** Has it run as it is wanted, with the least that does it. */
export function launch(options: ServiceOptions, wanted: DesiredService, observed: ObservedService): Change[] {
  if (observed.unfinishedPorts === null && wanted.bridge !== null) {
    throw new UserError(
      "there is no ethtool on this host: without it TCP between containers of different hosts dies on the router's port; " +
        "install it (apt install ethtool)",
    );
  }
  const { unit, container } = observed;
  const foreign = unit.state !== "running" && unit.state !== "starting" && container?.running === true;
  if (foreign) return takeOver(options, wanted, observed);
  if (unit.state !== "running" || !isReady(options, observed)) return start(options, wanted, observed);

  const reasons = restartReasons(options, wanted, observed);
  if (reasons.length > 0) return [restart(options, wanted, reasons)];
  return [...noRestartPolicy(wanted, observed), ...liveChanges(options, wanted, observed)];
}

function start(options: ServiceOptions, wanted: DesiredService, observed: ObservedService): Change[] {
  const { init, component } = wanted;
  const { unit } = observed;
  const before = unit.state === "running" ? "running, without an answer\n" : `${unit.state}\n`;
  // A start under way is waited for, unless it has begun with what the files said before.
  const underWay = unit.state === "running" || unit.state === "starting";
  const begunOtherwise = underWay && files(wanted, observed).length > 0;
  const join = unit.state === "running" ? [] : init.start(component, unit.state);
  const commands = begunOtherwise ? init.restart(component) : join;
  return [
    { ...stateOf(wanted), before, actions: [...commands.map(patiently(options, wanted)), ready(options, wanted)] },
  ];
}

function restart(options: ServiceOptions, wanted: DesiredService, reasons: readonly string[]): Change {
  const { init, component } = wanted;
  const why = reasons.join(", ");
  return {
    ...stateOf(wanted),
    before: `running, ${why}\n`,
    actions: [...init.restart(component).map(patiently(options, wanted)), ready(options, wanted)],
    disruption: disruption(options, `its restart interrupts traffic between hosts (${why})`),
  };
}

/** Why what runs can't stay, in words. Values may be secret. */
function restartReasons(options: ServiceOptions, wanted: DesiredService, observed: ObservedService): string[] {
  const { startedWith, startedBefore, container } = observed;
  // A running router is told of its peers; up to 1.1 none says which it has.
  const live = options.component === "router" && observed.script.generation !== "first" ? [PEERS] : [];
  // A unit that something else has written, such as Apollo's role, has not passed on what it launched with.
  const ours = startedWith === null || startedWith.has(ARGS);
  const variables = ours && startedWith ? differingVariables(wanted.environment, startedWith, live) : [];
  const otherImage = wanted.tag !== null && container !== null && tagOf(container.image) !== wanted.tag;
  return [
    ...(variables.length > 0 ? [`with other ${variables.join(", ")}`] : []),
    ...(ours && otherImage ? [`of the image ${container.image}, not ${wanted.tag}`] : []),
    ...(ours ? [] : wanted.misfits(container)),
    ...(options.state === "restarted" && startedBefore ? ["since before this run"] : []),
  ];
}

/** A container that a hand, an older unit or Docker itself has started: kept where it is as wanted, else launched anew. */
function takeOver(options: ServiceOptions, wanted: DesiredService, observed: ObservedService): Change[] {
  const { init, component } = wanted;
  const { container, unit } = observed;
  const starts = init.start(component, unit.state).map(patiently(options, wanted));
  const policy = noRestartPolicy(wanted, observed);
  const misfits = options.state === "restarted" ? ["a restart is asked for"] : wanted.misfits(container);
  if (misfits.length === 0) {
    const adopt: Action = { do: "write", path: adoptPath(component), content: "", mode: 0o600 };
    const before = `${unit.state}, while something else has launched the container\n`;
    const adoption = { ...stateOf(wanted), before, actions: [adopt, ...starts, ready(options, wanted)] };
    return [...policy, adoption, ...liveChanges(options, wanted, observed)];
  }
  const why = misfits.join(", ");
  return [
    ...policy,
    {
      ...stateOf(wanted),
      before: `${unit.state}, while something else has launched the container otherwise: ${why}\n`,
      actions: [...starts, ready(options, wanted)],
      disruption: disruption(options, `its launch anew interrupts traffic between hosts (${why})`),
    },
  ];
}

function stateOf({ unit }: DesiredService): Pick<Change, "subject" | "after"> {
  return { subject: `${unit}: state`, after: "running\n" };
}

/** The time for a start holds images' download too; what was logged meanwhile says what it came to. */
function patiently(
  { timeout }: ServiceOptions,
  { init, component }: DesiredService,
): (argv: readonly string[]) => Action {
  return (argv) => ({ do: "run", argv, timeout, diagnose: init.log(component) });
}

function ready({ timeout }: ServiceOptions, { init, component, ready: request }: DesiredService): Action {
  return { do: "await", request, timeout, diagnose: init.log(component) };
}

function disruption({ component }: ServiceOptions, what: string): string {
  return component === "router" ? `the router: ${what}` : `the ${component}: it is launched anew`;
}

/** The tag of an image's name; null where it has none. */
function tagOf(image: string): string | null {
  return /:([\w.-]+)$/.exec(image)?.[1] ?? null;
}
