import mustache from "mustache";
import { Refusal } from "../core/refusal";

export const UNIT = "weave.service";
export const UNIT_PATH = `/etc/systemd/system/${UNIT}`;
export const ENVIRONMENT_PATH = "/etc/weave.env";
/** The link that starts the unit along with Docker. */
export const WANTS_PATH = `/etc/systemd/system/docker.service.wants/${UNIT}`;

const TEMPLATE = `# Written by Ansible's weave_service, which replaces what is changed here by hand.
[Unit]
Description=Weave router
Documentation=https://github.com/rajch/weave
Requires=docker.service
After=docker.service network-online.target
Wants=network-online.target

[Service]
EnvironmentFile={{environment}}
# A container that Docker itself has started again, or that a crash has left, is in the way of a launch.
ExecStartPre=-{{script}} stop
ExecStartPre={{script}} launch $WEAVE_ARGS $WEAVE_PEERS
ExecStart=/usr/bin/docker attach --no-stdin weave
ExecStop={{script}} stop
# The first launch pulls the images, however long that takes.
TimeoutStartSec=infinity
Restart=on-failure
RestartSec=5

[Install]
WantedBy=docker.service
`;

/** Renders the router's unit: started after Docker and along with it, stopped before it. */
export function renderUnit(script: string): string {
  return mustache.render(TEMPLATE, { script, environment: ENVIRONMENT_PATH }, undefined, { escape: word });
}

/** A word of a unit's command line: "%" is doubled, as systemd expands it, and nothing else in it may be special. */
function word(text: string): string {
  if (!/^[\w./+@:%-]+$/.test(text)) throw new Refusal(`${JSON.stringify(text)} can't stand in a unit's command line`);
  return text.replace(/%/g, "%%");
}
