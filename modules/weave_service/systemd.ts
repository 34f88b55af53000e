import mustache from "mustache";
import { run } from "../core/change";
import { UserError } from "../core/errors";
import type { Host } from "../core/host/host";
import { unitProperties } from "../core/systemctl";
import type { Component } from "./components";
import type { InitSystem, Job, ObservedUnit, StartsWith } from "./init_system";
import { finishChecksums, launchOrAdopt } from "./shell_steps";

const UNITS = "/etc/systemd/system";

const TEMPLATE = `# Written by Ansible's weave_service, which replaces what is changed here by hand.
[Unit]
Description={{description}}
Documentation={{documentation}}
Requires=docker.service{{#needs}} {{needs}}.service{{/needs}}
After=docker.service network-online.target{{#needs}} {{needs}}.service{{/needs}}
Wants=network-online.target
# Ten failures in as many minutes, and it stays failed.
StartLimitIntervalSec=600
StartLimitBurst=10

[Service]
EnvironmentFile={{environment}}
ExecStartPre=/bin/sh -c '{{launch}}'
ExecStart=/usr/bin/docker attach --no-stdin {{container}}
{{#checksums}}
# TCP between hosts dies of unfinished checksums on the router's port.
ExecStartPost=/bin/sh -c '{{checksums}}'
{{/checksums}}
{{#expose}}
ExecStartPost={{script}} expose
{{/expose}}
{{#clearRestartPolicy}}
# Docker is not to start it by itself.
ExecStartPost=-/usr/bin/docker update --restart=no {{container}}
{{/clearRestartPolicy}}
ExecStop={{script}} {{stop}}
# The first launch pulls the images, however long that takes.
TimeoutStartSec=infinity
Restart=on-failure
RestartSec=5

[Install]
WantedBy=docker.service
`;

/** systemd's units: started after Docker and along with it, stopped before it. */
export const SYSTEMD: InitSystem = {
  nameOf: unitOf,
  pathOf,
  render,
  observe,
  reload: [run(["systemctl", "daemon-reload"])],
  // Other links than those that the unit's own text asks for are taken away by "reenable" and "disable" alone.
  enable: (component, enabled, before) => {
    const verb = enabled ? (before === "nothing" ? "enable" : "reenable") : "disable";
    return [run(["systemctl", verb, unitOf(component)])];
  },
  // A unit that has failed too often is started by nobody until its failures are forgotten.
  start: (component, state) => [
    ...(state === "failed" ? [["systemctl", "reset-failed", unitOf(component)]] : []),
    ["systemctl", "start", unitOf(component)],
  ],
  restart: (component) => [["systemctl", "restart", unitOf(component)]],
  stop: (component) => ["systemctl", "stop", unitOf(component)],
  log: (component) => ["journalctl", "--no-pager", "--output=cat", "--lines=30", `--unit=${unitOf(component)}`],
};

function unitOf({ unit }: Component): string {
  return `${unit}.service`;
}

function pathOf(component: Component): string {
  return `${UNITS}/${unitOf(component)}`;
}

function render(job: Job): string {
  const { component, script, stop, expose, clearRestartPolicy, bridge } = job;
  const { description, documentation, container, needs, environmentPath: environment } = component;
  const view = { description, documentation, container, needs, environment, script, stop, expose, clearRestartPolicy };
  const shell = { launch: launchOrAdopt(job), checksums: bridge === null ? null : finishChecksums(bridge) };
  return mustache.render(TEMPLATE, { ...view, ...shell }, undefined, { escape: expanded });
}

/** systemd expands "%" and "$" in a command line; doubled, each stands for itself. Single quotes and newlines end a word. */
function expanded(text: string): string {
  if (/['\\]|\p{Cc}/u.test(text)) throw new UserError(`${JSON.stringify(text)} can't stand in a unit's command line`);
  return text.replace(/[%$]/g, "$&$&");
}

function observe(component: Component, host: Host): ObservedUnit {
  const unit = unitOf(component);
  const property = unitProperties(unit, ["ActiveState", "SubState", "Job", "NeedDaemonReload", "MainPID"], host);
  return {
    file: host.readFile(pathOf(component)),
    startsWith: startsWith(unit, host),
    needsReload: property("NeedDaemonReload") === "yes",
    state: stateOf(property),
    pid: Number(property("MainPID")),
  };
}

function startsWith(unit: string, host: Host): StartsWith {
  const wantedBy = (target: string): boolean => host.readlink(`${UNITS}/${target}.wants/${unit}`) !== null;
  // Apollo's units were the system's own.
  if (wantedBy("multi-user.target")) return "something else";
  return wantedBy("docker.service") ? "Docker" : "nothing";
}

function stateOf(property: (name: string) => string): ObservedUnit["state"] {
  const state = STATES[property("ActiveState")] ?? "stopped";
  // Between two tries it has failed, however it is called; one that waits for Docker's own start is about to start.
  if (property("SubState") === "auto-restart") return "failed";
  return state === "stopped" && Number(property("Job")) > 0 ? "starting" : state;
}

const STATES: Readonly<Record<string, ObservedUnit["state"]>> = {
  active: "running",
  reloading: "running",
  activating: "starting",
  deactivating: "stopping",
  failed: "failed",
};
