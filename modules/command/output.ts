/** Puts a text on standard output. */
export function print(text: string): void {
  process.stdout.write(text);
}

/** Says on standard error what is wrong. */
export function complain(message: string): void {
  process.stderr.write(`apollo-weave: ${message}\n`);
}

/** Whoever reads this command's output may stop reading (`| head`): that is no failure. */
export function allowClosedPipe(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}
