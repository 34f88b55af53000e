/** How many lines one entry of a list may have, such as a peer's section in WireGuard's file. */
const LONGEST_ENTRY = 8;
/** How many entries of a shortened list are shown at its beginning, and at its end. */
const SHOWN = 2;
/** A list of at least this many entries is shortened. */
const LONG = 12;

/**
 * Shortens the long lists in one side of a diff: entries that are alike but for their addresses, numbers and keys are left out from
 * the middle, and a line says how many. Only lines that the other side lacks are left out, so what is left is still a true
 * diff of the two.
 */
export function shortenLists(text: string, other: string): string {
  const common = new Set(other.split("\n"));
  const lines = text.split("\n");
  // A blank line stands between sections.
  const kinds = lines.map((line) => (line !== "" && common.has(line) ? null : kindOf(line)));
  const shown: string[] = [];
  for (let start = 0; start < lines.length; ) {
    const { length, count } = listAt(kinds, start);
    if (count < LONG) {
      shown.push(lines[start] ?? "");
      start++;
      continue;
    }
    const edge = SHOWN * length;
    const end = start + count * length;
    shown.push(...lines.slice(start, start + edge), `[${count - 2 * SHOWN} more like these are not shown]`);
    shown.push(...lines.slice(end - edge, end));
    start = end;
  }
  return shown.join("\n");
}

/** The longest list that begins at a line: the lines of each entry, and how many entries there are. */
function listAt(kinds: readonly (string | null)[], start: number): { length: number; count: number } {
  let best = { length: 1, count: 1 };
  for (let length = 1; length <= LONGEST_ENTRY; length++) {
    let end = start + length;
    if (kinds.slice(start, end).includes(null)) break;
    while (end < kinds.length && kinds[end] !== null && kinds[end] === kinds[end - length]) end++;
    const count = Math.floor((end - start) / length);
    if (count * length > best.count * best.length) best = { length, count };
  }
  return best;
}

/** A line without what differs from entry to entry. */
function kindOf(line: string): string {
  return line.replace(/[A-Za-z0-9+/]{43}=|[\da-f]*(?::[\da-f]*){2,}|[\d.]+/g, "#");
}
