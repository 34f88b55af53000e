/**
 * Rejects with the cause if this process can't go on: an exception or a rejected promise that nothing catches, or work that
 * waits for something which can't happen any more, as nothing is left in the event loop. Without it, Node would print a stack to
 * standard error in the first cases, and end with status 0 in the last one.
 */
export function processFailure(): Promise<never> {
  const failure = new Promise<never>((_, reject) => {
    process.on("uncaughtException", reject);
    process.on("unhandledRejection", reject);
    process.on("beforeExit", () => reject(new Error("it waits for something that can't happen any more")));
  });
  // It may come when nobody waits for it.
  failure.catch(() => undefined);
  return failure;
}
