import { FIGURES } from "./disturbance";
import { growth } from "./growing";
import { LIVE, liveOptions } from "./live_options";
import { table } from "./page";
import type { Part, Samples } from "./part";
import { type Bar, barChart } from "./plot";
import { valuesOf } from "./statistics";

/** What growing, shrinking and changing a live cluster does to its traffic. */
export const disruption: Part = { name: "disruption", measure, headline, section, plots };

const BETWEEN = ", ";

async function measure(log: (line: string) => void): Promise<Samples> {
  const samples: Record<string, number[]> = {};
  for (const [what, made] of [
    ["hosts joined by vxlan", () => growth("vxlan")],
    ["hosts joined by the router's stand-in", () => growth("router")],
    ["options of a live bridge", liveOptions],
  ] as const) {
    log(what);
    for (const [change, rounds] of await made()) {
      for (const figure of FIGURES) samples[change + BETWEEN + figure] = rounds.map((round) => round[figure]);
    }
  }
  return samples;
}

/** The changes that were made, in order. */
function changesOf(samples: Samples): string[] {
  const end = BETWEEN + FIGURES[0];
  return Object.keys(samples).flatMap((name) => (name.endsWith(end) ? name.slice(0, -end.length) : []));
}

type Figure = (typeof FIGURES)[number];

function sumOf(samples: Samples, changes: readonly string[], figure: Figure): number {
  const values = changes.flatMap((change) => valuesOf(samples, change + BETWEEN + figure));
  return values.reduce((sum, value) => sum + value, 0);
}

function section(samples: Samples): string {
  const changes = changesOf(samples);
  const rows = changes.map((change) => [
    change,
    String(valuesOf(samples, change + BETWEEN + FIGURES[0]).length),
    ...FIGURES.map((figure) => String(sumOf(samples, [change], figure))),
  ]);
  return `## What a change of a running cluster interrupts

Containers ping each other every 50 ms, from before a change until 0.3 s after it. In the first rows a fourth host joins three and
leaves again, by the project's playbooks, with pings between all containers of the three. "Live" are changes of a bridge's options, and
repairs of manual changes, by the installed command on one of two hosts with the VXLAN, with pings both ways between their containers
and from the other host itself. Restarts are counted on the hosts that were there before, by Docker's process and by the start time of
each container. A new VXLAN identifier, port or underlay address is not tried: it recreates the VXLAN device, which the module
announces. The router is the stand-in of the tests, not Weave's own.

${verdict(samples, changes)}

${table(["change", "times", ...FIGURES], rows)}

![Pings answered and lost, by change](performance/disruption.svg)
`;
}

/** What a change interrupts for containers. */
function headline(samples: Samples): string {
  const changes = changesOf(samples);
  const sum = (figure: Figure): number => sumOf(samples, changes, figure);
  const restarts = FIGURES.filter((figure) => figure.startsWith("restarts")).reduce(
    (all, figure) => all + sum(figure),
    0,
  );
  const pings = `${sum("pings lost")} of ${sum("pings answered") + sum("pings lost")} pings to containers were lost`;
  return `While hosts joined and left and options changed live, ${pings}; restarts of Docker, the router or containers: ${restarts || "none"}.`;
}

/** Whether nothing was disturbed. */
function verdict(samples: Samples, changes: readonly string[]): string {
  const [answered, ...unwanted] = FIGURES;
  const head = `Of all pings, ${sumOf(samples, changes, answered)} were answered.`;
  const disturbing = changes.filter((change) => unwanted.some((figure) => sumOf(samples, [change], figure) > 0));
  if (disturbing.length === 0) return `${head} The target, none lost and nothing restarted, is met.`;
  const missed = disturbing.map((change) => {
    const figures = unwanted.filter((figure) => sumOf(samples, [change], figure) > 0);
    return `${change} (${figures.map((figure) => `${figure}: ${sumOf(samples, [change], figure)}`).join(", ")})`;
  });
  return `${head} The target, none lost and nothing restarted, is missed by: ${missed.join("; ")}.`;
}

function plots(samples: Samples): Readonly<Record<string, string>> {
  const changes = changesOf(samples);
  const live = changes.filter((change) => change.startsWith(LIVE));
  const others = changes.filter((change) => !change.startsWith(LIVE));
  const bars = (label: string, some: readonly string[]): Bar[] => [
    { label, value: sumOf(samples, some, "pings answered") },
    { label: "lost", value: sumOf(samples, some, "pings lost"), tint: 1 },
  ];
  const all = [...others.map((change) => bars(change, [change])), bars("options changed live", live)].flat();
  return { disruption: barChart("Pings answered and lost, by what was done meanwhile", all, { digits: 0 }) };
}
