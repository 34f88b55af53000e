/** One line of a diff: of both texts, of the first alone, or of the second alone. */
export interface Line {
  readonly mark: " " | "-" | "+";
  readonly text: string;
}

/** Lines that are shown around a change. */
const CONTEXT = 3;

/**
 * Takes two texts; returns the lines by which they differ, as few as can be, with what is around them. Where lines are left
 * out, "@@" is in their place. A last line without its end is told from one with it.
 */
export function diffLines(before: string, after: string): Line[] {
  const all = align(linesOf(before), linesOf(after));
  if (!all.some(isChange)) return [];
  const near = all.map((_, index) => all.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some(isChange));
  return all.flatMap((line, index) => {
    if (near[index]) return [line];
    const isFirst = index === 0 || near[index - 1] === true;
    return isFirst ? [{ mark: " ", text: "@@" } as const] : [];
  });
}

function isChange({ mark }: Line): boolean {
  return mark !== " ";
}

function linesOf(text: string): string[] {
  const lines = text.split("\n");
  const last = lines.pop();
  return last === "" || last === undefined ? lines : [...lines, `${last} (no end of line)`];
}

/** By the longest common subsequence: common[i][j] is its length for the lines from i and j on. */
function align(before: readonly string[], after: readonly string[]): Line[] {
  const common: number[][] = Array.from({ length: before.length + 1 }, () => new Array(after.length + 1).fill(0));
  const at = (i: number, j: number): number => common[i]?.[j] ?? 0;
  for (let i = before.length - 1; i >= 0; i--) {
    const row = common[i] ?? [];
    for (let j = after.length - 1; j >= 0; j--) {
      row[j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const [old, wanted] = [before[i], after[j]];
    if (old !== undefined && old === wanted) {
      lines.push({ mark: " ", text: old });
      i++;
      j++;
    } else if (old !== undefined && (wanted === undefined || at(i + 1, j) >= at(i, j + 1))) {
      lines.push({ mark: "-", text: old });
      i++;
    } else {
      lines.push({ mark: "+", text: wanted ?? "" });
      j++;
    }
  }
  return lines;
}
