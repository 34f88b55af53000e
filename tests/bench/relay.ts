import { spawn } from "node:child_process";
import { delayed } from "./delayed";

/**
 * relay MILLISECONDS PROGRAM [ARGUMENT...]: runs a program, such as ssh's ProxyCommand, and holds what goes to it and what
 * comes from it back for so long, each. For a kernel without netem.
 */
const [milliseconds, program = "", ...args] = process.argv.slice(2);
const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
delayed(process.stdin, child.stdin, Number(milliseconds));
delayed(child.stdout, process.stdout, Number(milliseconds));
// Either end may go at any time; what is on the way to it then is lost, as on a line.
for (const end of [child.stdin, process.stdout]) end.on("error", () => child.kill());
child.on("close", () => process.stdin.destroy());
