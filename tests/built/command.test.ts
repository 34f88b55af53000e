/** Tests the built command `apollo-weave`: run `npm run build` first. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { inTemporaryDirectory } from "../unit/support/temporary_directory";
import { nodeOf, TOO_OLD, VERSIONS } from "./nodes";

const ROOT = join(__dirname, "../..");
const PROGRAM = join(ROOT, "dist/apollo-weave");
const COMMANDS = ["bridge", "service", "docker-opts", "status", "completion"];

// Thrown here, because uvu does not show an error of test.before.
if (!existsSync(PROGRAM)) throw new Error("dist/apollo-weave not found: run `npm run build` before this test");

interface Ending {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(program: string, argv: readonly string[], input = "", env: NodeJS.ProcessEnv = {}): Ending {
  const path = { PATH: `${join(ROOT, "dist")}:${process.env["PATH"]}` };
  const options = {
    input,
    encoding: "utf8",
    timeout: 60_000,
    env: { ...path, TERM: "xterm-256color", ...env },
  } as const;
  const { status, stdout, stderr } = spawnSync(program, argv, options);
  return { status, stdout, stderr };
}

const command = (argv: readonly string[], input?: string): Ending => start(PROGRAM, argv, input);
const shell = (script: string, env?: NodeJS.ProcessEnv): Ending => start("bash", ["--norc", "-c", script], "", env);

test("is executable, and prints the version of package.json", () => {
  assert.is(statSync(PROGRAM).mode & 0o777, 0o755);
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
  assert.equal(command(["--version"]), { status: 0, stdout: `${version}\n`, stderr: "" });
});

for (const version of VERSIONS) {
  test(`prints its help on ${version === "own" ? "this machine's Node.js" : `Node.js ${version}`}`, () => {
    const { status, stdout, stderr } = start(nodeOf(version), [PROGRAM, "--help"]);
    assert.equal([status, stderr], [0, ""]);
    for (const name of COMMANDS) assert.match(stdout, `apollo-weave ${name}`);
    assert.match(stdout, "Exit status:");
  });
}

test("an older Node.js says which is needed, and which one runs", () => {
  const node = nodeOf(TOO_OLD);
  const { status, stdout, stderr } = start(node, [PROGRAM, "status"]);
  assert.equal([status, stdout], [1, ""]);
  assert.is(
    stderr,
    `apollo-weave: Node.js must be 16 or newer (found ${TOO_OLD}, ${node}). Install a newer one, or name one: /PATH/node /PATH/apollo-weave.\n`,
  );
});

test("runs on the Node.js that is there, under either name, and says if there is none", () => {
  inTemporaryDirectory((directory) => {
    const here = (argv: readonly string[]) => spawnSync(PROGRAM, argv, { encoding: "utf8", env: { PATH: directory } });
    const { status, stdout, stderr } = here(["status"]);
    assert.equal([status, stdout], [1, ""]);
    assert.is(
      stderr,
      "apollo-weave: Node.js must be 16 or newer (found none). Install it, or name one: /PATH/node /PATH/apollo-weave.\n",
    );
    for (const name of ["nodejs", "node"]) {
      symlinkSync(process.execPath, join(directory, name));
      const found = here(["bridge", "--mtu", "a 'b' $c"]);
      assert.equal([found.status, found.stdout], [2, ""]);
      assert.match(found.stderr, `(found "a 'b' $c")`);
    }
  });
});

test("--help shows the types of options, and what those mean that are not given", () => {
  const { stdout } = command(["bridge", "--help"]);
  const text = stdout.replace(/\s+/g, " ");
  for (const type of ["[int]", "[bool]", "[list: a,b]", "[string]"]) assert.match(text, type);
  assert.match(text, "An option that is not given stays as this host has it");
});

for (const name of COMMANDS) {
  test(`${name} --help has an example that works, and that changes nothing`, () => {
    const { status, stdout, stderr } = command([name, "--help"]);
    assert.equal([status, stderr], [0, ""]);
    assert.not.match(stdout, /.{101}/);
    const example = /^Example, .*:\n {2}(.*)\n/m.exec(stdout)?.[1] ?? "";
    assert.match(example, name);
    const run = shell(example);
    assert.not.match(run.stderr, "see: apollo-weave");
    assert.ok([0, 1, 3].includes(run.status ?? -1), `${example} ended with ${run.status}: ${run.stderr}`);
  });
}

const MISTAKES: readonly [line: string, message: string][] = [
  [
    "",
    "command: must be given (found none). Use one of: bridge, service, docker-opts, status, completion.\nsee: apollo-weave --help",
  ],
  [
    "brigde",
    'command: must be one of: bridge, service, docker-opts, status, completion (found "brigde"). Did you mean bridge?\nsee: apollo-weave --help',
  ],
  [
    "network",
    'command: must be one of: bridge, service, docker-opts, status, completion (found "network"). Use one of these.',
  ],
  [
    "bridge --adress 10.2.0.1/16",
    "--adress: must be an option of apollo-weave bridge (found an unknown one). Did you mean --address?\nsee: apollo-weave bridge --help",
  ],
  [
    "bridge --no-firewal",
    "--firewal: must be an option of apollo-weave bridge (found an unknown one). Did you mean --firewall?",
  ],
  ["bridge -x", "-x: must be an option of apollo-weave bridge (found an unknown one). Correct or remove it.\nsee:"],
  ["bridge 10.2.0.1/16", 'argument: must follow an option (found "10.2.0.1/16"). Write a value after its option'],
  ["bridge --host-index", "--host-index: must have a value (found none). Write it after the option.\nsee:"],
  ["bridge --host-index one", '--host-index: must be a whole number (found "one"). Set one from 1 to'],
  ["bridge --address 10.2.0.1", '--address: must be an IPv4 address with a prefix length (found "10.2.0.1")'],
  ["bridge --datapath=vlan", '--datapath: must be one of: router, vxlan (found "vlan"). Did you mean vxlan?'],
  ["bridge --datapath=vxlan --datapath=vlan", '--datapath: must be one of: router, vxlan (found "vlan").'],
  ["bridge --datapath=5", '--datapath: must be one of: router, vxlan (found "5"). Use one of these.'],
  ["bridge --force=perhaps", '--force: must be true or false (found "perhaps"). Set one of these.'],
  [
    "service --password hunter2",
    '--password: must not be on the command line, which the process list shows (found a secret). Write it as {"password": …} into a file',
  ],
  [
    "service --pasword hunter2",
    "--pasword: must be an option of apollo-weave service (found an unknown one). Did you mean --password?",
  ],
  [
    "status --diff",
    "--diff: must be an option of apollo-weave status (found an unknown one). Correct or remove it.\nsee:",
  ],
  ["completion fish", 'shell: must be one of: bash, zsh (found "fish"). Use one of these.'],
  [
    "completion",
    "argument: must be given (found 0 of 1). Write it after the command.\nsee: apollo-weave completion --help",
  ],
  ["status --name a/b", '--name: must be the name of an interface (found "a/b")'],
  ["status --name a --name b", "--name: must be given once (found 2 times: a,b). Remove the others."],
  [
    "bridge --args a.json --args b.json",
    "--args: must be given once (found 2 times: a.json,b.json). Remove the others.",
  ],
  [
    "bridge --args /no/such.json",
    "--args: can't read /no/such.json (found ENOENT). Correct the path, or create the file.",
  ],
];

for (const [line, message] of MISTAKES) {
  test(`"apollo-weave ${line}" is a usage error, with what to do`, () => {
    const { status, stdout, stderr } = command(line.split(" ").filter((word) => word !== ""));
    assert.equal([status, stdout], [2, ""]);
    assert.match(stderr, `apollo-weave: ${message}`);
    assert.not.match(stderr, "hunter2");
  });
}

test("options from a file: flags override it, and its errors name it", () => {
  const withFile = (argv: readonly string[], args: unknown): Ending =>
    command([...argv, "--check", "--args", "-"], JSON.stringify(args));
  const bad = withFile(["bridge"], { host_index: "one" });
  assert.is(bad.status, 2);
  assert.match(bad.stderr, 'apollo-weave: standard input: host_index: must be a whole number (found "one")');
  assert.is.not(withFile(["bridge", "--host-index=1"], { host_index: "one" }).status, 2);
  const unknown = withFile(["bridge"], { "host-index": 1 });
  assert.is(unknown.status, 2);
  assert.match(
    unknown.stderr,
    'standard input: "host-index" must be an option of weave_bridge (found an unknown one). Did you mean host_index?',
  );
});

test("a secret in the file is never printed", () => {
  for (const password of ["hunter2", "hunter2\n"]) {
    const { stdout, stderr } = command(
      ["service", "--script-version=2.8.1", "--check", "--diff", "--args=-"],
      JSON.stringify({ password }),
    );
    assert.not.match(stdout + stderr, "hunter2");
  }
});

test("--json prints only the module's result, in failure too", () => {
  const { status, stdout, stderr } = command(["bridge", "--check", "--json"]);
  assert.equal([status, stderr], [1, ""]);
  const { failed, changed, msg } = JSON.parse(stdout) as Record<string, unknown>;
  assert.equal([failed, changed], [true, false]);
  assert.match(String(msg), "host_index: must be set");
});

test("a failure goes to standard error", () => {
  const { status, stdout, stderr } = command(["bridge", "--check"]);
  assert.equal([status, stdout], [1, ""]);
  assert.match(
    stderr,
    /^apollo-weave: failed: --host-index: must be set .* \(found none\)\. Set this host's index in the cluster/,
  );
});

test("status is coloured on a terminal unless NO_COLOR is set, and plain in a pipe", () => {
  const terminal = "script --quiet --return --command 'apollo-weave status' /dev/null";
  assert.match(shell(terminal).stdout, "\x1b[1mbridge");
  assert.not.match(shell(terminal, { NO_COLOR: "1" }).stdout, "\x1b[");
  assert.match(shell("apollo-weave status | cat").stdout, /^bridge {4}/);
});

test("a reader that closes the pipe causes no error", () => {
  const { status, stderr } = shell("set -o pipefail; apollo-weave bridge --help | head -n 1");
  assert.equal([status, stderr], [0, ""]);
});

/** What bash offers for the last of these words; in bash "=" is a separate word. */
function completed(...words: string[]): string[] {
  const last = words.at(-1) ?? "";
  const { stdout, stderr } = shell(
    `source <(apollo-weave completion bash)
    [[ $(complete -p apollo-weave) == *" -F _apollo_weave apollo-weave" ]] || exit 1
    COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}) COMP_CWORD=${words.length - 1}
    _apollo_weave apollo-weave '${last === "=" ? "" : last}'
    printf '%s\\n' "\${COMPREPLY[@]}"`,
    { SHELL: "/usr/bin/zsh" }, // the login shell, which may differ
  );
  assert.is(stderr, "");
  return stdout.trim().split("\n").sort();
}

test("bash completes commands, flags and choices, and uses its own completion for other values", () => {
  assert.equal(completed("apollo-weave", ""), [...COMMANDS].sort());
  assert.equal(completed("apollo-weave", "st"), ["status"]);
  assert.equal(completed("apollo-weave", "bridge", "--docker-"), ["--docker-prefix", "--docker-subnet"]);
  assert.equal(completed("apollo-weave", "bridge", "--datapath", ""), ["router", "vxlan"]);
  assert.equal(completed("apollo-weave", "bridge", "--datapath", "="), ["router", "vxlan"]);
  assert.equal(completed("apollo-weave", "bridge", "--datapath", "=", "v"), ["vxlan"]);
  assert.equal(completed("apollo-weave", "bridge", "--args", ""), [""]);
});

test("the script for zsh defines the completion of this command", () => {
  const { status, stdout, stderr } = command(["completion", "zsh"]);
  assert.equal([status, stderr], [0, ""]);
  assert.match(stdout, /^#compdef apollo-weave\n[\s\S]*\ncompdef _apollo_weave apollo-weave\n$/);
});

test.run();
