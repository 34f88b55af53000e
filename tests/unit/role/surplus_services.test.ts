import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { playWithoutHosts } from "../support/playbook";
import { inTemporaryDirectoryUntilDone } from "../support/temporary_directory";

/** Which services the role removes from a host, as its variables say no more that they run. No host is reached. */
const test = suite("the services that are switched off");

interface Case {
  /** What the host has besides the router. */
  readonly has: string;
  /** The version of its weave script; "" if that does not name one. */
  readonly script?: string;
  readonly vars: Readonly<Record<string, unknown>>;
  readonly removes: readonly string[];
}

const cases = (file: string): Readonly<Record<string, Case>> => ({
  "a host without any": { has: "", vars: { weave_mode: "proxy" }, removes: [] },
  "the proxy of Weave 1.x": { has: "proxy", script: "1.9.8", vars: { weave_mode: "proxy" }, removes: [] },
  "the plugin of Weave 1.x": { has: "plugin", script: "1.4.6", vars: { weave_mode: "plugin" }, removes: [] },
  "the proxy, with a script of 2.0": {
    has: "proxy",
    script: "2.0.0",
    vars: { weave_mode: "proxy" },
    removes: ["proxy"],
  },
  "the proxy, with a script that does not name its version": {
    has: "proxy",
    script: "",
    vars: { weave_mode: "proxy" },
    removes: ["proxy"],
  },
  "the proxy before an upgrade by URL": {
    has: "proxy",
    vars: { weave_mode: "proxy", weave_sha256: "0".repeat(64), weave_version: "2.8.1" },
    removes: ["proxy"],
  },
  "the proxy before an upgrade within 1.x by URL": {
    has: "proxy",
    vars: { weave_mode: "proxy", weave_sha256: "0".repeat(64), weave_version: "1.9.8" },
    removes: [],
  },
  // weave_version is not used then.
  "the proxy before an upgrade by a file": {
    has: "proxy",
    vars: { weave_mode: "proxy", weave_script_file: file, weave_version: "1.9.8" },
    removes: ["proxy"],
  },
  "the proxy in another mode": { has: "proxy", script: "1.9.8", vars: { weave_mode: "bridge" }, removes: ["proxy"] },
  "the proxy beside the plugin": {
    has: "proxy plugin",
    script: "1.9.8",
    vars: { weave_mode: "plugin" },
    removes: ["proxy"],
  },
  "all, with the VXLAN, before the router that they require": {
    has: "scope proxy plugin",
    vars: { weave_datapath: "vxlan", weave_mode: "proxy" },
    removes: ["scope", "proxy", "plugin", "router"],
  },
  "Scope, with the VXLAN": {
    has: "scope",
    vars: { weave_datapath: "vxlan", weave_scope_enabled: true },
    removes: ["router"],
  },
  "Scope, enabled": { has: "scope", vars: { scope_enabled: true }, removes: [] },
  "Scope, no longer enabled": { has: "scope", vars: { weave_scope_enabled: "false" }, removes: ["scope"] },
});

test("each is removed where nothing needs it, and only there", async () => {
  await inTemporaryDirectoryUntilDone(async (directory) => {
    const file = join(directory, "weave");
    writeFileSync(file, '#!/bin/sh\nSCRIPT_VERSION="v2.8.1"\n');
    const all = Object.entries(cases(file));
    const hosts = all.map(([, { has, script = "", vars }], index) => {
      const told = { host_index: 1, keeps_host_index: true, address: "", router: true };
      const stdout = JSON.stringify({ ...told, services: has, script_version: script });
      return [`case${index}`, { ...vars, __weave_probe: { stdout } }];
    });
    const inventory = JSON.stringify({ weave_servers: { hosts: Object.fromEntries(hosts) } });
    const run = await playWithoutHosts("tests/e2e/plays/surplus_services.yml", inventory);
    assert.is(run.status, 0, run.output);
    const removed = new Map(run.results.map(({ host, result }) => [host, result.msg as unknown]));
    for (const [index, [name, { removes }]] of all.entries()) assert.equal(removed.get(`case${index}`), removes, name);
  });
});

test.run();
