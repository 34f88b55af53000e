import type { ServiceOptions } from "./options";

/** A component's names on a host, the same as in Apollo's role. */
export interface Component {
  readonly description: string;
  readonly documentation: string;
  /** The name of its container and of its upstart job. */
  readonly container: string;
  /** The last part of its image's name, whoever publishes it. */
  readonly image: string;
  /** The name of its systemd unit, without ".service". */
  readonly unit: string;
  /** The default path of its script. */
  readonly script: string;
  /** The path of its environment file. */
  readonly environmentPath: string;
  /** The unit that it requires besides Docker's, or null. */
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

/** What gives the host its own address on the network once the router has met enough peers. It has a unit but no container. */
export const EXPOSE: Component = {
  ...COMPONENTS.router,
  description: "Address of this host on the Weave network",
  container: "weave-expose",
  unit: "weave-expose",
  needs: "weave",
};
