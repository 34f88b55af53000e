import type { Part, Samples } from "./part";
import { barChart } from "./plot";
import { CONDITIONS, conditionName, type Kind, runName, SIDES, target } from "./role_figures";
import { measureFloor } from "./role_floor";
import { measureNetworks, measureRuns } from "./role_runs";
import { roleAims, roleHeadline, roleSection } from "./role_section";
import { median, ratio, valuesOf } from "./statistics";

/** The role compared with a role of builtin tasks that does the same, and with as many tasks that do nothing. */
export const roles: Part = {
  name: "roles",
  // The floor first: its many runs warm the machine up for the few long ones.
  measure: async (log) => ({
    ...(await measureFloor(log)),
    ...(await measureRuns(log)),
    ...(await measureNetworks(log)),
  }),
  headline: roleHeadline,
  section: roleSection,
  aims: roleAims,
  plots: (samples) => ({
    "roles-second-run": secondsChart("A second run, on two hosts", "second run", samples),
    "roles-first-run": secondsChart("A first run, on two fresh hosts", "first run", samples),
    "roles-ratio": ratioChart("A second run of the role, as a part of the baseline's", "second run", samples),
  }),
};

function secondsChart(title: string, kind: Kind, samples: Samples): string {
  const bars = CONDITIONS.flatMap((condition) =>
    SIDES.map((side) => ({
      label: `${conditionName(condition)}: ${side}`,
      value: median(valuesOf(samples, runName(kind, condition, side))),
      tint: side === "role" ? (0 as const) : (1 as const),
    })),
  );
  return barChart(title, bars, { unit: " s", digits: 1 });
}

function ratioChart(title: string, kind: Kind, samples: Samples): string {
  const bars = CONDITIONS.map((condition) => ({
    label: `${conditionName(condition)} (target ${target(kind, condition)})`,
    value: ratio(samples, runName(kind, condition, "role"), runName(kind, condition, "baseline")),
  }));
  return barChart(title, bars);
}
