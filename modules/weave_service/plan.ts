import { type Action, type Change, fileChanges, run } from "../core/change";
import type { HttpRequest } from "../core/host";
import type { Plan } from "../core/module";
import { Refusal } from "../core/refusal";
import { COMPONENTS } from "./components";
import { ARGS, differingVariables, inOrder, PEERS } from "./environment";
import type { ObservedService } from "./observe";
import type { ServiceOptions } from "./options";
import { connect, forget } from "./router_api";
import { adoptPath } from "./shell_steps";
import { settle, type WantedService } from "./wanted";

/** Decides what makes the component's unit, its start with Docker and what runs of it what is asked. */
export function plan(options: ServiceOptions, observed: ObservedService): Plan {
  const { state } = options;
  const wanted = settle(options, observed);
  return {
    changes:
      state === "absent" || state === "stopped" ? ending(state, wanted, observed) : running(options, wanted, observed),
    facts: {
      state,
      unit: wanted.unit,
      peers: inOrder(options.peers),
      script_version: observed.script.version,
      ...(options.component === "router" && { router: observed.router }),
    },
  };
}

function ending(state: "absent" | "stopped", wanted: WantedService, observed: ObservedService): Change[] {
  return [
    ...stop(wanted, observed),
    ...enable(false, wanted, observed),
    ...(state === "absent" ? removal(wanted, observed) : noRestartPolicy(wanted, observed)),
  ];
}

function running(options: ServiceOptions, wanted: WantedService, observed: ObservedService): Change[] {
  return [
    ...files(wanted, observed),
    ...enable(true, wanted, observed),
    ...(options.state === "enabled" ? [] : launch(options, wanted, observed)),
  ];
}

function files(
  { init, component, unit, text, environmentText, shown }: WantedService,
  observed: ObservedService,
): Change[] {
  const changes = fileChanges(observed.unit.file, {
    path: init.pathOf(component),
    content: text,
    mode: 0o644,
    afterwards: init.reload,
  });
  const reload: Change = {
    subject: `${unit}, as ${observed.init} has it`,
    before: "an older one\n",
    after: "the file's\n",
    actions: init.reload,
  };
  return [
    ...fileChanges(observed.environment, {
      path: component.environmentPath,
      content: environmentText,
      mode: 0o600,
      shown,
    }),
    ...changes,
    ...(changes.length === 0 && observed.unit.needsReload ? [reload] : []),
  ];
}

function enable(enabled: boolean, { init, component, unit }: WantedService, observed: ObservedService): Change[] {
  if (observed.unit.enabled === enabled) return [];
  const word = (on: boolean): string => (on ? "yes\n" : "no\n");
  const subject = `${unit}: starts with Docker`;
  return [{ subject, before: word(!enabled), after: word(enabled), actions: init.enable(component, enabled) }];
}

/** Has it run as it is wanted, with the least that does it. */
function launch(options: ServiceOptions, wanted: WantedService, observed: ObservedService): Change[] {
  if (observed.unfinishedPorts === null && wanted.bridge !== null) {
    throw new Refusal(
      "there is no ethtool on this host: without it TCP between containers of different hosts dies on the router's port; " +
        "install it (apt install ethtool)",
    );
  }
  const { unit, container } = observed;
  const foreign = unit.state !== "running" && unit.state !== "starting" && container?.running === true;
  if (foreign) return takeOver(options, wanted, observed);
  const answers = options.component !== "router" || observed.script.generation === "first" || observed.router !== null;
  if (unit.state !== "running" || container?.running !== true || !answers) return start(options, wanted, observed);

  const reasons = restartReasons(options, wanted, observed);
  if (reasons.length > 0) return [restart(options, wanted, reasons)];
  return [...noRestartPolicy(wanted, observed), ...liveChanges(options, wanted, observed)];
}

/** What a running router is told, and what is mended beside it. */
function liveChanges(options: ServiceOptions, wanted: WantedService, observed: ObservedService): Change[] {
  return [
    ...(observed.router ? peerChanges(options.peers, observed.router.targets) : []),
    ...checksums(observed),
    ...exposure(options, wanted, observed),
  ];
}

function start(options: ServiceOptions, wanted: WantedService, observed: ObservedService): Change[] {
  const { init, component } = wanted;
  const { unit } = observed;
  const before = unit.state === "running" ? "running, without an answer\n" : `${unit.state}\n`;
  // A start under way is waited for, unless it has begun with what the files said before.
  const underWay = unit.state === "running" || unit.state === "starting";
  const begunOtherwise = underWay && files(wanted, observed).length > 0;
  const join = unit.state === "running" ? [] : init.start(component, unit.state === "failed");
  const commands = begunOtherwise ? init.restart(component) : join;
  return [
    { ...stateOf(wanted), before, actions: [...commands.map(patiently(options, wanted)), ready(options, wanted)] },
  ];
}

