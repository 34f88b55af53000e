import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Action, Change } from "../../../modules/core/change";
import { parseOptions } from "../../../modules/core/options";
import { observe } from "../../../modules/docker_bridge_opts/observe";
import { type DockerOptions, options as table } from "../../../modules/docker_bridge_opts/options";
import { plan } from "../../../modules/docker_bridge_opts/plan";
import { type Files, hostWith } from "./fixtures";

/**
 * The ways in which hosts set Docker's options: golden/NAME/before are the files before the module ran, golden/NAME/after
 * those after it. UPDATE_GOLDEN=1 writes the latter; review them before committing.
 */
const GOLDEN = join(__dirname, "golden");
const OPTIONS = {
  bridge: "weave",
  fixed_cidr: "10.2.1.0/24",
  bridge_address: "10.2.0.1/16",
  mtu: 1450,
  dns: ["172.17.42.1", "8.8.8.8"],
};
/** Those with which Docker does not start as they are. */
const BROKEN = new Set(["debian-apollo-chain", "debian-apollo-graph", "debian-twice"]);
const PLACES: Readonly<Record<string, string>> = { "docker-ce-docker-opts": "docker_opts" };

const test = suite("golden files of dockerd's options");

function optionsOf(given: object): DockerOptions {
  return parseOptions("docker_bridge_opts", table, new Map(Object.entries(given)));
}

/** Reads a tree of files; their paths start at its root. */
function readTree(root: string, directory = "/"): Files {
  const entries = readdirSync(join(root, directory), { withFileTypes: true });
  return new Map(
    entries.flatMap((entry) => {
      const path = join(directory, entry.name);
      return entry.isDirectory()
        ? [...readTree(root, path)]
        : [[path, readFileSync(join(root, path), "latin1")] as const];
    }),
  );
}

/** The files after the changes, without the module's own state. */
function withChanges(files: Files, changes: readonly Change[]): Files {
  const after = new Map(files);
  const apply = (action: Action): void => {
    if (action.do === "write") after.set(action.path, action.content);
    if (action.do === "remove") after.delete(action.path);
  };
  for (const { actions } of changes) actions.forEach(apply);
  after.delete("/var/lib/apollo-weave/docker-previous.json");
  return after;
}

async function applied(files: Files, options: DockerOptions): Promise<Files> {
  const { changes } = plan(options, await observe(options, hostWith(files)));
  return withChanges(files, changes);
}

function writeGolden(name: string, files: Files): void {
  const directory = join(GOLDEN, name, "after");
  rmSync(directory, { recursive: true, force: true });

  for (const [path, content] of files) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content, "latin1");
  }
}

for (const name of readdirSync(GOLDEN)) {
  const before = readTree(join(GOLDEN, name, "before"));
  const options = optionsOf({ ...OPTIONS, location: PLACES[name] });

  test(`${name}: becomes the golden files`, async () => {
    const after = await applied(before, options);
    if (process.env["UPDATE_GOLDEN"]) writeGolden(name, after);
    assert.ok(existsSync(join(GOLDEN, name, "after")));
    assert.equal([...after].sort(), [...readTree(join(GOLDEN, name, "after"))].sort());
  });

  test(`${name}: a second run has nothing to do`, async () => {
    const after = await applied(before, options);
    assert.equal([...(await applied(after, options))], [...after]);
  });

  test(`${name}: without options not a byte changes`, async () => {
    const after = await applied(before, options);
    const none = optionsOf({ location: PLACES[name] });
    for (const files of BROKEN.has(name) ? [after] : [before, after]) {
      assert.equal([...(await applied(files, none))].sort(), [...files].sort());
    }
  });
}

for (const name of ["debian-untouched", "docker-ce-without-file", "docker-ce-tabs-crlf"]) {
  test(`${name}: absent restores the files to the byte`, async () => {
    const before = readTree(join(GOLDEN, name, "before"));
    const absent = optionsOf({ ...OPTIONS, state: "absent" });
    assert.equal([...(await applied(await applied(before, optionsOf(OPTIONS)), absent))], [...before]);
  });
}

test.run();
