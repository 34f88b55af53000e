import type { ModuleDocs, Returns } from "../../build/docs";

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
    description: "Which of its ways the frames take; null as long as there is no connection.",
    returned: "always",
    sample: "sleeve",
  },
  info: {
    type: "str",
    description: "The router's words: with whom, or why not.",
    returned: "always",
    sample: "sleeve 0e:5f:33:00:00:02(apollo2)",
  },
};

const ROUTER: Returns = {
  version: { type: "str", description: "Its version.", returned: "always", sample: "2.8.1" },
  name: {
    type: "str",
    description: "Its name among the peers, a hardware address.",
    returned: "always",
    sample: "0e:5f:33:00:00:01",
  },
  nickname: { type: "str", description: "The host's name.", returned: "always", sample: "apollo1" },
  encryption: { type: "bool", description: "Whether it encrypts.", returned: "always", sample: false },
  targets: {
    type: "list",
    elements: "str",
    description: "What it was told to connect to.",
    returned: "always",
    sample: ["192.168.50.12"],
  },
  peers: {
    type: "list",
    elements: "str",
    description: "The names of all routers that it knows of, its own among them.",
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
    description: "What takes frames up from the bridge, C(sleeve) or C(fastdp).",
    returned: "always",
    sample: "sleeve",
  },
};

export const docs: ModuleDocs = {
  short_description: "Run the Weave router, proxy, plugin or Scope as a service that goes with Docker",
  description: [
    "Makes a systemd unit or an upstart job that launches the component after Docker has started and stops it before Docker " +
      "stops, and waits until it is ready.",
    "A change of the peers is told to the running router and restarts nothing. What it can't take live, such as another " +
      "password, range or image, restarts it; the result's C(disruptions) says so, in check mode too.",
    "A router that runs already, launched by hand or by another role, is taken over without a restart where its image, " +
      "password and arguments are the wanted ones.",
    "The verbs fit the installed script, of Weave 1.0 or any later version.",
  ],
  requirements: [
    "Docker",
    "the C(weave) script, or that of Scope, and its images or a registry that has them",
    "C(ethtool), where Docker is on Weave's bridge",
  ],
  not_idempotent: "With I(state=restarted) it restarts the component each time.",
  examples: `- name: Run the router on the bridge that weave_bridge made
  weave_service:
    peers:
      - 192.168.50.12
      - 192.168.50.13

- name: Run Weave's own bridge beside docker0, with the fast datapath and the proxy, and an address for the host
  weave_service:
    mode: proxy
    expose: true
    args: [--rewrite-inspect]
    peers: [192.168.50.12]

- name: Run the router of Weave 1.x beside docker0
  weave_service:
    mode: proxy
    expose: true
    peers: [192.168.50.12]

- name: Run the proxy of Weave 1.x, which is a container of its own that goes with the router
  weave_service:
    component: proxy
    args: [--rewrite-inspect, --without-dns]

- name: Remove the router
  weave_service:
    state: absent
`,
  returns: {
    state: { type: "str", description: "The state that was asked for.", returned: "success", sample: "started" },
    unit: {
      type: "str",
      description: "The component's systemd unit or upstart job.",
      returned: "success",
      sample: "weave.service",
    },
    script_version: {
      type: "str",
      description: "The version that is written into the script; null where none is.",
      returned: "success",
      sample: "2.8.1",
    },
    router: {
      type: "dict",
      description: "What the running router says of itself; null where none runs, as before a first run.",
      returned: "with I(component=router)",
      contains: ROUTER,
    },
  },
};
