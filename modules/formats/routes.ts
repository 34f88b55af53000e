import { long2ip } from "netmask";

/** A route of the kernel's main table. */
export interface Route {
  /** Such as 10.0.0.0/8. */
  readonly network: string;
  readonly device: string;
}

/**
 * Parses /proc/net/route: device, destination, gateway, flags, three counters, mask. Addresses are hexadecimal in the machine's
 * byte order, which is little-endian wherever Docker runs.
 */
export function parseRoutes(table: string): Route[] {
  return table
    .split("\n")
    .slice(1)
    .map((row) => row.split(/\s+/))
    .flatMap(([device = "", destination = "", , , , , , mask = ""]) =>
      device === "" || mask === "" ? [] : [{ device, network: `${dotted(destination)}/${prefixLength(mask)}` }],
    );
}

function dotted(hexadecimal: string): string {
  return long2ip(Buffer.from(hexadecimal, "hex").reverse().readUInt32BE());
}

function prefixLength(hexadecimal: string): number {
  return Number.parseInt(hexadecimal, 16).toString(2).replace(/0/g, "").length;
}
