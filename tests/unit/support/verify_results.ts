import { callPlugin } from "./python";

/** Made-up results of tasks/verify.yml, host by host, and what the role's filters make of them. */
export interface Source {
  readonly host: string;
  readonly container: string | null;
  readonly ms: Readonly<Record<string, number | null>>;
  readonly error: string;
  readonly untested?: readonly string[];
}

export interface Findings {
  readonly hosts: readonly Readonly<Record<string, unknown>>[];
  readonly targets: readonly Readonly<Record<string, unknown>>[];
  readonly sources: readonly Source[];
}

export const tableOf = (found: Findings): string =>
  callPlugin<string[]>("weave_printed_table", "render_printed_table", [found, "weave_servers"]).join("\n");
export const problemsOf = (
  found: Findings,
  usesBridge = true,
  excused: readonly string[] = [],
  network = "bridge",
  encrypted = false,
): string[] => callPlugin("weave_problems", "list_problems", [found, usesBridge, excused, network, encrypted]);

export const router = { kind: "router", port: 6783, state: "up" };
export const vxlan = { kind: "vxlan", port: 4789, state: "up" };
export const none = { kind: "none", port: null, state: "missing" };

/** What a host of this number reports. */
export const has = (number: number, more: object = {}) => ({
  bridge: { state: "up", address: `10.2.0.${number}` },
  datapath: vxlan,
  docker: "running",
  containers: [],
  containers_total: 0,
  off_network: [],
  ...more,
});

export const host = (number: number, more: object = {}) => ({
  name: `h${number}`,
  underlay: `192.0.2.${number}`,
  error: "",
  ...has(number, more),
});

export const target = (number: number, address = `10.2.0.${number}`, container: string | null = null) => ({
  host: `h${number}`,
  container,
  address,
});

export const source = (number: number, ms: Source["ms"], more: Partial<Source> = {}): Source => ({
  host: `h${number}`,
  container: null,
  ms,
  error: "",
  ...more,
});

export const container = (name: string, address: string) => ({ name, address, pid: 7 });

export const apart: Findings = {
  hosts: [
    // The inventory may have another address for Ansible than the tunnel uses.
    host(1, { datapath: { ...router, local: "198.51.100.1" } }),
    host(2, { datapath: router, containers_total: 9, containers: [container("w", "10.2.2.1")] }),
    host(3, { datapath: vxlan }),
    host(4, { datapath: none }),
  ],
  targets: [target(1), target(2), target(3), target(4)],
  sources: [
    source(1, { "10.2.0.2": null, "10.2.0.3": null, "10.2.0.4": null }),
    source(2, {}, { error: "ping: command not found" }),
    source(1, { "10.2.0.2": 123.456, "10.2.0.3": 0.123, "10.2.0.4": 1 }, { container: "web" }),
  ],
};
