import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Diff, Result } from "../../modules/core/run_module";
import type { Host } from "../hosts/host";
import type { Machine } from "../hosts/machine";
import { ROOT } from "./playbook";

const PROGRAM = "/usr/local/bin/apollo-weave";

/** Puts the built command `apollo-weave` on hosts. */
export async function installCommand(hosts: readonly Host[]): Promise<void> {
  const program = readFileSync(join(ROOT, "dist/apollo-weave"));
  await Promise.all(hosts.map((host) => host.write(PROGRAM, program, 0o755)));
}

/** What a run of a module returned, with its diff. */
export type CommandResult = Result & { readonly diff?: readonly Diff[] };

/** Runs a module on a host by hand; `options` are its options by their flags' names, `more` further flags such as --check. */
export async function runCommand(
  host: Machine,
  subcommand: "bridge" | "service" | "docker-opts",
  options: Readonly<Record<string, string | number | boolean>>,
  more: readonly string[] = [],
): Promise<CommandResult> {
  const flags = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const argv = [PROGRAM, subcommand, "--json", "--diff", ...flags, ...more];
  const { stdout, stderr } = await host.exec(argv, { check: false, timeoutSeconds: 120 });
  try {
    return JSON.parse(stdout) as CommandResult;
  } catch {
    throw new Error(`${argv.join(" ")} printed no result: ${stdout}${stderr}`);
  }
}

/** What a run changed, in order. */
export function subjects({ diff = [] }: CommandResult): string[] {
  return diff.map(({ after_header }) => after_header);
}
