import { UserError } from "../../core/errors";
import { forwardRule } from "../../net/forward_rule";
import type { Component } from "../components";
import type { UnitInputs } from "./init_system";

/** Shell commands that systemd units and upstart jobs share. They run with the environment file's variables. */

/** If this file is present when the unit starts, the unit adopts the running container and launches no other. */
export function adoptPath({ container }: Component): string {
  return `/run/${container}.adopt`;
}

/** The commands of a job, by their names in the templates; null for one that it does not have. All but `stop` need a shell. */
export function commandsOf(
  inputs: UnitInputs,
): Readonly<Record<"launch" | "stop" | "checksums" | "insertForwardRule", string | null>> {
  return {
    launch: launchOrAdopt(inputs),
    stop: stopCommand(inputs),
    checksums: inputs.bridge === null ? null : disableChecksumOffload(inputs.bridge),
    insertForwardRule: inputs.hasForwardRule ? FORWARD_RULE.insertRuleInShell(ROUTERS_BRIDGE) : null,
  };
}

/**
 * Shell that launches the component, or adopts its running container if the file at adoptPath() exists. A container left by a crash
 * would make the launch fail, so it is stopped first. If the new container dies at once, its log goes to the unit's log.
 * Throws a UserError for a script whose path a shell or an init system would not read as one word.
 */
function launchOrAdopt(inputs: UnitInputs): string {
  const { component, script: path, launch } = inputs;
  const script = singleWord(path);
  return (
    `rm ${adoptPath(component)} 2>/dev/null || { ${stopCommand(inputs)} || true; ` +
    `${script} ${launch} $WEAVE_ARGS $WEAVE_PEERS || { docker logs --tail 20 ${component.container}; false; }; }`
  );
}

/** Unlike `docker stop`, the script's verb does not fail if the container does not exist. */
function stopCommand({ component, docker, script, stop }: UnitInputs): string {
  return stop === null ? `${docker} stop ${component.container}` : `${script} ${stop}`;
}

/** Shell that asks the router for the host's address until it has it: without enough peers, `weave expose` waits, or fails. */
export function exposeInShell(script: string): string {
  return `until ${singleWord(script)} expose; do sleep 5; done`;
}

/** The bridge that the router creates if it does not use the one of weave_bridge, unless WEAVE_BRIDGE names another. */
export const ROUTERS_BRIDGE = "weave";

/** The forward rule of the router's own bridge. */
export const FORWARD_RULE = forwardRule("weave_service");

function singleWord(text: string): string {
  if (!/^[\w./+@:%-]+$/.test(text)) {
    throw new UserError(
      `script: must be one word of a unit's command line (found ${JSON.stringify(text)}). Use letters, digits and "_.+@:%/-".`,
    );
  }
  return text;
}

/** Shell that turns TX checksum offload off on the router's ports of a bridge. */
function disableChecksumOffload(bridge: string): string {
  return (
    `for port in /sys/class/net/${bridge}/brif/${ROUTER_DEVICE_PREFIX}*; do ` +
    `[ ! -e "$port" ] || ethtool -K "\${port##*/}" tx off; done`
  );
}

/** Prefix of the names of the router's devices on the bridge: vethwe-bridge, or up to Weave 1.1 vethwepl and a number. */
export const ROUTER_DEVICE_PREFIX = "vethwe";
