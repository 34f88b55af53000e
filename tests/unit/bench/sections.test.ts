import { test } from "uvu";
import * as assert from "uvu/assert";
import { joining } from "../../bench/joining";
import { mesh } from "../../bench/mesh";
import { network } from "../../bench/network";
import { isMissed, type Samples } from "../../bench/part";

/** Two rounds on a path. */
const path = (name: string, gigabits: number[], microseconds: number[]): Samples => ({
  [`Gbit/s, ${name}`]: gigabits,
  [`core ms for a Gbit, ${name}`]: [100, 100],
  [`Gbit/s in packets, ${name}`]: gigabits,
  [`core ms for a Gbit in packets, ${name}`]: [100, 100],
  [`Gbit/s of 8 streams, ${name}`]: gigabits,
  [`round trip in µs, ${name}`]: microseconds,
  [`round trip in µs, 99th percentile, ${name}`]: microseconds,
  [`ms to a first reply, ${name}`]: [500, 500],
});

const OWN = "containers by VXLAN";
const ALL = {
  ...path("host to host", [10, 10], [30, 30]),
  ...path("containers without VXLAN", [9, 9], [35, 35]),
  ...path(OWN, [9, 8], [50, 60]),
  ...path(`${OWN}, frames not filtered`, [9, 8], [40, 40]),
  ...path(`${OWN}, Docker network`, [9, 9], [50, 30]),
  ...path("containers by Swarm's overlay", [9, 10], [40, 40]),
};

test("in the comparison with Swarm more is better also for times; a target is missed if no round reaches it", () => {
  const section = network.section(ALL);
  assert.match(section, "| round trip in µs | 0.73 (0.67 to 0.80) | 1.00 (1.00 to 1.00) | 1.07 (0.80 to 1.33) |");
  assert.match(section, "| Gbit/s | 0.90 (0.80 to 1.00) |");
  const missed = (network.aims?.(ALL) ?? []).filter(isMissed).map(({ what, value }) => `${what}: ${value.toFixed(2)}`);
  assert.equal(missed, [
    `round trip in µs, ${OWN}, beside Swarm's overlay: 0.73`,
    `round trip in µs, 99th percentile, ${OWN}, beside Swarm's overlay: 0.73`,
  ]);
});

test("a path that this machine can't have is not in the table, and what was not measured of one is a dash", () => {
  const { "Gbit/s of 8 streams, containers without VXLAN": _, ...some } = ALL;
  const section = network.section(some);
  assert.match(section, "| containers without VXLAN | 9.00 | 0.90 | 100 | 1.00 | – | 35 | 35 | 500 |");
  assert.match(section, "Swarm's encryption is not measured");
  assert.not.match(section, "| containers by Swarm's encrypted overlay |");
});

test("what was not measured is neither explained nor a column", () => {
  const isMeasured = ([name]: readonly [string, unknown]): boolean =>
    /^(Gbit|core ms)(?!.*(streams|Swarm|Docker))/.test(name);
  const section = network.section(Object.fromEntries(Object.entries(ALL).filter(isMeasured)));
  assert.not.match(section, /Swarm|WireGuard|Docker network|On one host|streams|round trip|reply|–/);
  const all = network.section(ALL);
  for (const what of ["Swarm", "Docker network", "8 streams at once", "round trips of", "docker run"])
    assert.match(all, what);
});

test("the size of a full mesh follows from what a peer adds", () => {
  const samples: Record<string, number[]> = { "bytes of a peer's entry": [256] };
  for (const peers of [0, 2, 10, 30, 100, 300]) {
    samples[`packets out for a broadcast with ${peers} peers`] = [peers];
    samples[`µs for a broadcast with ${peers} peers`] = [5 + peers * 2];
    samples[`ms to change one of ${peers} peers`] = [400];
    samples[`ms with nothing to do and ${peers} peers`] = [200];
  }
  const section = mesh.section(samples);
  assert.match(section, "each further peer adds 2.00 µs and 256 bytes");
  assert.match(section, "| 300 | 300.00 | 605.0 | 75.0 | 400 | 200 |");
  // 100 broadcasts of 250 copies of 2 µs are 5 % of a second.
  assert.match(section, "5 % of a core on them with about 250 peers");
});

test("a side without a way to leave has a dash", () => {
  const section = joining.section({
    "host 4 of 4 joins, the role": [10, 12],
    "host 4 of 4 joins, builtin tasks": [20, 20],
    "host 4 of 4 joins, Swarm": [5, 5],
    "host 4 of 4 leaves, the role": [8],
    "host 4 of 4 leaves, Swarm": [1],
  });
  assert.match(section, "| host 4 of 4 joins | 11.0 s | 20.0 s | 0.55 | 5.0 s | 2.20 |");
  assert.match(section, "| host 4 of 4 leaves | 8.0 s | – | – | 1.0 s | 8.00 |");
});

test.run();
