import type { Readable, Writable } from "node:stream";

/**
 * Forwards each chunk and the end this many milliseconds after they arrive, in order. Like a long line, it delays but does
 * not limit the throughput.
 */
export function delayed(from: Readable, to: Writable, milliseconds: number): void {
  // Timers of one length fire in the order in which they were set.
  from.on("data", (chunk: Buffer) => setTimeout(() => to.write(chunk), milliseconds));
  from.on("end", () => setTimeout(() => to.end(), milliseconds));
}
