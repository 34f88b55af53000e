import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { filterNames, qualifyFilters, qualifyModules } from "../../build/full_names";

test("filters get their full names, and nothing else of these names does", () => {
  const text = `
    a: "{{ weave_cluster | weave_preflight(b) |weave_cluster | length }}"
    weave_cluster: "{{ weave_cluster.ask | default(weave_preflight) | weave_preflights }}"
    b: >-
      {{ weave_probe |
         weave_preflight }}`;
  assert.is(
    qualifyFilters(text, ["weave_cluster", "weave_preflight"]),
    `
    a: "{{ weave_cluster | apollo.weave.weave_preflight(b) |apollo.weave.weave_cluster | length }}"
    weave_cluster: "{{ weave_cluster.ask | default(weave_preflight) | weave_preflights }}"
    b: >-
      {{ weave_probe |
         apollo.weave.weave_preflight }}`,
  );
});

test("modules get their full names where they are a task's, not where they are registered or notified", () => {
  const tasks = "- name: weave_bridge\n  weave_bridge:\n    name: weave_bridge\n  register: weave_bridge\n";
  assert.is(
    qualifyModules(tasks, ["weave_bridge"]),
    "- name: weave_bridge\n  apollo.weave.weave_bridge:\n    name: weave_bridge\n  register: weave_bridge\n",
  );
});

test("the names of a plugin's filters are read from it, and one that has none is rejected", () => {
  const plugin = readFileSync(join(__dirname, "../../roles/weave/filter_plugins/weave_cluster.py"), "utf8");
  assert.equal(filterNames(plugin), [
    "weave_cluster",
    "weave_addresses_of_host",
    "weave_probe_answer",
    "weave_host_variable",
  ]);
  assert.throws(() => filterNames("class FilterModule:\n    pass\n"), "has no filters");
});

test.run();
