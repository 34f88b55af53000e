import type { Try } from "../../../modules/core/change";
import type { ObservedDocker } from "../../../modules/docker_bridge_opts/observed";
import { plan } from "../../../modules/docker_bridge_opts/plan";
import { asked, runningWith, STEADY, USUAL_LINE } from "./fixtures";

/** What tests of a restart have in common: the options, the daemon that runs before, and the steps in words. */
export const RESTART = asked({ state: "restarted" });
export const DAEMON = runningWith(USUAL_LINE);
/** A host with its usual options and another daemon. */
export const with_ = (daemon: Partial<NonNullable<ObservedDocker["daemon"]>>, more: Partial<ObservedDocker> = {}) => ({
  ...STEADY,
  daemon: { ...DAEMON, ...daemon },
  ...more,
});
const RESET = "systemctl reset-failed docker.s*";
export const START = `${RESET}, systemctl daemon-reload, systemctl restart docker.service, await /_ping for 60 s`;
const KILL = "systemctl kill --signal=KILL --kill-who=main docker.service";
export const BACK = `${RESET}, ${KILL}, systemctl restart docker.service, await /_ping for 60 s`;
export const SAVE = "write /var/lib/apollo-weave/docker-previous.json 0600";
export const FORGET = "remove /var/lib/apollo-weave/docker-previous.json";
export const DROP_IN = "/etc/systemd/system/docker.service.d/zz-weave.conf";
export const AS_IT_RAN = `write ${DROP_IN} 0600, systemctl daemon-reload, ${BACK}, ${FORGET}`;

/** The parts of a restart that have a rollback. */
export const tries = (observed: ObservedDocker): Try[] =>
  plan(RESTART, observed).changes.flatMap(({ actions }) =>
    actions.flatMap((action) => (action.do === "try" ? [action] : [])),
  );

/** Running containers, Weave's own among them. */
export const containers = (count: number) => [
  { id: "router", name: "weave", belongsToWeave: true },
  ...Array.from({ length: count }, (_, index) => ({ id: `c${index}`, name: `web${index}`, belongsToWeave: false })),
];