function restart(options: ServiceOptions, wanted: WantedService, reasons: readonly string[]): Change {
  const { init, component } = wanted;
  const why = reasons.join(", ");
  return {
    ...stateOf(wanted),
    before: `running, ${why}\n`,
    actions: [...init.restart(component).map(patiently(options, wanted)), ready(options, wanted)],
    disrupts: disruption(options, `its restart interrupts traffic between hosts (${why})`),
  };
}

/** Why what runs can't stay, in words. Values may be secret. */
function restartReasons(options: ServiceOptions, wanted: WantedService, observed: ObservedService): string[] {
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
function takeOver(options: ServiceOptions, wanted: WantedService, observed: ObservedService): Change[] {
  const { init, component } = wanted;
  const { container, unit } = observed;
  const starts = init.start(component, unit.state === "failed").map(patiently(options, wanted));
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
      disrupts: disruption(options, `its launch anew interrupts traffic between hosts (${why})`),
    },
  ];
}

/** By its restart policy Docker would start a stopped container again at its own next start, with whatever it was launched with. */
function noRestartPolicy({ component: { container } }: WantedService, observed: ObservedService): Change[] {
  const policy = observed.container?.restartPolicy ?? "no";
  if (policy === "no") return [];
  const actions = [run(["docker", "update", "--restart=no", container])];
  return [{ subject: `container ${container}: restart policy`, before: `${policy}\n`, after: "no\n", actions }];
}

function peerChanges(wanted: readonly string[], targets: readonly string[]): Change[] {
  const added = wanted.filter((peer) => !targets.includes(peer));
  const removed = targets.filter((peer) => !wanted.includes(peer));
  if (added.length + removed.length === 0) return [];
  const lines = (peers: readonly string[]): string => `${inOrder(peers).join("\n")}\n`;
  const order = (request: HttpRequest): Action => ({ do: "request", request });
  const actions = [
    ...(added.length > 0 ? [order(connect(added))] : []),
    ...(removed.length > 0 ? [order(forget(removed))] : []),
  ];
  return [{ subject: "router: peers", before: lines(targets), after: lines(wanted), actions }];
}

function checksums({ unfinishedPorts }: ObservedService): Change[] {
  return (unfinishedPorts ?? []).map((port) => ({
    subject: `${port}: TX checksum offload`,
    before: "on\n",
    after: "off\n",
    actions: [run(["ethtool", "-K", port, "tx", "off"])],
  }));
}

function exposure({ expose }: ServiceOptions, { script }: WantedService, { exposed }: ObservedService): Change[] {
  if (!expose || exposed) return [];
  return [{ subject: "router: exposed", before: "no\n", after: "yes\n", actions: [run([script, "expose"])] }];
}

function stop(wanted: WantedService, { unit, container }: ObservedService): Change[] {
  const { init, component } = wanted;
  const unitRuns = unit.state !== "stopped" && unit.state !== "failed";
  if (!unitRuns && container?.running !== true) return [];
  return [
    {
      subject: `${wanted.unit}: state`,
      before: unitRuns ? `${unit.state}\n` : `${unit.state}, while something else has launched the container\n`,
      after: "stopped\n",
      actions: [run(unitRuns ? init.stop(component) : ["docker", "stop", component.container], 120)],
      disrupts: ends(wanted),
    },
  ];
}

function removal(
  { init, component, shown }: WantedService,
  { unit, environment, container }: ObservedService,
): Change[] {
  const { container: name, environmentPath } = component;
  const actions = [run(["docker", "rm", "--force", name])];
  return [
    ...(container === null ? [] : [{ subject: `container ${name}`, before: "there\n", after: "", actions }]),
    ...fileChanges(unit.file, { path: init.pathOf(component), content: null, afterwards: init.reload }),
    ...fileChanges(environment, { path: environmentPath, content: null, shown }),
  ];
}

function stateOf({ unit }: WantedService): Pick<Change, "subject" | "after"> {
  return { subject: `${unit}: state`, after: "running\n" };
}

/** The time for a start holds images' download too; what was logged meanwhile says what it came to. */
function patiently(
  { timeout }: ServiceOptions,
  { init, component }: WantedService,
): (argv: readonly string[]) => Action {
  return (argv) => ({ do: "run", argv, timeout, onFailure: init.log(component) });
}

function ready({ timeout }: ServiceOptions, { init, component, ready: request }: WantedService): Action {
  return { do: "await", request, timeout, onFailure: init.log(component) };
}

function disruption({ component }: ServiceOptions, what: string): string {
  return component === "router" ? `the router: ${what}` : `the ${component}: it is launched anew`;
}

function ends({ component }: WantedService): string {
  return component === COMPONENTS.router
    ? "the router: traffic between hosts ends"
    : `${component.description}: it ends`;
}

/** The tag of an image's name; null where it has none. */
function tagOf(image: string): string | null {
  return /:([\w.-]+)$/.exec(image)?.[1] ?? null;
}
