import type { ModuleDocs } from "../core/module";

const CONFIGURED = "if I(state) is C(present) or C(absent)";

export const docs: ModuleDocs = {
  short_description: "Set the options that attach Docker's containers to a bridge",
  description: [
    "Sets dockerd's options where this host's dockerd reads them: in C(DOCKER_OPTS) of a file or in C(daemon.json). If " +
      "C(ExecStart=) of the unit sets an option to another value, a drop-in overrides it. Each option is set in one place only. " +
      "Options that are not given are not changed.",
    "Before anything is written, the module computes from the unit, its drop-ins and its environment files which arguments " +
      "systemd passes to dockerd, now and after the change. If anything but the requested options would differ, or the arguments " +
      "can't be computed (a script starts dockerd), it fails and names the file and line.",
    "C(DOCKER_OPTS) is written to a file of Docker's own in /etc only. Lines that others have written there stay; where they " +
      'refer to variables (C(DOCKER_OPTS="$DOCKER_OPTS ...")), which systemd does not expand, a drop-in passes their options.',
    "With another I(network) than C(bridge), dockerd's options don't name the bridge, and Docker's default network stays on docker0. " +
      "Docker needs no restart, and C(docker run --network) and Compose use the network by its name. The first address of " +
      "I(fixed_cidr) is reserved. A network that differs is replaced, and other Docker networks on the bridge are removed, unless " +
      "they have containers, running or not: then the module fails and names them.",
    "C(present) and C(absent) restart nothing. A restart is pending as long as the running daemon has other options, and counts as a change " +
      "until it is made: notify a handler with I(state=restarted). If Docker does not start again, the module restores " +
      "the configuration that it ran with, and fails with Docker's own error messages (docs/reliability.md).",
    "With C(live-restore), Docker keeps its default network while a container runs. A restart that changes the network " +
      "therefore stops these containers and starts them again. What Docker removes when it stops (C(docker run --rm)) is lost, " +
      "and named in the result's C(disruptions).",
  ],
  requirements: ["Docker"],
  not_idempotent: "With I(state=restarted) it restarts Docker each time.",
  examples: `- name: Attach Docker's containers to the bridge weave
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

- name: Do the same with Apollo's variable
  docker_bridge_opts:
    opts: --bridge=weave --fixed-cidr=10.2.1.0/24 --dns 172.17.42.1 --dns 8.8.8.8 --dns-search service.consul
  notify: restart docker

- name: Set keys of daemon.json
  docker_bridge_opts:
    location: daemon_json
    opts:
      bridge: weave
      fixed-cidr: 10.2.1.0/24
      dns: [172.17.42.1, 8.8.8.8]
  notify: restart docker

- name: Create a Docker network on the bridge, and leave Docker's default network as it is
  docker_bridge_opts:
    network: weave
    bridge: weave
    fixed_cidr: 10.2.1.0/24
    mtu: 1450

- name: Attach containers to docker0 again
  docker_bridge_opts:
    state: absent
  notify: restart docker
`,
  returns: {
    network: {
      type: "str",
      description: "The Docker network whose containers are on the bridge.",
      returned: "if I(state) is C(present)",
      sample: "bridge",
    },
    path: {
      type: "str",
      description: "The file that new options are written to.",
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
      description: "Whether Docker must be restarted or started to run with the options.",
      returned: CONFIGURED,
      sample: true,
    },
    docker_running: {
      type: "bool",
      description: "Whether Docker was running before the module changed anything.",
      returned: CONFIGURED,
      sample: true,
    },
  },
};
