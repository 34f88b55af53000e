import type { Action } from "../../core/change";
import type { FileState, Host } from "../../core/host/host";
import type { Component } from "../components";

export type InitName = "systemd" | "upstart";

/** How an init system runs a component: the files it reads and the commands that control it. */
export interface InitSystem {
  /** The name of the unit or job. */
  readonly nameOf: (component: Component) => string;
  readonly pathOf: (component: Component) => string;
  readonly render: (inputs: UnitInputs) => string;
  /** The unit or job EXPOSE. It is started along with the router but is not part of its start, as it may wait for other hosts. */
  readonly renderExpose: (script: string) => string;
  /** Observes one component or several, in their order. */
  readonly observe: (components: readonly Component[], host: Host) => readonly ObservedUnit[];
  /** Makes the init system read its files again. */
  readonly reload: readonly Action[];
  /** Makes the component start with Docker, or no longer. */
  readonly enable: (component: Component, enabled: boolean, before: StartedBy) => readonly Action[];
  /** Commands that start a component in this state, or wait for a start in progress. */
  readonly start: (component: Component, state: ObservedUnit["state"]) => readonly (readonly string[])[];
  readonly restart: (component: Component) => readonly (readonly string[])[];
  readonly stop: (component: Component) => readonly string[];
  /** Prints the last lines of the component's log. */
  readonly log: (component: Component) => readonly string[];
}

/** Everything that a unit's text depends on. */
export interface UnitInputs {
  readonly component: Component;
  /** The path of Docker's client. */
  readonly docker: string;
  readonly script: string;
  readonly launch: string;
  /** The script's verb; null where Docker stops the container without the script. */
  readonly stop: string | null;
  /** Whether the unit EXPOSE is started along with it. */
  readonly expose: boolean;
  /** Whether the host's iptables is to have the forward rule of the router's own bridge. */
  readonly hasForwardRule: boolean;
  /** The bridge on whose router ports TX checksum offload must be off; null if there is no such bridge. */
  readonly bridge: string | null;
  /** Whether the script gives its container a restart policy and has no option to prevent that. */
  readonly clearRestartPolicy: boolean;
}

/** What starts a unit; "something else" is the boot of the system, for example. */
export type StartedBy = "Docker" | "something else" | "nothing";

/** A unit as its init system reports it. */
export interface ObservedUnit {
  readonly file: FileState | null;
  readonly startedBy: StartedBy;
  /** Whether the file has changed since the init system read it. */
  readonly needsReload: boolean;
  readonly state:
    | "running"
    | "starting"
    | "stopping"
    | "stopped"
    | "failed"
    /** A start has failed, and the init system will make another one by itself. */
    | "retrying";
  /** The main process, 0 if there is none. */
  readonly pid: number;
  /** Whether anything but these components starts Docker, with which the unit starts, at boot. */
  readonly dockerStartsAtBoot: boolean;
}

/** A unit that does not exist. */
export const NO_UNIT: ObservedUnit = {
  file: null,
  startedBy: "nothing",
  needsReload: false,
  state: "stopped",
  pid: 0,
  dockerStartsAtBoot: true,
};
