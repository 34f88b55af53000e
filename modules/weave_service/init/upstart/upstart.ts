import mustache from "mustache";
import { runAction } from "../../../core/change";
import { UserError } from "../../../core/errors";
import type { Host } from "../../../core/host/host";
import { type Component, EXPOSE } from "../../components";
import type { InitSystem, ObservedUnit, UnitInputs } from "../init_system";
import { commandsOf, exposeInShell } from "../steps";

const TEMPLATE = `# Ansible managed (weave_service). Manual changes will be overwritten.
description "{{description}}"

{{#needs}}
start on started {{needs}}
stop on stopping {{needs}}
{{/needs}}
{{^needs}}
start on started docker
stop on stopping docker
{{/needs}}

# After ten failures in ten minutes it stays stopped. After a regular end it is not started again.
respawn
respawn limit 10 600
normal exit 0
kill timeout 60
console log

script
  set -a
  . {{environment}}
  set +a
  # The first launch pulls images, which may take long: there is no time limit here.
  # After a failed launch the job waits before it is started again.
  {{launch}} || { sleep 5; exit 1; }
{{#checksums}}
  # With TX checksum offload on the router's port, TCP between hosts fails.
  {{checksums}}
{{/checksums}}
{{#insertForwardRule}}
  # Docker's policy for FORWARD is DROP, and the router's own rule may be in other tables than Docker's.
  {{insertForwardRule}}
{{/insertForwardRule}}
{{#clearRestartPolicy}}
  # Only this job starts the container, not Docker.
  docker update --restart=no {{container}} || true
{{/clearRestartPolicy}}
  exec {{docker}} attach --no-stdin {{container}}
end script

post-stop script
  {{stop}} || true
end script
`;

const EXPOSE_TEMPLATE = `# Ansible managed (weave_service). Manual changes will be overwritten.
description "{{description}}"

start on started {{needs}}
stop on stopping {{needs}}

normal exit 0
console log

script
  set -a
  . {{environmentPath}}
  set +a
  # The router allocates no address before it has met enough of its peers, so this may wait for other hosts.
  {{expose}}
end script
`;

/** Upstart, the init system of Ubuntu 14.04 (init(5)). Experimental. */
export const UPSTART: InitSystem = {
  nameOf: ({ container }) => container,
  pathOf,
  render,
  renderExpose: (script) => fill(EXPOSE_TEMPLATE, { ...EXPOSE, expose: exposeInShell(script) }),
  observe: (components, host) => components.map((component) => observe(component, host)),
  reload: [runAction(["initctl", "reload-configuration"])],
  enable: (component, enabled) => [
    enabled
      ? { do: "remove", path: overrideOf(component) }
      : { do: "write", path: overrideOf(component), content: "manual\n", mode: 0o644 },
    runAction(["initctl", "reload-configuration"]),
  ],
  // "initctl start" fails while a start is in progress.
  start: ({ container }, state) => (state === "starting" ? [] : [["initctl", "start", container]]),
  // "initctl restart" would keep the text that the job was started with.
  restart: ({ container }) => [
    ["initctl", "stop", container],
    ["initctl", "start", container],
  ],
  stop: ({ container }) => ["initctl", "stop", container],
  log: ({ container }) => ["tail", "-n", "30", `/var/log/upstart/${container}.log`],
};

function pathOf({ container }: Component): string {
  return `/etc/init/${container}.conf`;
}

function overrideOf({ container }: Component): string {
  return `/etc/init/${container}.override`;
}

function render(inputs: UnitInputs): string {
  const { component, docker, clearRestartPolicy } = inputs;
  const { description, container, needs, environmentPath: environment } = component;
  const view = { description, container, docker, needs, environment, clearRestartPolicy };
  return fill(TEMPLATE, { ...view, ...commandsOf(inputs) });
}

function fill(template: string, view: object): string {
  return mustache.render(template, view, undefined, { escape: oneLine });
}

/** A script in init(5) goes up to a line "end script", so what is put into a line must stay within it. */
function oneLine(text: string): string {
  if (/\p{Cc}/u.test(text))
    throw new UserError(`script: must not contain control characters (found ${JSON.stringify(text)}). Remove them.`);
  return text;
}

function observe(component: Component, host: Host): ObservedUnit {
  const file = host.readFile(pathOf(component));
  const override = host.readFile(overrideOf(component))?.content ?? "";
  const status = host.run(["initctl", "status", component.container], { mayFail: true });
  return {
    file,
    startedBy: file !== null && !/^\s*manual\s*$/m.test(override) ? "Docker" : "nothing",
    needsReload: file !== null && status.status !== 0,
    dockerStartsAtBoot: true,
    ...startingIfInShell(parseStatus(status.stdout), host),
  };
}

/** Upstart reports a job as running while its shell script still launches; only its last command waits for the container. */
function startingIfInShell(status: Status, host: Host): Status {
  const launching = status.state === "running" && host.readText(`/proc/${status.pid}/comm`) === "sh";
  return launching ? { state: "starting", pid: 0 } : status;
}

type Status = Pick<ObservedUnit, "state" | "pid">;

/** Parses the output of `initctl status`, such as "weave start/running, process 1234". */
export function parseStatus(output: string): Status {
  const [, goal, state = "", pid] = /^\S+ (start|stop)\/([a-z-]+)(?:, process (\d+))?/m.exec(output) ?? [];
  if (goal === undefined || state === "waiting") return { state: "stopped", pid: 0 };
  if (goal === "stop") return { state: "stopping", pid: 0 };
  return state === "running" ? { state: "running", pid: Number(pid ?? 0) } : { state: "starting", pid: 0 };
}
