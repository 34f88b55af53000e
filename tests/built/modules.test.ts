/** Holds the built modules against what Ansible asks of them: run `npm run build` first. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { parse } from "yaml";
import { asAnsibleModule, withoutDescriptions } from "../../build/bundle";
import { MODULES } from "../../build/modules";
import { nodeOf, VERSIONS } from "./nodes";

const ROOT = join(__dirname, "../..");
const LIBRARY = join(ROOT, "roles/weave/library");
const NAMES = ["docker_bridge_opts", "weave_bridge", "weave_service"];
const MARKER = "<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>";

// Read by Ansible before or beside the marker: any of them would make the file another kind of module.
const FOREIGN_MARKERS = [
  "from ansible.module_utils",
  "from ansible_collections",
  "#<<INCLUDE_ANSIBLE_MODULE_COMMON>>",
  "#Requires -Module",
  "#Requires -Version",
  "#AnsibleRequires",
  "# POWERSHELL_COMMON",
  "WANT_JSON",
  "<<INCLUDE_ANSIBLE_MODULE_ARGS>>",
  "<<INCLUDE_ANSIBLE_MODULE_COMPLEX_ARGS>>",
  "<<INCLUDE_ANSIBLE_MODULE_WINDOWS_ARGS>>",
];

const read = (name: string): string => readFileSync(join(LIBRARY, name), "utf8");

interface Ending {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a module as Ansible does with pipelining: the arguments put in for the marker, the whole on standard input. */
function runPipelined(node: string, name: string, args: string): Ending {
  const { status, stdout, stderr } = spawnSync(node, [], {
    input: read(name).split(MARKER).join(args),
    encoding: "utf8",
    env: { PATH: "/usr/bin:/bin" },
    timeout: 60_000,
  });
  return { status, stdout, stderr };
}

/** What the module printed: one JSON object in ASCII between newlines, and nothing else anywhere. */
function resultOf({ stdout, stderr }: Ending): Record<string, unknown> {
  assert.is(stderr, "");
  assert.match(stdout, /^\n\{[\x20-\x7e]*\}\n$/);
  return JSON.parse(stdout) as Record<string, unknown>;
}

// Said here, as uvu does not show an error of test.before.
if (!existsSync(LIBRARY)) throw new Error("roles/weave/library is not there: run `npm run build` before this test");

test("the library has each module and its documentation, and nothing that Ansible could run in their place", () => {
  assert.equal(readdirSync(LIBRARY).sort(), NAMES.flatMap((name) => [name, `${name}.yml`]).sort());
  assert.equal(MODULES.map(({ module }) => module.name).sort(), NAMES);
});

