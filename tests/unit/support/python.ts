import { execFileSync, spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SERVER = join(__dirname, "python_server.py");

/**
 * Calls a function of one of the role's filter plugins, in one Python process for the whole test file. `args` are positional
 * arguments, or keyword arguments by name. Throws with Python's traceback where the function raises.
 */
export function callPlugin<Result>(plugin: string, name: string, args: readonly unknown[] | object): Result {
  server ??= start();
  writeAll(server.input, `${JSON.stringify([plugin, name, args])}\n`);
  const answer = JSON.parse(readLine(server.output)) as { result: Result; error?: string };
  if (answer.error !== undefined) throw new Error(answer.error);
  return answer.result;
}

/** The report that playbooks/verify.yml writes of these findings, as HTML. */
export function renderPage(found: object, usesBridge = true): string {
  return callPlugin("", "render_page", [found, usesBridge]);
}

interface Server {
  readonly input: number;
  readonly output: number;
}

let server: Server | undefined;

/** Named pipes, as Node.js's own to a child can't be read synchronously. Python ends with this process, at the end of its input. */
function start(): Server {
  const directory = mkdtempSync(join(tmpdir(), "apollo-weave-python-"));
  const [requests, answers] = [join(directory, "requests"), join(directory, "answers")];
  execFileSync("mkfifo", [requests, answers]);
  // Opening a pipe in one direction waits for the other end, and in both does not. Python must have each in one direction, or
  // it would never see the end of its input.
  const both = [openSync(requests, "r+"), openSync(answers, "r+")];
  const opened = { input: openSync(requests, "w"), output: openSync(answers, "r") };
  const pythons = [openSync(requests, "r"), openSync(answers, "w")] as const;
  spawn("/usr/bin/python3", ["-B", SERVER], { stdio: [...pythons, "inherit"] }).unref();
  for (const end of [...both, ...pythons]) closeSync(end);
  rmSync(directory, { recursive: true });
  return opened;
}

function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written);
}

function readLine(fd: number): string {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = Buffer.alloc(1 << 16);
    const length = readSync(fd, chunk);
    if (length === 0) throw new Error("Python has ended without an answer");
    chunks.push(chunk.subarray(0, length));
    if (chunk[length - 1] === 10) return Buffer.concat(chunks).toString();
  }
}
