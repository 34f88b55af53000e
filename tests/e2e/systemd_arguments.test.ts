import { basename, dirname } from "node:path";
import * as fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { UserError } from "../../modules/core/errors";
import { commandLine } from "../../modules/docker_bridge_opts/service/command_line";
import { NOTHING_WRITTEN } from "../../modules/docker_bridge_opts/service/docker_service";
import { requireEnvironmentFiles } from "../../modules/docker_bridge_opts/service/environment";
import { findDropIns, readUnit } from "../../modules/docker_bridge_opts/service/read_unit";
import { execProgram, execWord } from "../../modules/formats/systemd_words";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { ALL, SEED } from "../runner/sample";
import { fakeHost } from "../unit/support/fake_host/fake_host";
import { bootHosts } from "./hosts";
import { SHARED, type UnitCase, unitCases } from "./unit_cases";

/** What the module computes of generated units, compared with what a real systemd passes to a program. */
const test = suite("dockerd's arguments, as systemd passes them");
let cluster: Cluster;
let host: Host;
const cases = unitCases(SEED, ALL ? 600 : 150);
const files = new Map([...SHARED, ...cases.flatMap((each) => [...each.files])]);
/** Without quotes or a shell's own words in the program: it has to be as quick as can be. */
const PROGRAM = `#!/bin/sh\nprintf '%s\\0' "$@" >"\${0%/*}/out"\n`;

/** Those that systemd can load, which the module asks for first. */
let loaded: readonly UnitCase[] = [];

const sh = async (script: string, input = "", args: readonly string[] = []): Promise<string> =>
  (await host.exec(["sh", "-c", script, "sh", ...args.map(utf8)], { input, check: false, timeoutSeconds: 300 })).stdout;

const utf8 = (bytes: string): string => Buffer.from(bytes, "latin1").toString("utf8");

/** Writes files, of one character a byte in path and content; null makes a link to /dev/null. */
async function writeAll(all: readonly (readonly [path: string, content: string | null])[]): Promise<void> {
  const write = `const fs = require("fs"), path = require("path");
    for (const [file, content] of JSON.parse(fs.readFileSync(0, "utf8"))) {
      const name = Buffer.from(file, "latin1").toString("utf8");
      fs.mkdirSync(path.dirname(name), { recursive: true });
      if (content === null) fs.symlinkSync("/dev/null", name);
      else fs.writeFileSync(name, content, { encoding: "latin1", mode: name.endsWith("/dockerd") ? 0o755 : 0o644 });
    }`;
  await host.exec(["node", "-e", write], { input: JSON.stringify(all) });
}

/** The same files as on the host, and what else the module reads there. */
function readable(kernel: Readonly<Record<string, string>>, environment: string) {
  const names: Record<string, string[]> = {};
  for (const path of [...files.keys()].sort()) {
    const all = names[dirname(path)] ?? [];
    names[dirname(path)] = all;
    all.push(basename(path));
  }
  return fakeHost({
    files: Object.fromEntries([...files].flatMap(([path, content]) => (content === null ? [] : [[path, content]]))),
    links: Object.fromEntries([...files].flatMap(([path, content]) => (content === null ? [[path, "/dev/null"]] : []))),
    names,
    kernel,
    programs: { "systemctl show-environment": environment },
  });
}

