export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Bars of the same kind have the same tint; 0 by default. */
  readonly tint?: 0 | 1;
}

const WIDTH = 760;
const LABELS = 300;
const ROW = 26;
const HEAD = 40;

/**
 * Draws horizontal bars as an SVG picture for light and dark pages, each with its label and value. `target` is a value that
 * is marked across them; `digits` is the number of decimals.
 */
export function barChart(
  title: string,
  bars: readonly Bar[],
  { unit = "", target, digits = 2 }: { unit?: string; target?: number; digits?: number } = {},
): string {
  const scale = (WIDTH - LABELS - 90) / Math.max(...bars.map(({ value }) => value), target ?? 0);
  const height = HEAD + bars.length * ROW + 10;
  const rows = bars.map(({ label, value, tint = 0 }, index) => {
    const y = HEAD + index * ROW;
    const width = (value * scale).toFixed(1);
    return `<text x="${LABELS - 8}" y="${y + 15}" text-anchor="end">${escaped(label)}</text>
<rect class="t${tint}" x="${LABELS}" y="${y + 3}" width="${width}" height="${ROW - 8}"/>
<text x="${(LABELS + value * scale + 6).toFixed(1)}" y="${y + 15}">${value.toFixed(digits)}${escaped(unit)}</text>`;
  });
  const x = target === undefined ? 0 : (LABELS + target * scale).toFixed(1);
  const mark =
    target === undefined
      ? []
      : [
          `<line x1="${x}" y1="${HEAD - 6}" x2="${x}" y2="${height - 8}"/>`,
          `<text class="target" x="${x}" y="${HEAD - 10}" text-anchor="middle">target ${target}${escaped(unit)}</text>`,
        ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(title)}">`,
    `<style>
text { font: 12px sans-serif; fill: #1f2328 } .title { font-weight: bold; font-size: 13px } .target { fill: #b35900 }
line { stroke: #b35900; stroke-dasharray: 4 3 } .t0 { fill: #2f6fb3 } .t1 { fill: #9aa4af }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .target { fill: #f0a04b } line { stroke: #f0a04b } .t0 { fill: #58a6ff } .t1 { fill: #6e7681 } }
</style>`,
    `<text class="title" x="8" y="16">${escaped(title)}</text>`,
    ...rows,
    ...mark,
    "</svg>\n",
  ].join("\n");
}

function escaped(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/"/g, "&quot;");
}
