import { suite } from "uvu";
import * as assert from "uvu/assert";
import { between, createFindings, type Findings } from "../support/findings";
import { gaugesIn } from "../support/metrics";
import { callPlugin } from "../support/python";

/** roles/weave/filter_plugins/weave_metrics.py, read by Prometheus' own parser. */
const test = suite("the metrics of verify.yml");
const PREFIX = "apollo_weave_verify_";

function gauges(found: Findings, problems = 0): Record<string, number> {
  const text = callPlugin<string>("weave_metrics", "render_metrics", [found, problems, 1_780_000_000]);
  const read = gaugesIn(text);
  assert.is(Object.keys(read).length, text.split("\n").filter((line) => /^[^#]/.test(line)).length);
  return Object.fromEntries(Object.entries(read).map(([name, value]) => [name.replace(PREFIX, ""), value]));
}

test("a host that works, one that is cut off, one whose Docker is stopped, and one that is off", () => {
  const read = gauges(
    createFindings({
      hosts: 4,
      off: [4],
      blocked: between(1, 2),
      more: (number) =>
        number === 3
          ? { docker: "stopped", subnet: null, containers: [], containers_total: 0, not_running: ["db"] }
          : {},
    }),
    3,
  );
  for (const [name, value] of Object.entries({
    "host_answers docker1": 1,
    "host_answers docker4": 0,
    "bridge_up docker1": 1,
    "datapath_up docker1": 1,
    "peers docker1": 3,
    "docker_running docker1": 1,
    "docker_running docker3": 0,
    "docker_on_bridge docker1": 1,
    "docker_on_bridge docker3": 0,
    "containers docker1": 2,
    "containers_tested docker1": 2,
    "containers_not_running docker3": 1,
    "paths_tested docker1": 8,
    "paths_blocked docker1": 6,
    "paths_blocked docker3": 0,
    problems: 3,
    timestamp_seconds: 1_780_000_000,
  })) {
    assert.is(read[name], value, name);
  }
  const ofOff = Object.keys(read).filter((name) => name.endsWith(" docker4"));
  assert.equal(ofOff, ["host_answers docker4"], "nothing else is known of a host that is off");
});

test("a container counts as tested if it was pinged, or pinged others", () => {
  const read = gauges(createFindings({ hosts: 2, playing: [1] }));
  assert.is(read["containers_tested docker1"], 1);
  assert.is(read["containers_tested docker2"], 2);
  assert.is(gauges(createFindings({ hosts: 1 }))["containers_tested docker1"], 0);
});

test("encryption: by host, and the age of each tunnel's last handshake", () => {
  const found = createFindings({ hosts: 3, blocked: between(1, 2), encrypted: true });
  const read = gauges(callPlugin<Findings>("weave_tunnels", "add_tunnels", [found]));
  assert.is(read["encrypted docker1"], 1);
  assert.is(read["peer_handshake_age_seconds docker1 docker2"], Number.POSITIVE_INFINITY);
  assert.is(read["peer_handshake_age_seconds docker1 docker3"], 44);
  const clear = gauges(createFindings({ hosts: 2 }));
  assert.is(clear["encrypted docker1"], 0);
  assert.not.ok("peer_handshake_age_seconds docker1 docker2" in clear);
});

test("connections are the router's, tunnels the VXLAN's", () => {
  const by = (kind: string): object => ({
    datapath: { kind, port: 1, state: "up", local: null, peers: ["192.168.50.2"] },
  });
  const read = gauges(createFindings({ hosts: 2, more: (number) => by(number === 1 ? "router" : "vxlan") }));
  assert.is(read["peers_connected docker1"], 1);
  assert.is(read["peers docker2"], 1);
  assert.not.ok("peers docker1" in read || "peers_connected docker2" in read);
});

test("any name is a label that the parser gives back", () => {
  const name = 'a "b" \\ c';
  assert.is(gauges(createFindings({ hosts: 1, name: () => name }))[`bridge_up ${name}`], 1);
});

test.run();
