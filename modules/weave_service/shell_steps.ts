import { UserError } from "../core/errors";
import type { Component } from "./components";
import type { Job } from "./init_system";

/** Lines of shell that both kinds of units have. They run with the environment file's variables. */

/** A unit that finds this file keeps the container that runs, instead of launching another. */
export function adoptPath({ container }: Component): string {
  return `/run/${container}.adopt`;
}

/** Takes a word of a command line and returns it. Throws a UserError where a shell or an init system would read more in it. */
export function word(text: string): string {
  if (!/^[\w./+@:%-]+$/.test(text)) throw new UserError(`${JSON.stringify(text)} can't stand in a unit's command line`);
  return text;
}

/**
 * Launches, unless a container that runs is to be kept. What a crash has left is in the way of a launch, so it goes first.
 * What a container that died at once has to say is put into the unit's log.
 */
export function launchOrAdopt({ component, script: path, launch, stop }: Job): string {
  const script = word(path);
  return (
    `rm ${adoptPath(component)} 2>/dev/null || { ${script} ${stop} || true; ` +
    `${script} ${launch} $WEAVE_ARGS $WEAVE_PEERS || { docker logs --tail 20 ${component.container}; false; }; }`
  );
}

/** Has the checksums of what leaves by the router's ports on a bridge finished before it leaves. */
export function finishChecksums(bridge: string): string {
  return (
    `for port in /sys/class/net/${bridge}/brif/${ROUTER_PORTS}*; do ` +
    `[ ! -e "$port" ] || ethtool -K "\${port##*/}" tx off; done`
  );
}

/** How the names of a router's ports on the bridge begin: vethwe-bridge, and up to Weave 1.1 vethwepl and a number. */
export const ROUTER_PORTS = "vethwe";
