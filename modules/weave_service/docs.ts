import type { ModuleDocs, Returns } from "../core/module";

/** LiveConnection and LiveRouter of router_api.ts. */
const CONNECTION: Returns = {
  address: { type: "str", description: "Address and port.", returned: "always", sample: "192.168.50.12:6783" },
  state: {
    type: "str",
    description: "C(established), C(pending), C(connecting), C(retrying), C(failed) and so on.",
    returned: "always",
    sample: "established",
  },
  datapath: {
    type: "str",
    description: "How frames are sent, such as C(sleeve) or C(fastdp); null until the connection is established.",
    returned: "always",
    sample: "sleeve",
  },
  info: {
    type: "str",
    description: "The router's own description: which peer, or why there is no connection.",
    returned: "always",
    sample: "sleeve 0e:5f:33:00:00:02(apollo2)",
  },
};

const ROUTER: Returns = {
  version: { type: "str", description: "Its version.", returned: "always", sample: "2.8.1" },
  name: {
    type: "str",
    description: "Its name among the peers, a MAC address.",
    returned: "always",
    sample: "0e:5f:33:00:00:01",
  },
  nickname: { type: "str", description: "The host's name.", returned: "always", sample: "apollo1" },
  encryption: { type: "bool", description: "Whether it encrypts.", returned: "always", sample: false },
  targets: {
    type: "list",
    elements: "str",
    description: "The peers that it was given to connect to.",
    returned: "always",
    sample: ["192.168.50.12"],
  },
  peers: {
    type: "list",
    elements: "str",
    description: "The names of all routers that it knows, including its own.",
    returned: "always",
    sample: ["0e:5f:33:00:00:01", "0e:5f:33:00:00:02"],
  },
  connections: {
    type: "list",
    elements: "dict",
    description: "Its connections to other routers.",
    returned: "always",
    contains: CONNECTION,
  },
  datapath: {
    type: "str",
    description: "How it takes frames from the bridge, C(sleeve) or C(fastdp).",
    returned: "always",
    sample: "sleeve",
  },
};

export const docs: ModuleDocs = {
  short_description: "Run the Weave router, proxy, plugin or Scope as a service that starts and stops with Docker",
  description: [
    "Creates a systemd unit or an upstart job that launches the component after Docker has started and stops it before " +
      "Docker stops, and waits until the component is ready.",
    "Peers are added to and removed from the running router without a restart. Changes that need a restart, such as " +
      "another password, range or image, are listed in the result's C(disruptions), in check mode too.",
    "A router that already runs, launched by hand or by another role, is adopted without a restart if its image, " +
      "password and arguments match.",
    "With I(state=absent) the router's rules in iptables, of whichever backend, its CNI files and its sockets are removed too.",
    "Works with the C(weave) script of version 1.0 and any later one: the verbs are chosen by the installed script's version.",
  ],
  requirements: [
    "Docker",
    "the C(weave) script, or that of Scope, and its images or a registry that has them",
    "C(ethtool), with C(mode=bridge)",
  ],
  not_idempotent: "With I(state=restarted) it restarts the component each time.",
  examples: `- name: Run the router on the bridge that weave_bridge has created
  weave_service:
    peers:
      - 192.168.50.12
      - 192.168.50.13

- name: Run the router on its own bridge, with the fast datapath, the proxy and an address for the host
  weave_service:
    mode: proxy
    expose: true
    args: [--rewrite-inspect]
    peers: [192.168.50.12]

- name: Run the router of Weave 1.x and keep docker0
  weave_service:
    mode: proxy
    expose: true
    peers: [192.168.50.12]

- name: Run the proxy of Weave 1.x, a separate container
  weave_service:
    component: proxy
    args: [--rewrite-inspect, --without-dns]

- name: Remove the router
  weave_service:
    state: absent
`,
  returns: {
    state: { type: "str", description: "The requested state.", returned: "success", sample: "started" },
    unit: {
      type: "str",
      description: "The component's systemd unit or upstart job.",
      returned: "success",
      sample: "weave.service",
    },
    script_version: {
      type: "str",
      description: "The version of the script; null for a build without a version.",
      returned: "success",
      sample: "2.8.1",
    },
    expose_pending: {
      type: "bool",
      description: "Whether this host's address on the network waits until more of the cluster's routers are up.",
      returned: "with I(component=router)",
      sample: false,
    },
    router: {
      type: "dict",
      description: "What the running router reports; null if none runs, as in check mode before the first run.",
      returned: "with I(component=router)",
      contains: ROUTER,
    },
  },
};
