import { table } from "./page";
import { type Aim, isMissed, type Samples, shown } from "./part";
import {
  CONDITIONS,
  conditionName,
  DATAPATHS,
  FEW_FACTS,
  FLOOR_TARGET,
  firstRun,
  floorNames,
  KINDS,
  type Kind,
  runName,
  type Side,
  target,
} from "./role_figures";
import { median, ratio, valuesOf } from "./statistics";

const PLAIN = { pipelining: true, roundTrip: 0 };

/** One row of a table, with the ratio that is compared with a target. */
interface Row extends Aim {
  readonly cells: readonly string[];
}

/** How long a run takes on two hosts. */
export function roleHeadline(samples: Samples): string {
  const name = (kind: Kind, side: Side): string => runName(kind, PLAIN, side);
  const time = (kind: Kind): string => `${median(valuesOf(samples, name(kind, "role"))).toFixed(1)} s`;
  const part = (kind: Kind): string => ratio(samples, name(kind, "role"), name(kind, "baseline")).toFixed(2);
  const [first, second] = ["first run", "second run"] as const;
  return `The role sets up two fresh hosts in ${time(first)} and takes ${time(second)} if nothing is left to do: ${part(first)} and ${part(second)} of the time of builtin tasks that do the same.`;
}

/** The section of the page. */
export function roleSection(samples: Samples): string {
  const [runs, floors] = [runRows(samples), floorRows(samples)];
  return `## The role against builtin tasks

The role, with the datapath \`router\`, is compared with [a role of Ansible's builtin modules](../tests/bench/baseline) that does the
same: the bridge and its file, Docker's options, and a service that runs the Weave router, whose peers it knows from facts, as
Apollo's role did. Each has two hosts with the weave script and a stand-in for the router, booted again for every first run. The
figures are the time of the whole \`ansible-playbook\`, in seconds, role and baseline in turn. SSH connections stay open between runs,
so only first runs open them. A check is a run with \`--check\` on hosts with nothing to do. "50 ms" is a delay that is added to each
round trip of the controller's SSH connections.

${table(["run", "role", "baseline", "ratio", "target"], runs.map(cellsOf))}

![Second runs](performance/roles-second-run.svg)

![First runs](performance/roles-first-run.svg)

![Second runs, as ratios](performance/roles-ratio.svg)

How close is a second run to the minimum for Ansible? The role is compared with a play that has as many \`ping\` tasks as the role makes
calls to each host, including its probe by \`raw\`, with pipelining and 0 ms. A play without tasks shows how long Ansible itself takes.

${table(["run", "calls", "role", "as many pings", "no task", "ratio", "target"], floors.map(cellsOf))}

${partsOfBaseline(samples)} ${withFewFacts(samples)}
${withDockerNetwork(samples)}`;
}

/** The figures with targets. */
export function roleAims(samples: Samples): Aim[] {
  return [...runRows(samples), ...floorRows(samples)];
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

/** What no role with as many calls can undercut. */
function partsOfBaseline(samples: Samples): string {
  const role = ratio(samples, runName("second run", PLAIN, "role"), runName("second run", PLAIN, "baseline"));
  const floor = floorNames("router");
  // Through the role, with which both were measured in turn: seconds of different minutes can't be compared.
  const part = (name: string): string => (role * ratio(samples, name, floor.role)).toFixed(2);
  const calls = median(valuesOf(samples, floor.calls));
  return `A play without tasks takes ${part(floor.empty)} of the baseline's second run with pipelining and 0 ms, and one with ${calls} pings takes ${part(floor.pings)}.`;
}

/** Few authors of plays name the facts that they use; this shows what that would save. */
function withFewFacts(samples: Samples): string {
  const [on, off] = [true, false].map((pipelining) => {
    const condition = { pipelining, roundTrip: 0 };
    return ratio(
      samples,
      runName("second run", condition, "role"),
      runName("second run", condition, FEW_FACTS),
    ).toFixed(2);
  });
  return `If the baseline gathers only the network's facts (gather_subset), second runs of the role take ${on} of its time with pipelining and ${off} without.`;
}

/** What Docker's restart takes of a first run. */
function withDockerNetwork(samples: Samples): string {
  const [own, restarting] = [firstRun("weave"), firstRun("bridge")];
  if (samples[own] === undefined) return "";
  const part = ratio(samples, own, restarting).toFixed(2);
  return `
With a Docker network (\`weave_docker_network\`) Docker does not restart. A first run with the VXLAN then takes ${seconds(samples, own)},
instead of ${seconds(samples, restarting)} with Docker's restart, measured in turn: ${part}.
`;
}

function seconds(samples: Samples, name: string): string {
  return `${median(valuesOf(samples, name)).toFixed(2)} s`;
}
