/** Reads the output of `systemctl show -p …`: property to value, "" where it is not set. */
export function parseProperties(output: string): ReadonlyMap<string, string> {
  return new Map(output.split("\n").map((row) => [row.replace(/=.*/, ""), row.replace(/^[^=]*=?/, "")]));
}
