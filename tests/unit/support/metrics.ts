import { spawnSync } from "node:child_process";
import * as assert from "uvu/assert";

const PARSE = `
import json, sys
from prometheus_client.parser import text_string_to_metric_families
families = text_string_to_metric_families(sys.stdin.read())
print(json.dumps([[s.name, list(s.labels.values()), str(s.value)] for f in families for s in f.samples if f.documentation and f.type == "gauge"]))
`;

/** The values of the gauges in a text, by name and label, as Prometheus' own parser reads them (python3-prometheus-client). */
export function gaugesIn(text: string): Record<string, number> {
  const { status, stdout, stderr } = spawnSync("/usr/bin/python3", ["-c", PARSE], { input: text, encoding: "utf8" });
  assert.is(status, 0, stderr);
  const samples = JSON.parse(stdout) as [name: string, labels: string[], value: string][];
  const numberOf = (text: string): number => (text === "inf" ? Number.POSITIVE_INFINITY : Number(text));
  return Object.fromEntries(samples.map(([name, labels, value]) => [[name, ...labels].join(" "), numberOf(value)]));
}
