import type { ModuleDocs } from "../../build/docs";

export const docs: ModuleDocs = {
  short_description: "Run the Weave router as a service that goes with Docker",
  description: [
    "Makes a systemd unit that launches the Weave router after Docker has started and stops it before Docker stops, and " +
      "waits until the router answers.",
    "A change of the peers is told to the running router and restarts nothing.",
  ],
  examples: `- name: Run the router
  weave_service:
    peers:
      - 192.168.50.12
      - 192.168.50.13
    args: [--no-dns]

- name: Remove it
  weave_service:
    state: absent
`,
  returns: {
    state: { type: "str", description: "The state that was asked for.", sample: "started" },
    unit: { type: "str", description: "The router's unit.", sample: "weave.service" },
    peers: { type: "list", description: "The peers that the router is told of.", sample: ["192.168.50.12"] },
  },
};
