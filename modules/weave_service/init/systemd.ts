import mustache from "mustache";
import { runAction } from "../../core/change";
import { UserError } from "../../core/errors";
import type { Host } from "../../core/host/host";
import { DAEMON_RELOAD, unitProperties } from "../../core/systemctl";
import { COMPONENTS, type Component, EXPOSE } from "../components";
import type { InitSystem, ObservedUnit, StartedBy, UnitInputs } from "./init_system";
import { commandsOf, exposeInShell } from "./steps";

const UNITS = "/etc/systemd/system";

const TEMPLATE = `# Ansible managed (weave_service). Manual changes will be overwritten.
[Unit]
Description={{description}}
Documentation={{documentation}}
Requires=docker.service{{#needs}} {{needs}}.service{{/needs}}
After=docker.service network-online.target{{#needs}} {{needs}}.service{{/needs}}
Wants=network-online.target{{#expose}} weave-expose.service{{/expose}}
# After ten failures in ten minutes it stays failed.
StartLimitIntervalSec=600
StartLimitBurst=10

[Service]
EnvironmentFile={{environment}}
ExecStartPre=/bin/sh -c '{{launch}}'
ExecStart={{docker}} attach --no-stdin {{container}}
{{#checksums}}
# With TX checksum offload on the router's port, TCP between hosts fails.
ExecStartPost=/bin/sh -c '{{checksums}}'
{{/checksums}}
{{#insertForwardRule}}
# Docker's policy for FORWARD is DROP, and the router's own rule may be in other tables than Docker's.
ExecStartPost=-/bin/sh -c '{{insertForwardRule}}'
{{/insertForwardRule}}
{{#clearRestartPolicy}}
# Only this unit starts the container, not Docker.
ExecStartPost=-{{docker}} update --restart=no {{container}}
{{/clearRestartPolicy}}
ExecStop={{stop}}
# The first launch pulls images, which may take long.
TimeoutStartSec=infinity
Restart=on-failure
RestartSec=5

[Install]
WantedBy=docker.service
`;

const EXPOSE_TEMPLATE = `# Ansible managed (weave_service). Manual changes will be overwritten.
[Unit]
Description={{description}}
BindsTo={{needs}}.service
After={{needs}}.service

[Service]
EnvironmentFile={{environmentPath}}
# The router allocates no address before it has met enough of its peers, so this may wait for other hosts.
ExecStart=/bin/sh -c '{{expose}}'
`;

/** systemd: units that are started after and with Docker, and stopped before it. */
export const SYSTEMD: InitSystem = {
  nameOf: unitOf,
  pathOf,
  render,
  renderExpose: (script) => fill(EXPOSE_TEMPLATE, { ...EXPOSE, expose: exposeInShell(script) }),
  observe,
  reload: [DAEMON_RELOAD],
  // "enable" adds the links of the [Install] section but only "reenable" and "disable" remove others.
  enable: (component, enabled, before) => {
    const verb = enabled ? (before === "nothing" ? "enable" : "reenable") : "disable";
    return [runAction(["systemctl", verb, unitOf(component)])];
  },
  // systemd refuses to start a unit that has reached its start limit until the failures are reset.
  start: (component, state) => [
    ...(state === "failed" || state === "retrying" ? [["systemctl", "reset-failed", unitOf(component)]] : []),
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

function render(inputs: UnitInputs): string {
  const { component, docker, expose, clearRestartPolicy } = inputs;
  const { description, documentation, container, needs, environmentPath: environment } = component;
  const view = { description, documentation, container, docker, needs, environment, expose, clearRestartPolicy };
  return fill(TEMPLATE, { ...view, ...commandsOf(inputs) });
}

function fill(template: string, view: object): string {
  return mustache.render(template, view, undefined, { escape: escapeCommandLine });
}

/** systemd expands "%" and "$" in a command line unless doubled; a single quote or a newline would end the quoted shell. */
function escapeCommandLine(text: string): string {
  if (/['\\]|\p{Cc}/u.test(text)) {
    throw new UserError(
      `script: must not contain quotes, backslashes or control characters (found ${JSON.stringify(text)}). Remove them.`,
    );
  }
  return text.replace(/[%$]/g, "$&$&");
}

function observe(components: readonly Component[], host: Host): ObservedUnit[] {
  const names = ["ActiveState", "SubState", "Job", "NeedDaemonReload", "MainPID", "WantedBy", "RequiredBy"];
  const properties = unitProperties([...components.map(unitOf), "docker.service"], names, host);
  const ofDocker = properties.at(-1) ?? (() => "");
  const dockerStartsAtBoot = ["WantedBy", "RequiredBy"].some((name) => hasOtherUnits(ofDocker(name)));
  return components.map((component, index) =>
    observeUnit(component, properties[index] ?? (() => ""), dockerStartsAtBoot, host),
  );
}

/** Whether there are other units in a list than the components', which require Docker but are started with it. */
function hasOtherUnits(list: string): boolean {
  const own = Object.values(COMPONENTS).map(unitOf);
  return list.split(" ").some((unit) => unit !== "" && !own.includes(unit));
}

function observeUnit(
  component: Component,
  property: (name: string) => string,
  dockerStartsAtBoot: boolean,
  host: Host,
): ObservedUnit {
  const unit = unitOf(component);
  return {
    file: host.readFile(pathOf(component)),
    startedBy: starterOf(unit, host),
    needsReload: property("NeedDaemonReload") === "yes",
    state: stateOf(unit, property),
    pid: Number(property("MainPID")),
    dockerStartsAtBoot,
  };
}

function starterOf(unit: string, host: Host): StartedBy {
  const wantedBy = (target: string): boolean => host.readlink(`${UNITS}/${target}.wants/${unit}`) !== null;
  // Apollo's units were started with the system.
  if (wantedBy("multi-user.target")) return "something else";
  return wantedBy("docker.service") ? "Docker" : "nothing";
}

function stateOf(unit: string, property: (name: string) => string): ObservedUnit["state"] {
  const state = STATES[property("ActiveState")];
  if (state === undefined) {
    throw new UserError(
      `systemd: must report the state of ${unit} (found "${property("ActiveState")}"). See what systemctl show ${unit} prints.`,
    );
  }
  // auto-restart, or auto-restart-queued since systemd 254. systemd reports "activating" then.
  if (property("SubState").startsWith("auto-restart")) return "retrying";
  // A queued job: the unit waits for Docker's start, or its next try, and is started next.
  return (state === "stopped" || state === "failed") && Number(property("Job")) > 0 ? "starting" : state;
}

const STATES: Readonly<Record<string, ObservedUnit["state"]>> = {
  inactive: "stopped",
  active: "running",
  reloading: "running",
  // Since systemd 256.
  refreshing: "running",
  activating: "starting",
  deactivating: "stopping",
  maintenance: "running",
  failed: "failed",
};
