import type { Readable, Writable } from "node:stream";

/**
 * Passes on what it reads, each chunk so many milliseconds after it came, in their order, and the end like a chunk. However
 * many are on the way at a time, as on a long line: it delays, and does not limit what passes.
 */
export function delayed(from: Readable, to: Writable, milliseconds: number): void {
  // Timers of one length fire in the order in which they were set.
  from.on("data", (chunk: Buffer) => setTimeout(() => to.write(chunk), milliseconds));
  from.on("end", () => setTimeout(() => to.end(), milliseconds));
}
