import type { ModuleDocs } from "../../build/docs";

const CONFIGURED = "with the states C(present) and C(absent)";

export const docs: ModuleDocs = {
  short_description: "Set the options that put Docker's containers on a bridge",
  description: [
    "Sets dockerd's options where this host's dockerd reads them, which its unit or init script tells: C(DOCKER_OPTS) in a " +
      "file, C(daemon.json), or past what the unit itself sets, by a drop-in. Each is in one place alone. Options that are " +
      "not given stay as they are.",
    "Restarts nothing by itself. Whether a restart is owed is judged from the daemon that runs, and counts as a change " +
      "until it is made: notify a handler with I(state=restarted). Where Docker does not come back from that, the " +
      "configuration from before is put back, Docker is started with it, and the task fails with Docker's own words.",
    "Under C(live-restore) Docker keeps its default network for as long as a container runs. A restart for another " +
      "network stops these containers and starts them again.",
  ],
  requirements: ["Docker"],
  not_idempotent: "With I(state=restarted) it restarts Docker each time.",
  examples: `- name: Put Docker's containers on the bridge weave
  docker_bridge_opts:
    bridge: weave
    fixed_cidr: 10.2.1.0/24
    mtu: 1450
    dns: [172.17.42.1, 8.8.8.8]
    dns_search: [service.consul]
  notify: restart docker

# The handler
- name: restart docker
  docker_bridge_opts:
    state: restarted

- name: The same from Apollo's variable
  docker_bridge_opts:
    opts: --bridge=weave --fixed-cidr=10.2.1.0/24 --dns 172.17.42.1 --dns 8.8.8.8 --dns-search service.consul
  notify: restart docker

- name: As keys of daemon.json, where Docker is to have them
  docker_bridge_opts:
    place: daemon_json
    opts:
      bridge: weave
      fixed-cidr: 10.2.1.0/24
      dns: [172.17.42.1, 8.8.8.8]
  notify: restart docker

- name: Return to docker0
  docker_bridge_opts:
    state: absent
  notify: restart docker
`,
  returns: {
    path: {
      type: "str",
      description: "The file that new options go to.",
      returned: CONFIGURED,
      sample: "/etc/default/docker",
    },
    docker_opts: {
      type: "str",
      description: "All of dockerd's options in C(DOCKER_OPTS).",
      returned: CONFIGURED,
      sample: "--bridge=weave --fixed-cidr=10.2.1.0/24",
    },
    restart_required: {
      type: "bool",
      description: "Whether the daemon that runs has other options, or none runs.",
      returned: CONFIGURED,
      sample: true,
    },
  },
};
