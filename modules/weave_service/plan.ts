import { type Action, type Change, fileChanges, run } from "../core/change";
import type { Plan } from "../core/module";
import { inOrder, RESTART_VARIABLES, renderRouterEnvironment, routerEnvironment, withoutPassword } from "./environment";
import type { ObservedService } from "./observe";
import type { ServiceOptions } from "./options";
import { connect, forget, STATUS } from "./router_api";
import { ENVIRONMENT_PATH, renderUnit, UNIT, UNIT_PATH } from "./systemd";

/** Decides what makes the router's unit, its start with Docker and the running router what is asked. */
export function plan(options: ServiceOptions, observed: ObservedService): Plan {
  const changes = {
    started: () => [...fileChangesOf(options, observed), ...enable(true, observed), ...running(options, observed)],
    stopped: () => [...fileChangesOf(options, observed), ...enable(false, observed), ...stop(observed)],
    absent: () => [...stop(observed), ...enable(false, observed), ...removal(observed)],
  }[options.state]();
  return { changes, facts: { state: options.state, unit: UNIT, peers: inOrder(options.peers) } };
}

const RELOAD = run(["systemctl", "daemon-reload"]);

function fileChangesOf(options: ServiceOptions, observed: ObservedService): Change[] {
  const environment = renderRouterEnvironment(options, observed.script);
  const unit = fileChanges(observed.unit, {
    path: UNIT_PATH,
    content: renderUnit(options.script),
    mode: 0o644,
    afterwards: [RELOAD],
  });
  const reload: Change = {
    subject: `${UNIT}, as systemd has it`,
    before: "an older one\n",
    after: "the file's\n",
    actions: [RELOAD],
  };
  return [
    ...fileChanges(observed.environment, {
      path: ENVIRONMENT_PATH,
      content: environment,
      mode: 0o600,
      shown: (content) => withoutPassword(content, environment),
    }),
    ...unit,
    ...(unit.length === 0 && observed.needsReload ? [reload] : []),
  ];
}

function enable(wanted: boolean, { enabled }: ObservedService): Change[] {
  const word = (on: boolean): string => (on ? "yes\n" : "no\n");
  const actions = [run(["systemctl", wanted ? "enable" : "disable", UNIT])];
  return enabled === wanted
    ? []
    : [{ subject: `${UNIT}: starts with Docker`, before: word(enabled), after: word(wanted), actions }];
}

function running(options: ServiceOptions, observed: ObservedService): Change[] {
  const state = { subject: `${UNIT}: state`, after: "running\n" };
  const ready: Action = {
    do: "await",
    request: STATUS,
    timeout: options.timeout,
    onFailure: ["journalctl", "--no-pager", "--output=cat", "--lines=20", `--unit=${UNIT}`],
  };
  if (observed.targets === null) {
    const before = observed.activeState === "active" ? "running, without an answer\n" : `${observed.activeState}\n`;
    return [{ ...state, before, actions: [run(["systemctl", "start", UNIT], options.timeout), ready] }];
  }
  const differing = differingVariables(options, observed);
  if (differing.length > 0) {
    return [
      {
        ...state,
        before: `running with other ${differing.join(", ")}\n`,
        actions: [run(["systemctl", "restart", UNIT], options.timeout), ready],
        disrupts: `the router: its restart interrupts traffic between hosts (${differing.join(", ")} can't be changed live)`,
      },
    ];
  }
  return peerChanges(options.peers, observed.targets);
}

/** The variables that the running router was not started with as they are wanted. Their values may be secret. */
function differingVariables(options: ServiceOptions, { startedWith, script }: ObservedService): string[] {
  const wanted = routerEnvironment(options, script);
  return startedWith === null
    ? []
    : RESTART_VARIABLES.filter((name) => (startedWith.get(name) ?? "") !== (wanted.get(name) ?? ""));
}

function peerChanges(wanted: readonly string[], targets: readonly string[]): Change[] {
  const added = wanted.filter((peer) => !targets.includes(peer));
  const removed = targets.filter((peer) => !wanted.includes(peer));
  if (added.length + removed.length === 0) return [];
  const lines = (peers: readonly string[]): string => `${inOrder(peers).join("\n")}\n`;
  const actions: Action[] = [
    ...(added.length > 0 ? [{ do: "request", request: connect(added) } as const] : []),
    ...(removed.length > 0 ? [{ do: "request", request: forget(removed) } as const] : []),
  ];
  return [{ subject: "router: peers", before: lines(targets), after: lines(wanted), actions }];
}

function stop({ activeState }: ObservedService): Change[] {
  if (activeState === "inactive" || activeState === "failed") return [];
  return [
    {
      subject: `${UNIT}: state`,
      before: `${activeState}\n`,
      after: "stopped\n",
      actions: [run(["systemctl", "stop", UNIT], 120)],
      disrupts: "the router: traffic between hosts ends",
    },
  ];
}

function removal({ unit, environment }: ObservedService): Change[] {
  return [
    ...fileChanges(unit, { path: UNIT_PATH, content: null, afterwards: [RELOAD] }),
    ...fileChanges(environment, {
      path: ENVIRONMENT_PATH,
      content: null,
      shown: (content) => withoutPassword(content, ""),
    }),
  ];
}