for (const name of NAMES) {
  test(`${name} begins as a module with arguments as JSON does, with a path that ansible_node_interpreter replaces`, () => {
    const [first, second] = read(name).split("\n");
    assert.is(first, "#!/usr/bin/node");
    assert.is(second, `globalThis.__ANSIBLE_ARGS = ${MARKER};`);
  });

  test(`${name} has Ansible's marker once, and none of another kind of module`, () => {
    const code = read(name);
    assert.is(code.split(MARKER).length, 2);
    assert.equal(
      FOREIGN_MARKERS.filter((marker) => code.includes(marker)),
      [],
    );
  });

  test(`${name} is text: Ansible finds no other byte in its beginning`, () => {
    const beginning = readFileSync(join(LIBRARY, name)).subarray(0, 1024);
    const binary = [...beginning].filter((byte) => byte >= 0x7f || (byte < 0x20 && ![9, 10, 12, 13].includes(byte)));
    assert.equal(binary, []);
  });

  test(`${name} may be executed, is valid UTF-8 and no larger than 128 kB`, () => {
    const { mode, size } = statSync(join(LIBRARY, name));
    assert.is(mode & 0o7777, 0o755);
    assert.ok(size <= 128_000, `${size} bytes`);
    assert.ok(Buffer.from(read(name)).equals(readFileSync(join(LIBRARY, name))));
  });

  test(`${name} has documentation of every option, examples that are tasks of it, and what it returns`, () => {
    const sidecar = parse(read(`${name}.yml`)) as {
      DOCUMENTATION: {
        module: string;
        requirements: string[];
        attributes: Record<string, { support: string; description: string; details?: string }>;
        options: Record<string, { description: string[]; type: string }>;
      };
      EXAMPLES: string;
      RETURN: Record<string, { returned: string; type: string; description: string }>;
    };
    assert.equal(Object.keys(sidecar).sort(), ["DOCUMENTATION", "EXAMPLES", "RETURN"]);
    assert.is(sidecar.DOCUMENTATION.module, name);
    const table = MODULES.find(({ module }) => module.name === name)?.module.options ?? {};
    assert.equal(Object.keys(sidecar.DOCUMENTATION.options).sort(), Object.keys(table).sort());
    for (const { description, type } of Object.values(sidecar.DOCUMENTATION.options)) {
      assert.ok(description.length > 0 && ["str", "int", "bool", "list", "dict", "raw"].includes(type));
    }
    const { attributes, requirements } = sidecar.DOCUMENTATION;
    assert.equal(Object.keys(attributes).sort(), ["check_mode", "diff_mode", "idempotent", "platform"]);
    for (const { support, description, details } of Object.values(attributes)) {
      assert.ok(description !== "" && (support === "full" || details));
    }
    assert.ok(requirements.some((requirement) => requirement.startsWith("Node.js 16")));
    const tasks = parse(sidecar.EXAMPLES) as Record<string, Record<string, unknown>>[];
    assert.ok(tasks.length > 0);
    for (const task of tasks) {
      assert.equal(
        Object.keys(task[name] ?? {}).filter((option) => !(option in table)),
        [],
      );
      assert.ok(name in task, "an example of another module");
    }
    for (const { type, returned, description } of Object.values(sidecar.RETURN)) {
      assert.ok(type && returned && description);
    }
  });

  test(`ansible-doc shows ${name}`, () => {
    const { status, stdout, stderr } = spawnSync("ansible-doc", ["-M", LIBRARY, name], {
      cwd: ROOT,
      encoding: "utf8",
      env: { ...process.env, LC_ALL: "C.UTF-8", ANSIBLE_NOCOLOR: "1", PAGER: "cat" },
    });
    assert.is(status, 0, stderr);
    assert.not.match(stderr, /ERROR|error|Traceback/);
    const table = MODULES.find(({ module }) => module.name === name)?.module.options ?? {};
    for (const option of Object.keys(table)) assert.match(stdout, new RegExp(`^[=-] ${option}$`, "m"));
    assert.match(stdout, "EXAMPLES:");
    for (const part of ["ATTRIBUTES:", "REQUIREMENTS:", "RETURN VALUES:"]) assert.match(stdout, part);
  });

  for (const version of VERSIONS) {
    const title = version === "own" ? "this machine's Node.js" : `Node.js ${version}`;

    test(`${name}, read by ${title} from standard input, prints one JSON object for an option that it does not have`, () => {
      const args = JSON.stringify({ "no\u2028such_\u{1f433}": "'\"\n</script>\u2028", _ansible_check_mode: true });
      const ending = runPipelined(nodeOf(version), name, args);
      const { failed, changed, msg } = resultOf(ending);
      assert.is(failed, true);
      assert.is(changed, false);
      assert.match(String(msg), `Unsupported parameters for (${name}) module: no\u2028such_\u{1f433}. `);
      assert.is(ending.status, 1);
    });

    test(`${name}, read by ${title}, rejects an option of the name __proto__`, () => {
      for (const value of ['{"host_index": 1}', "null", "[]"]) {
        const { failed, msg } = resultOf(runPipelined(nodeOf(version), name, `{"__proto__": ${value}}`));
        assert.is(failed, true);
        assert.match(String(msg), "__proto__");
      }
    });
  }

  test(`${name} names what is too long by its beginning`, () => {
    const { msg } = resultOf(runPipelined(process.execPath, name, JSON.stringify({ ["x".repeat(300_000)]: 1 })));
    assert.match(String(msg), `Unsupported parameters for (${name}) module: xxxx`);
    assert.ok(String(msg).length < 10_000, String(String(msg).length));
  });

  test(`${name} prints a result for arguments that are no object`, () => {
    for (const args of ["null", "[]", '"text"', "5"]) {
      const { failed, msg } = resultOf(runPipelined(process.execPath, name, args));
      assert.is(failed, true);
      assert.match(String(msg), `${name}: must be given an object of options`);
    }
  });
}

test("a bundle with one of Ansible's markers in it is not built", () => {
  for (const marker of ["/*! WANT_JSON */", "from ansible.module_utils.basic import *", `"${MARKER}"`]) {
    assert.throws(() => asAnsibleModule(`console.log(1);\n${marker}\n`), "which Ansible would read as a marker");
  }
});

test("a bundle is built without its options' descriptions, and only if it has each of them", () => {
  const code = `const o={a:str({description:"one \\" {"}),b:choice(["x"],{description:'two',default:"x"}),c:int({description:\`3\`},1,2)};`;
  const bare = `const o={a:str({}),b:choice(["x"],{default:"x"}),c:int({},1,2)};`;
  assert.is(withoutDescriptions(code, { a: 1, b: 1, c: 1 }), bare);
  assert.throws(() => withoutDescriptions(code, { a: 1, b: 1 }), "has 3 descriptions of options, not 2");
  const other = 'const c={router:{description:"Weave router"}};';
  assert.is(withoutDescriptions(other, {}), other);
});

test("the arguments that Ansible adds for itself are no options", () => {
  const args = { no_such: 1, _ansible_check_mode: false, _ansible_diff: true, _ansible_tmpdir: null, _ansible_new: {} };
  const { msg } = resultOf(runPipelined(process.execPath, "weave_bridge", JSON.stringify(args)));
  assert.match(String(msg), "module: no_such. ");
});

test("a password is in nothing that is printed when it is rejected", () => {
  const args = JSON.stringify({ password: "hunter2\n", _ansible_check_mode: true });
  const ending = runPipelined(process.execPath, "weave_service", args);
  assert.is(resultOf(ending)["failed"], true);
  assert.not.match(ending.stdout, "hunter2");
});

test.run();