/** The arguments, or why they can't be computed. */
function computed(each: UnitCase, reading: ReturnType<typeof readable>): readonly string[] | string {
  const path = [...each.files.keys()].find((file) => file.endsWith(`/${each.unit}`)) ?? "";
  const start = { ...readUnit(path, null, reading), isScript: false };
  try {
    const { args, settings } = commandLine(start);
    requireEnvironmentFiles(settings, start, NOTHING_WRITTEN);
    return args.map(({ value }) => value);
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

test.before(async () => {
  cluster = await bootHosts(1);
  host = cluster.host("apollo1");
  await writeAll([...files, ...cases.map(({ program }): [string, string] => [program, PROGRAM])]);
  const states = await sh(
    "systemctl daemon-reload; xargs systemctl show --property LoadState --value | grep .",
    cases.map(({ unit }) => unit).join("\n"),
  );
  loaded = cases.filter((_, index) => states.split("\n")[index] === "loaded");
  // From 262 on systemd starts none of several units if one can't be loaded.
  await sh("xargs -n 50 systemctl start", loaded.map(({ unit }) => unit).join("\n"));
});
test.after(() => cluster.down());

test("drop-ins are found and ordered as systemd does it", async () => {
  const reading = readable({}, "");
  const output = await sh("xargs systemctl show --property DropInPaths", loaded.map(({ unit }) => unit).join("\n"));
  const shown = output.split("\n").flatMap((row) => (row.startsWith("DropInPaths=") ? [row.slice(12)] : []));
  assert.is(shown.length, loaded.length);
  loaded.forEach(({ unit }, index) => {
    const found = findDropIns([unit], reading).join(" ");
    // Debian's /lib is a link to /usr/lib.
    assert.is(shown[index]?.replace(/(^| )\/lib\//g, "$1/usr/lib/"), found, unit);
  });
});

test("the arguments are those that the program gets", async () => {
  const kernel = Object.fromEntries(
    await Promise.all(
      [
        "/proc/sys/kernel/hostname",
        "/proc/sys/kernel/osrelease",
        "/etc/machine-id",
        "/proc/sys/kernel/random/boot_id",
      ].map(async (path) => [path, (await sh(`cat ${path}`)).trim()] as const),
    ),
  );
  const reading = readable(kernel, await sh("systemctl show-environment"));
  const out = await sh(
    'for each in /opt/cases/*; do echo "$each/dockerd $(od -An -v -tx1 "$each/out" | tr -d " \\n")"; done',
  );
  const passed = new Map(
    out.split("\n").map((row): [string, string[]] => {
      const [program = "", hex = ""] = row.split(" ");
      return [program, Buffer.from(hex, "hex").toString("latin1").split("\0").slice(0, -1)];
    }),
  );
  const ran = new Set((await sh("ls -d /opt/cases/*/out")).split("\n").map((path) => `${dirname(path)}/dockerd`));
  const wrong: string[] = [];
  const rejected = new Map<string, number>();
  for (const each of loaded) {
    const ours = computed(each, reading);
    if (typeof ours === "string") {
      const why = ours.replace(/^[^:]*: /, "").slice(0, 70);
      rejected.set(why, (rejected.get(why) ?? 0) + 1);
      continue;
    }
    // A shell's program that gets none prints one empty argument.
    const real = ran.has(each.program) ? (passed.get(each.program) ?? []) : null;
    const expected = ours.length === 0 ? [""] : ours;
    if (JSON.stringify(real) !== JSON.stringify(expected)) {
      wrong.push(JSON.stringify({ ours, real, files: Object.fromEntries(each.files) }, null, 1));
    }
  }
  const count = [...rejected.values()].reduce((sum, each) => sum + each, 0);
  console.log(
    `${cases.length} units, ${loaded.length} loaded by systemd, ${loaded.length - count} computed; ` +
      `rejected: ${[...rejected].map(([why, times]) => `${times} ${why}`).join("; ")}`,
  );
  assert.equal(wrong.slice(0, 3).join("\n"), "", `${wrong.length} differ`);
  assert.ok(count < cases.length / 2, "too many are rejected");
});

test("a word that the module writes reaches a program as it is, wherever the program is", async () => {
  const directories = ["/opt/words", "/opt/w o%h$HOME;\xc3\xa9", "/opt/w@-:x", "/opt/{a},b"];
  const one = fc.string({
    unit: fc.constantFrom(...`ab;"'\\$%{}@-:/=#\t\n\r\x01\x1b\x7f\x80\xff \xe9`, "\xc3\xa9"),
    minLength: 1,
  });
  const args = [";", "-", "$HOME", "%h", ...fc.sample(one, { seed: SEED, numRuns: 200 })];
  const lines = args.map(execWord);
  const programs = directories.map((directory) => `${directory}/dockerd`);
  const units = programs.map((path, index): [string, string] => [
    `/run/systemd/system/words${index}.service`,
    `[Service]\nType=oneshot\nExecStart=${execProgram(path)} ${lines.join(" ")}\n`,
  ]);
  await writeAll([...units, ...programs.map((path): [string, string] => [path, PROGRAM])]);
  await sh(`systemctl daemon-reload; systemctl start ${units.map(([path]) => basename(path)).join(" ")}`);
  const hex = await sh("for each; do od -An -v -tx1 \"$each/out\" | tr -d ' \\n'; echo; done", "", directories);
  hex
    .split("\n")
    .slice(0, directories.length)
    .forEach((text, index) => {
      const passed = Buffer.from(text, "hex").toString("latin1").split("\0").slice(0, -1);
      assert.equal(passed, args, programs[index]);
    });
});

test("a program that the module does not write is one that systemd does not take", async () => {
  const paths = [
    '/opt/a"b/dockerd',
    "/opt/a'b/dockerd",
    "/opt/a\\\\b/dockerd",
    "/opt/a\\tb/dockerd",
    "/opt/ab/",
    "dockerd/x",
  ];
  const units = paths.map((path, index): [string, string] => [
    `/run/systemd/system/rejected${index}.service`,
    `[Service]\nType=oneshot\nExecStart="${path.replace('"', '\\"')}"\n`,
  ]);
  await writeAll(units);
  const states = await sh(
    `systemctl daemon-reload; systemctl show --property LoadState --value ${units.map(([path]) => basename(path)).join(" ")} | grep .`,
  );
  assert.equal(
    states.trim().split("\n"),
    paths.map(() => "bad-setting"),
  );
  const values = paths.map((path) => path.replace("\\\\", "\\").replace("\\t", "\t"));
  assert.equal(
    values.map(execProgram),
    paths.map(() => null),
  );
});

test.run();
