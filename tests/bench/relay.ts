import { spawn } from "node:child_process";
import { delayed } from "./delayed";

/**
 * relay MILLISECONDS PROGRAM [ARGUMENT...]: runs a program, such as ssh's ProxyCommand, and delays its input and its output
 * by this time each. For a kernel without netem.
 */
const [milliseconds, program = "", ...args] = process.argv.slice(2);
const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
delayed(process.stdin, child.stdin, Number(milliseconds));
delayed(child.stdout, process.stdout, Number(milliseconds));
// Either end may close at any time; what is in transit is then lost, as on a real line.
for (const end of [child.stdin, process.stdout]) end.on("error", () => child.kill());
child.on("close", () => process.stdin.destroy());
