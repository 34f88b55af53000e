import type { ModuleDocs } from "../../build/docs";

export const docs: ModuleDocs = {
  short_description: "Run the Weave router, proxy, plugin or Scope as a service that goes with Docker",
  description: [
    "Makes a systemd unit or an upstart job that launches the component after Docker has started and stops it before Docker " +
      "stops, and waits until it is ready.",
    "A change of the peers is told to the running router and restarts nothing. What it can't take live, such as another " +
      "password, range or image, restarts it; the result's C(disrupts) says so, in check mode too.",
    "A router that runs already, launched by hand or by another role, is taken over without a restart where its image, " +
      "password and arguments are the wanted ones.",
    "The verbs fit the installed script, of Weave 1.0 or any later version.",
  ],
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

- name: The proxy of Weave 1.x, which is a container of its own
  weave_service:
    component: proxy
    args: [--rewrite-inspect, --without-dns]

- name: Remove the router
  weave_service:
    state: absent
`,
  returns: {
    state: { type: "str", description: "The state that was asked for.", sample: "started" },
    unit: { type: "str", description: "The component's systemd unit or upstart job.", sample: "weave.service" },
    peers: { type: "list", description: "The peers that it is told of.", sample: ["192.168.50.12"] },
    script_version: {
      type: "str",
      description: "The version that is written into the script; null where none is.",
      sample: "2.8.1",
    },
    router: {
      type: "dict",
      description:
        "What the running router says of itself: C(version), C(name), C(nickname), C(encryption), C(targets), C(peers), " +
        "C(connections) and C(datapath) (C(sleeve) or C(fastdp)). Null where none runs, as before a first run. " +
        "With the component C(router) only.",
      sample: {
        version: "2.8.1",
        name: "0e:5f:33:00:00:01",
        nickname: "apollo1",
        encryption: false,
        targets: ["192.168.50.12"],
        peers: ["0e:5f:33:00:00:01", "0e:5f:33:00:00:02"],
        connections: [
          {
            address: "192.168.50.12:6783",
            state: "established",
            datapath: "sleeve",
            info: "sleeve 0e:5f:33:00:00:02(apollo2)",
          },
        ],
        datapath: "sleeve",
      },
    },
  },
};
