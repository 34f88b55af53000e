import { UserError } from "../core/errors";
import type { ServiceOptions } from "./options";
import type { Generation } from "./weave_script";

/** What a component is called on a host: Apollo's names. */
export interface Component {
  readonly description: string;
  readonly documentation: string;
  /** Of its container, and of its upstart job. */
  readonly container: string;
  /** Of its container's image, whoever publishes it. */
  readonly image: string;
  /** Of its systemd unit, without ".service". */
  readonly unit: string;
  /** Where its script is, unless told. */
  readonly script: string;
  /** Its environment file. */
  readonly environmentPath: string;
  /** The unit that it needs beside Docker's. */
  readonly needs: string | null;
}

const WEAVE = { documentation: "https://github.com/rajch/weave", script: "/usr/local/bin/weave" };

export const COMPONENTS: Readonly<Record<ServiceOptions["component"], Component>> = {
  router: {
    ...WEAVE,
    description: "Weave router",
    container: "weave",
    image: "weave",
    unit: "weave",
    environmentPath: "/etc/weave.env",
    needs: null,
  },
  proxy: {
    ...WEAVE,
    description: "Weave proxy of the Docker API",
    container: "weaveproxy",
    image: "weaveexec",
    unit: "weaveproxy",
    environmentPath: "/etc/weaveproxy.env",
    needs: "weave",
  },
  plugin: {
    ...WEAVE,
    description: "Weave plugin of Docker networks",
    container: "weaveplugin",
    image: "plugin",
    unit: "weaveplugin",
    environmentPath: "/etc/weaveplugin.env",
    needs: "weave",
  },
  scope: {
    description: "Weave Scope",
    documentation: "https://github.com/weaveworks/scope",
    script: "/usr/local/bin/scope",
    container: "weavescope",
    image: "scope",
    unit: "scope",
    environmentPath: "/etc/weavescope.env",
    needs: null,
  },
};

/** The verbs of a component's script. */
export interface Verbs {
  readonly launch: string;
  readonly stop: string;
}

const ALL: Verbs = { launch: "launch", stop: "stop" };
const ROUTER: Verbs = { launch: "launch-router", stop: "stop-router" };
const PROXY: Verbs = { launch: "launch-proxy", stop: "stop-proxy" };
const PLUGIN: Verbs = { launch: "launch-plugin", stop: "stop-plugin" };

const VERBS: Readonly<Record<ServiceOptions["component"], Readonly<Record<Generation, Verbs | null>>>> = {
  router: { first: ALL, second: ROUTER, third: ALL },
  proxy: { first: PROXY, second: PROXY, third: null },
  plugin: { first: null, second: PLUGIN, third: null },
  scope: { first: ALL, second: ALL, third: ALL },
};

/** The verbs that run a component with a script of that generation. Throws a UserError where the script has none. */
export function verbsOf(component: ServiceOptions["component"], generation: Generation): Verbs {
  const verbs = VERBS[component][generation];
  if (verbs !== null) return verbs;
  throw new UserError(
    generation === "third"
      ? `component: since Weave 2.0 the ${component} runs within the router; run component: router with mode: ${component}, ` +
          `and this one with state: absent`
      : `component: the weave script here is older than the ${component}; use 1.4 or newer`,
  );
}
