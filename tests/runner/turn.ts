// Heard from the first moment, as the message may come before anyone waits for it.
const given = new Promise<void>((resolve) => {
  process.once("message", () => resolve());
});
// A file that never waits must be able to end.
process.channel?.unref();

/** Returns when tests/run.ts lets this test file go on; at once where the file was started by hand. */
export async function turn(): Promise<void> {
  if (process.channel === undefined || process.channel === null) return;
  process.channel.ref();
  await given;
  process.disconnect();
}
