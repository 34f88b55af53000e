import mustache from "mustache";
import { run } from "../core/change";
import { UserError } from "../core/errors";
import type { Host } from "../core/host/host";
import type { Component } from "./components";
import type { InitSystem, Job, ObservedUnit } from "./init_system";
import { finishChecksums, launchOrAdopt } from "./shell_steps";

const TEMPLATE = `# Written by Ansible's weave_service, which replaces what is changed here by hand.
description "{{description}}"

{{#needs}}
start on started {{needs}}
stop on stopping {{needs}}
{{/needs}}
{{^needs}}
start on started docker
stop on stopping docker
{{/needs}}

# Ten failures in as many minutes, and it stays stopped. Ended in order, it is not started again.
respawn
respawn limit 10 600
normal exit 0
kill timeout 60
console log

script
  set -a
  . {{environment}}
  set +a
  # The first launch pulls the images, however long that takes: no limit holds here.
  # One that fails is tried again after a while.
  {{launch}} || { sleep 5; exit 1; }
{{#checksums}}
  # TCP between hosts dies of unfinished checksums on the router's port.
  {{checksums}}
{{/checksums}}
{{#expose}}
  {{script}} expose
{{/expose}}
{{#clearRestartPolicy}}
  # Docker is not to start it by itself.
  docker update --restart=no {{container}} || true
{{/clearRestartPolicy}}
  exec /usr/bin/docker attach --no-stdin {{container}}
end script

post-stop script
  {{script}} {{stop}} || true
end script
`;

/** Upstart's jobs (init(5)): Ubuntu 14.04's, as Apollo's article has them. */
export const UPSTART: InitSystem = {
  nameOf: ({ container }) => container,
  pathOf,
  render,
  observe,
  reload: [run(["initctl", "reload-configuration"])],
  enable: (component, enabled) => [
    enabled
      ? { do: "remove", path: overrideOf(component) }
      : { do: "write", path: overrideOf(component), content: "manual\n", mode: 0o644 },
    run(["initctl", "reload-configuration"]),
  ],
  // A start that is under way can't be joined.
  start: ({ container }, state) => (state === "starting" ? [] : [["initctl", "start", container]]),
  // Not initctl's restart, which goes on with the text that the job was started with.
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

function render(job: Job): string {
  const { component, script, stop, expose, clearRestartPolicy, bridge } = job;
  const { description, container, needs, environmentPath: environment } = component;
  const view = { description, container, needs, environment, script, stop, expose, clearRestartPolicy };
  const shell = { launch: launchOrAdopt(job), checksums: bridge === null ? null : finishChecksums(bridge) };
  return mustache.render(TEMPLATE, { ...view, ...shell }, undefined, { escape: line });
}

/** A script of init(5) is lines of shell up to "end script"; what is put in here is a line's part. */
function line(text: string): string {
  if (/\p{Cc}/u.test(text)) throw new UserError(`${JSON.stringify(text)} can't stand in a line of an upstart job`);
  return text;
}

function observe(component: Component, host: Host): ObservedUnit {
  const file = host.readFile(pathOf(component));
  const override = host.readFile(overrideOf(component))?.content ?? "";
  const status = host.run(["initctl", "status", component.container], { mayFail: true });
  return {
    file,
    startsWith: file !== null && !/^\s*manual\s*$/m.test(override) ? "Docker" : "nothing",
    needsReload: file !== null && status.status !== 0,
    ...unlessLaunching(parseStatus(status.stdout), host),
  };
}

/** For upstart a job runs as soon as its script does, which at the end becomes what waits for the container. */
function unlessLaunching(status: Status, host: Host): Status {
  const launching = status.state === "running" && host.readText(`/proc/${status.pid}/comm`) === "sh";
  return launching ? { state: "starting", pid: 0 } : status;
}

type Status = Pick<ObservedUnit, "state" | "pid">;

/** Reads the answer of `initctl status`: `weave start/running, process 1234`. */
export function parseStatus(output: string): Status {
  const [, goal, state = "", pid] = /^\S+ (start|stop)\/([a-z-]+)(?:, process (\d+))?/m.exec(output) ?? [];
  if (goal === undefined || state === "waiting") return { state: "stopped", pid: 0 };
  if (goal === "stop") return { state: "stopping", pid: 0 };
  return state === "running" ? { state: "running", pid: Number(pid ?? 0) } : { state: "starting", pid: 0 };
}
