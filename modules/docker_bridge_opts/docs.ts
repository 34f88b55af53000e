import type { ModuleDocs } from "../../build/docs";

export const docs: ModuleDocs = {
  short_description: "Set the options that put Docker's containers on a bridge",
  description: [
    "Sets dockerd's options where this host's dockerd reads them, which systemd tells: C(DOCKER_OPTS) in the environment " +
      "file of Docker's unit. Options that are not given stay as they are.",
    "Never restarts Docker. Whether a restart is owed is judged from the daemon that runs, and counts as a change until it " +
      "is done: notify a handler.",
  ],
  examples: `- name: Put Docker's containers on the bridge weave
  docker_bridge_opts:
    bridge: weave
    fixed_cidr: 10.2.1.0/24
    mtu: 1450
    dns: [172.17.42.1, 8.8.8.8]
    dns_search: [service.consul]
  notify: restart docker

- name: The same from Apollo's variable
  docker_bridge_opts:
    opts: --bridge=weave --fixed-cidr=10.2.1.0/24 --dns 172.17.42.1 --dns 8.8.8.8 --dns-search service.consul
  notify: restart docker
`,
  returns: {
    path: { type: "str", description: "The file that the options are in.", sample: "/etc/default/docker" },
    docker_opts: {
      type: "str",
      description: "All of dockerd's options in that file.",
      sample: "--bridge=weave --fixed-cidr=10.2.1.0/24",
    },
    restart_required: {
      type: "bool",
      description: "Whether the daemon that runs has other options, or none runs.",
      sample: true,
    },
  },
};
