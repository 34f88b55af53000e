import { UserError } from "../../core/errors";
import type { Host } from "../../core/host/host";
import type { InitName, InitSystem } from "./init_system";
import { SYSTEMD } from "./systemd";
import { UPSTART } from "./upstart/upstart";

export const INIT_SYSTEMS: Readonly<Record<InitName, InitSystem>> = { systemd: SYSTEMD, upstart: UPSTART };

/** The init system that this host runs. Throws a UserError if it is neither systemd nor upstart. */
export function detectInit(host: Host): InitName {
  const first = host.readText("/proc/1/comm") ?? "";
  if (first === "systemd") return "systemd";
  // sysvinit's first process is called "init" too, but only upstart has jobs in /etc/init.
  if (first === "init" && host.readdir("/etc/init").includes("rc-sysinit.conf")) return "upstart";
  throw new UserError(
    `weave_service: this host's init system must be systemd or upstart (found "${first}" as its first process). Use a host with either.`,
  );
}
