import { spawn } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "../e2e/playbook";

/** A play as its user runs it. */
export interface Play {
  readonly inventory: string;
  /** The playbook, as an absolute path, and further arguments. */
  readonly args: readonly string[];
  readonly pipelining: boolean;
  /** Which facts plays gather; all by default. */
  readonly facts?: string;
  /** Whether the measurement is invalid if a host changes. */
  readonly settled: boolean;
}

/**
 * Runs ansible-playbook with the project's settings; returns its time in seconds. Throws if it fails, or if it changes a host
 * that it must not change.
 */
export async function timedPlaybook({ inventory, args, pipelining, facts = "all", settled }: Play): Promise<number> {
  const started = process.hrtime.bigint();
  const child = spawn("ansible-playbook", ["-i", inventory, ...args], {
    env: {
      ...process.env,
      ANSIBLE_CONFIG: join(ROOT, "ansible.cfg"),
      ANSIBLE_PIPELINING: String(pipelining),
      ANSIBLE_GATHER_SUBSET: facts,
      // Otherwise a connection could close during other measurements, and the next run would have to open it again.
      ANSIBLE_SSH_ARGS: "-C -o ControlMaster=auto -o ControlPersist=15m",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const kill = (): void => void child.kill();
  process.on("exit", kill);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (part: Buffer) => (output += part));
  const status = await new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  process.off("exit", kill);
  if (status !== 0 || (settled && /changed=[1-9]/.test(output)))
    throw new Error(`${args.join(" ")}, status ${status}:\n${output}`);
  return seconds;
}
