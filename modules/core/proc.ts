/**
 * Takes /proc/PID/stat (proc(5)); returns when the process was started, in clock ticks since the machine's boot: the 22nd
 * field, the 20th behind the name in parentheses, which may have any text in it. Null where there is none.
 */
export function ticksAtStart(stat: string): number | null {
  const field = stat
    .replace(/^.*\)\s+/s, "")
    .split(" ")
    .at(19);
  return field === undefined ? null : Number(field);
}
