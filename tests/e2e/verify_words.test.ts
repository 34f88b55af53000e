/** What verify.yml says of findings that are made up here, since test hosts can't have all of them. No host is booted. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ansiblePlaybook, ROOT } from "./playbook";

const router = { kind: "router", port: 6783, state: "up" };
const vxlan = { kind: "vxlan", port: 4789, state: "up" };
const none = { kind: "none", port: null, state: "missing" };

interface Finding {
  hosts: object[];
  targets: object[];
  sources: object[];
}

function host(number: number, more: object): object {
  return {
    name: `h${number}`,
    underlay: `192.0.2.${number}`,
    error: "",
    bridge: { state: "up", address: `10.2.0.${number}` },
    docker: "running",
    containers: [],
    containers_total: 0,
    stray: [],
    ...more,
  };
}

const target = (number: number, address = `10.2.0.${number}`): object => ({
  host: `h${number}`,
  container: null,
  address,
});

const source = (number: number, ms: Record<string, number | null>, more: object = {}): object => ({
  host: `h${number}`,
  container: null,
  ms,
  error: "",
  ...more,
});

const findings = {
  apart: {
    hosts: [
      host(1, { datapath: router }),
      host(2, { datapath: router, containers_total: 9, containers: [{ name: "w", address: "10.2.2.1", pid: 1 }] }),
      host(3, { datapath: vxlan }),
      host(4, { datapath: none }),
    ],
    targets: [target(1), target(2), target(3), target(4)],
    sources: [
      source(1, { "10.2.0.2": null, "10.2.0.3": null, "10.2.0.4": null }),
      source(2, {}, { error: "there is no ping" }),
      source(1, { "10.2.0.2": 123.456, "10.2.0.3": 0.123, "10.2.0.4": 1 }, { container: "web" }),
    ],
  },
  alone: { hosts: [host(1, { datapath: vxlan })], targets: [target(1)], sources: [] },
  same: {
    hosts: [host(1, { datapath: vxlan }), host(2, { datapath: vxlan })],
    targets: [target(1), target(2, "10.2.0.1")],
    sources: [source(1, { "10.2.0.1": 0.1 })],
  },
  many: {
    hosts: [host(1, { datapath: vxlan }), host(2, { datapath: vxlan })],
    targets: Array.from({ length: 30 }, (_, index) => target(1 + (index % 2), `10.2.9.${index}`)),
    sources: [
      source(1, Object.fromEntries(Array.from({ length: 15 }, (_, index) => [`10.2.9.${2 * index + 1}`, 0.2]))),
    ],
  },
} satisfies Record<string, Finding>;

let folder: string;
let said: Map<string, string>;

test.before(async () => {
  folder = mkdtempSync(join(tmpdir(), "apollo-weave-words-"));
  const tasks = Object.entries(findings).flatMap(([name, weave_verify]) =>
    ["table", "problems"].map((part) => ({
      name: `${name} ${part}`,
      "ansible.builtin.debug": {
        msg: `{{ lookup('template', '${ROOT}/roles/weave/templates/verify_${part}.txt.j2') | default('', true) }}`,
      },
      vars: { weave_verify },
    })),
  );
  const vars = { weave_datapath: "router", weave_mode: "bridge", weave_server_group: "weave_servers" };
  const play = { hosts: "localhost", connection: "local", gather_facts: false, vars, tasks };
  writeFileSync(join(folder, "play.yml"), JSON.stringify([play]));
  const run = await ansiblePlaybook("localhost,", [join(folder, "play.yml")]);
  assert.is(run.status, 0, run.output);
  said = new Map(run.results.map(({ task, result }) => [task, result.msg ?? ""]));
});
test.after(() => rmSync(folder, { recursive: true, force: true }));

const text = (task: string): string => said.get(task) ?? "";

test("where to look depends on what carries the frames of both", () => {
  const problems = text("apart problems");
  assert.match(problems, "h1 does not reach h2 (10.2.0.2), h3 (10.2.0.3), h4 (10.2.0.4).");
  assert.match(problems, "Between h1 (192.0.2.1) and h2 (192.0.2.2): are TCP and UDP port 6783 open");
  assert.match(
    problems,
    "Between h1 (192.0.2.1) and h3 (192.0.2.3): the one uses router at port 6783, the other vxlan",
  );
  assert.match(problems, "h4 has neither a VXLAN on the bridge nor a Weave router");
  assert.match(problems, "Nothing was tried from h2: there is no ping.");
});

test("cells are short, and what was not tried is said", () => {
  const table = text("apart table");
  assert.match(table, /h1: web +- +ok 123\.0 ok 0\.12 +ok 1/);
  assert.match(table, "3 of 6 ways are open; the slowest took 123.456 ms.");
  assert.match(table, "h2: 1 of its 9 containers are tried (weave_verify_containers).");
  assert.not.match(table, /^h2 {2,}/m);
});

test("a host that has no other to reach is told so, and that is no failure", () => {
  assert.match(text("alone table"), "h1 is the only host of weave_servers: there is no other to reach.");
  assert.is(text("alone problems").trim(), "");
});

test("an address that two hosts have is told, though somebody answers", () => {
  assert.match(text("same problems"), "h1 and h2 have the same address, 10.2.0.1");
});

test("many addresses make no table, but their number and what is missed", () => {
  assert.match(text("many table"), "30 addresses are too many for a table; what is missed is listed.");
  assert.match(text("many table"), "15 of 15 ways are open");
});

test.run();
