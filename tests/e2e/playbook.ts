import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { withAnsibleOf } from "../controllers/suite";
import type { Suite } from "../hosts/suites";
import { assertDocumented } from "./documented";
import type { TaskResult } from "./task_result";

export const ROOT = join(__dirname, "../..");

export interface PlaybookRun {
  readonly status: number;
  /** All that ansible-playbook printed. */
  readonly output: string;
  readonly results: readonly TaskResult[];
}

/** Which ansible-core: the machine's own, the oldest that the role is for; one between; or the newest that Debian has. */
export type Controller = "oldest" | "between" | "newest";

// Unstable has the newest some days earlier, but now and then can't be installed.
const SUITES: Readonly<Record<Exclude<Controller, "oldest">, Suite>> = { between: "trixie", newest: "testing" };

/** The ansible-core that people have with hosts of a suite. */
export const CONTROLLERS: Readonly<Record<Suite, Controller>> = {
  bookworm: "oldest",
  trixie: "between",
  testing: "newest",
};

export interface AnsibleOptions {
  readonly ansible?: Controller;
  /** The directory that it is started in: the project's, by default. */
  readonly directory?: string;
  /** More variables of its environment, over those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Gets the output's lines as they come. */
  readonly log?: (line: string) => void;
}

/**
 * Runs `ansible-playbook` in the project's directory, as its user would, with the given arguments. Returns its exit status,
 * its output and each task's result on each host. Fails where a module of the project returns what it does not document.
 */
export function ansiblePlaybook(
  inventory: string,
  args: readonly string[],
  options: AnsibleOptions = {},
): Promise<PlaybookRun> {
  return recorded("ansible-playbook", inventory, args, options);
}

/** Runs one of the role's modules on all hosts, with these options; `more` are further arguments of `ansible`, such as --check. */
export function ansibleModule(
  inventory: string,
  module: string,
  options: object,
  more: readonly string[] = [],
  settings: AnsibleOptions = {},
): Promise<PlaybookRun> {
  const library = ["--module-path", "roles/weave/library", "--module-name", module, "--args", JSON.stringify(options)];
  return recorded("ansible", inventory, ["weave_servers", ...library, ...more], settings);
}

/** The version of an ansible-core. */
export async function ansibleVersion(ansible: Controller): Promise<string> {
  const { output } = await recorded("ansible-playbook", join(ROOT, "ansible.cfg"), ["--version"], { ansible });
  return /^ansible-playbook \[core (.+)\]/.exec(output)?.[1] ?? output;
}

async function recorded(
  program: string,
  inventory: string,
  args: readonly string[],
  { ansible = "oldest", directory = ROOT, env = {}, log = () => undefined }: AnsibleOptions,
): Promise<PlaybookRun> {
  const scratch = mkdtempSync(join(tmpdir(), "apollo-weave-play-"));
  const record = join(scratch, "results");
  const plain = [program, "-i", inventory, ...args];
  try {
    const directories = [ROOT, dirname(inventory), scratch];
    const argv = ansible === "oldest" ? plain : await withAnsibleOf(SUITES[ansible], plain, directories);
    const { status, output } = await run(argv, directory, { ...recording(record), ...env }, log);
    const results = readRecord(record);
    results.forEach(assertDocumented);
    return { status, output, results };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function recording(record: string): Record<string, string> {
  return {
    ANSIBLE_CALLBACK_PLUGINS: join(__dirname, "callback_plugins"),
    ANSIBLE_CALLBACKS_ENABLED: "record_results",
    ANSIBLE_LOAD_CALLBACK_PLUGINS: "true", // for `ansible`, too
    RECORD_RESULTS: record,
  };
}

function run(
  argv: readonly string[],
  directory: string,
  env: Readonly<Record<string, string>>,
  log: (line: string) => void,
): Promise<{ status: number; output: string }> {
  const [program = "", ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: directory,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const kill = (): void => void child.kill();
    // At a signal at once: the hosts are being taken down then, and Ansible would make its directory for them again.
    const endings = ["exit", "SIGINT", "SIGTERM", "SIGHUP"] as const;
    for (const ending of endings) process.on(ending, kill);
    let output = "";
    let rest = "";
    const read = (part: Buffer): void => {
      output += part;
      const lines = (rest + part).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) log(line);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.on("error", reject);
    child.on("close", (status) => {
      for (const ending of endings) process.off(ending, kill);
      resolve({ status: status ?? -1, output });
    });
  });
}

function readRecord(path: string): TaskResult[] {
  try {
    return readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as TaskResult);
  } catch {
    return []; // Nothing was run: ansible-playbook's own output says why.
  }
}

/** The names of the hosts and tasks that changed something. */
export function changedTasks(run: PlaybookRun): string[] {
  return run.results.filter(({ result }) => result.changed).map(({ host, task }) => `${host}: ${task}`);
}

/** What Ansible says against the play, the role or how it was started. */
export function complaints({ output }: PlaybookRun): string[] {
  return output.split("\n").filter((line) => /\[(WARNING|DEPRECATION WARNING|ERROR)\]/.test(line));
}

/** Why a run failed, by the host's name. */
export function failures({ results }: PlaybookRun): Record<string, string> {
  const failed = results.filter(({ outcome }) => outcome === "failed");
  return Object.fromEntries(failed.map(({ host, result }) => [host, result.msg ?? ""]));
}
