import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Result } from "../../modules/core/run_module";
import type { Machine } from "../hosts/machine";
import { assertDocumented } from "./documented";
import type { TaskResult } from "./task_result";

const LIBRARY = join(__dirname, "../../roles/weave/library");
const MARKER = "<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>";

export type ModuleName = "weave_bridge" | "weave_service" | "docker_bridge_opts";

/** How a module ran: its result, and how many seconds that took. */
export type ModuleRun = Result & { readonly seconds: number };

/**
 * Runs a built module on a host as Ansible does with pipelining: the options put in for the marker, the whole on standard
 * input. `through` is a command line that runs it, such as `timeout`; `node`
 * runs Node.js. Throws where it prints no result, and where it returns
 * what it does not document.
 */
export async function runModule(
  host: Machine,
  name: ModuleName,
  options: object,
  {
    check = false,
    through = [],
    node = ["node"],
  }: { check?: boolean; through?: readonly string[]; node?: readonly string[] } = {},
): Promise<ModuleRun> {
  const input = moduleSource(name, { ...options, _ansible_check_mode: check, _ansible_diff: true });
  const started = Date.now();
  const { stdout, stderr } = await host.exec([...through, ...node, "-"], { input, check: false, timeoutSeconds: 150 });
  const seconds = (Date.now() - started) / 1000;
  let result: Result;
  try {
    result = JSON.parse(stdout) as Result;
  } catch {
    throw new Error(`${name} printed no result: ${stdout}${stderr}`);
  }
  assertDocumented({
    host: host.name,
    task: name,
    action: name,
    outcome: result.failed ? "failed" : "ok",
    result: result as TaskResult["result"],
  });
  return { ...result, seconds };
}

/** The text that Ansible makes of a module and its arguments, in ASCII as Python's JSON is. */
export function moduleSource(name: ModuleName, args: object): string {
  const json = JSON.stringify(args).replace(
    /[^\0-\x7f]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return readFileSync(join(LIBRARY, name), "utf8").replace(MARKER, () => json);
}
