import type { Action } from "../core/change";
import { UserError } from "../core/errors";
import type { FileState, Host } from "../core/host/host";
import type { Component } from "./components";
import { SYSTEMD } from "./systemd";
import { UPSTART } from "./upstart";

/** What makes a service of a component. */
export interface InitSystem {
  /** The service's name, for messages and results. */
  readonly nameOf: (component: Component) => string;
  readonly pathOf: (component: Component) => string;
  readonly render: (job: Job) => string;
  readonly observe: (component: Component, host: Host) => ObservedUnit;
  /** Steps that make it read its files again. */
  readonly reload: readonly Action[];
  /** Steps that have the component started with Docker, or no more. */
  readonly enable: (component: Component, enabled: boolean, before: StartsWith) => readonly Action[];
  /** Commands that start it, or join its start, where it does not run and is in this state. */
  readonly start: (component: Component, state: ObservedUnit["state"]) => readonly (readonly string[])[];
  readonly restart: (component: Component) => readonly (readonly string[])[];
  readonly stop: (component: Component) => readonly string[];
  /** Shows the last lines that it logged. */
  readonly log: (component: Component) => readonly string[];
}

/** All that a unit's text is made of. */
export interface Job {
  readonly component: Component;
  readonly script: string;
  readonly launch: string;
  readonly stop: string;
  /** Whether the host gets an address on the network after the launch. */
  readonly expose: boolean;
  /** The bridge of Docker's containers, on whose router's ports the checksums must be finished; null where there is none. */
  readonly bridge: string | null;
  /** Whether the script gives its container a restart policy that can't be told off. */
  readonly clearRestartPolicy: boolean;
}

export type StartsWith = "Docker" | "something else" | "nothing";

/** A unit as its init system has it. */
export interface ObservedUnit {
  readonly file: FileState | null;
  /** What it is started along with: Docker, something else, such as the system, or nothing. */
  readonly startsWith: StartsWith;
  /** Whether the init system holds another text than the file's. */
  readonly needsReload: boolean;
  readonly state: "running" | "starting" | "stopping" | "stopped" | "failed";
  /** Its main process, 0 where there is none. */
  readonly pid: number;
}

export const INIT_SYSTEMS = { systemd: SYSTEMD, upstart: UPSTART } as const;

export type InitName = keyof typeof INIT_SYSTEMS;

/** Which init system this host runs: what its first process is. */
export function detectInit(host: Host): InitName {
  const first = host.readText("/proc/1/comm") ?? "";
  if (first === "systemd") return "systemd";
  // sysvinit's first process has the same name; upstart's jobs are what it does not have.
  if (first === "init" && host.readdir("/etc/init").includes("rc-sysinit.conf")) return "upstart";
  throw new UserError(`this host's init system is neither systemd nor upstart (its first process is "${first}")`);
}
