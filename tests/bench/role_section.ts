import { table } from "./page";
import type { Samples } from "./part";
import {
  CONDITIONS,
  conditionName,
  DATAPATHS,
  FEW_FACTS,
  FLOOR_TARGET,
  floorNames,
  KINDS,
  runName,
  target,
} from "./role_figures";
import { median, ratio, valuesOf } from "./statistics";
import { type Aim, isMissed, shown, verdict } from "./verdict";

/** One row of a table, with the ratio that is held against a target. */
interface Row extends Aim {
  readonly cells: readonly string[];
}

/** Takes what the part has measured; returns its section of the page. */
export function roleSection(samples: Samples): string {
  const [runs, floors] = [runRows(samples), floorRows(samples)];
  return `## The role against builtin tasks

The role, with the datapath \`router\`, against [a role of Ansible's own modules](../tests/bench/baseline) that makes the same of the
hosts: the bridge and its file, Docker's options, and a service that runs the Weave router, whose peers it knows by facts, as
Apollo's did. Each has two hosts, booted anew for every first run, with the weave script and a stand-in of the router on them.
What is measured is the whole of \`ansible-playbook\`, in seconds, the role and the baseline in turn; connections of SSH stay open
between runs, so only first runs make them. A check is one of hosts that are settled. The 50 ms are added to each round trip of
the controller's SSH connections.

${table(["run", "role", "baseline", "ratio", "target"], runs.map(cellsOf))}

![Second runs](performance/roles-second-run.svg)

![First runs](performance/roles-first-run.svg)

![Second runs, as ratios](performance/roles-ratio.svg)

How near a second run is to the least that Ansible can take: the role against a play of as many \`ping\` tasks as it makes calls
to each host, its look by \`raw\` counted as one, with pipelining and 0 ms. A play without tasks is what Ansible takes for itself.

${table(["run", "calls", "role", "as many pings", "no task", "ratio", "target"], floors.map(cellsOf))}

${verdict([...runs, ...floors])}

${partsOfBaseline(samples)} ${withFewFacts(samples)}
`;
}

function runRows(samples: Samples): Row[] {
  return KINDS.flatMap((kind) =>
    CONDITIONS.map((condition) => {
      const [role, baseline] = [runName(kind, condition, "role"), runName(kind, condition, "baseline")];
      return {
        what: `${kind}, ${conditionName(condition)}`,
        cells: [role, baseline].map((name) => seconds(samples, name)),
        value: ratio(samples, role, baseline),
        target: target(kind, condition),
      };
    }),
  );
}

function floorRows(samples: Samples): Row[] {
  return DATAPATHS.map((datapath) => {
    const { role, pings, empty, calls } = floorNames(datapath);
    return {
      what: `second run, ${datapath}`,
      cells: [String(median(valuesOf(samples, calls))), ...[role, pings, empty].map((name) => seconds(samples, name))],
      value: ratio(samples, role, pings),
      target: FLOOR_TARGET,
    };
  });
}

function cellsOf(row: Row): string[] {
  const aim = row.target === null ? "" : `≤ ${row.target}${isMissed(row) ? ", missed" : ""}`;
  return [row.what, ...row.cells, shown(row), aim];
}

/** What no role of as many calls gets below: to be held against a target that is missed. */
function partsOfBaseline(samples: Samples): string {
  const condition = { pipelining: true, roundTrip: 0 };
  const role = ratio(samples, runName("second run", condition, "role"), runName("second run", condition, "baseline"));
  const floor = floorNames("router");
  // By way of the role, with which both were measured in turn: seconds of different minutes can't be compared.
  const part = (name: string): string => (role * ratio(samples, name, floor.role)).toFixed(2);
  const calls = median(valuesOf(samples, floor.calls));
  return `Of the baseline's second run with pipelining and 0 ms, a play without tasks alone takes ${part(floor.empty)}, and one of ${calls} pings ${part(floor.pings)}.`;
}

/** Few who write plays name the facts that they use, as that has to be kept up with each change; here is what it would be worth. */
function withFewFacts(samples: Samples): string {
  const [on, off] = [true, false].map((pipelining) => {
    const condition = { pipelining, roundTrip: 0 };
    return ratio(
      samples,
      runName("second run", condition, "role"),
      runName("second run", condition, FEW_FACTS),
    ).toFixed(2);
  });
  return `Where the baseline gathers no facts but the network's (gather_subset), second runs of the role take ${on} of its time with pipelining and ${off} without.`;
}

function seconds(samples: Samples, name: string): string {
  return `${median(valuesOf(samples, name)).toFixed(2)} s`;
}
