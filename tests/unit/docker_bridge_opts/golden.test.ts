import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parseOptions } from "../../../modules/core/options";
import { observe } from "../../../modules/docker_bridge_opts/observe";
import { type DockerOptions, options as table } from "../../../modules/docker_bridge_opts/options";
import { plan } from "../../../modules/docker_bridge_opts/plan";
import { type Files, readTree, standInHost, withChanges } from "./host_stand_in";

/**
 * Every form in which hosts have Docker's options: golden/NAME/before is what is found, golden/NAME/after what the module
 * makes of it. UPDATE_GOLDEN=1 writes the latter anew, to be read before it is kept.
 */
const GOLDEN = join(__dirname, "golden");
const WANTED = {
  bridge: "weave",
  fixed_cidr: "10.2.1.0/24",
  bridge_address: "10.2.0.1/16",
  mtu: 1450,
  dns: ["172.17.42.1", "8.8.8.8"],
};
const PLACES: Readonly<Record<string, string>> = { "docker-ce-docker-opts": "docker_opts" };

const test = suite("golden files of dockerd's options");

function optionsOf(given: object): DockerOptions {
  return parseOptions("docker_bridge_opts", table, new Map(Object.entries(given)));
}

async function made(files: Files, options: DockerOptions): Promise<Files> {
  const { changes } = plan(options, await observe(options, standInHost(files)));
  return withChanges(files, changes);
}

function writeGolden(name: string, files: Files): void {
  const folder = join(GOLDEN, name, "after");
  rmSync(folder, { recursive: true, force: true });

  for (const [path, content] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content, "latin1");
  }
}

for (const name of readdirSync(GOLDEN)) {
  const before = readTree(join(GOLDEN, name, "before"));
  const options = optionsOf({ ...WANTED, place: PLACES[name] });

  test(`${name}: as written beside it`, async () => {
    const after = await made(before, options);
    if (process.env["UPDATE_GOLDEN"]) writeGolden(name, after);
    assert.ok(existsSync(join(GOLDEN, name, "after")));
    assert.equal([...after].sort(), [...readTree(join(GOLDEN, name, "after"))].sort());
  });

  test(`${name}: once made, nothing is left to do`, async () => {
    const after = await made(before, options);
    assert.equal([...(await made(after, options))], [...after]);
  });

  test(`${name}: no option is asked for, and not a byte changes`, async () => {
    const after = await made(before, options);
    const none = optionsOf({ place: PLACES[name] });
    for (const files of name.endsWith("-chain") || name === "debian-twice" ? [after] : [before, after]) {
      assert.equal([...(await made(files, none))].sort(), [...files].sort());
    }
  });
}

for (const name of ["debian-untouched", "docker-ce-without-file", "docker-ce-tabs-crlf"]) {
  test(`${name}: absent takes out what was put in, to the byte`, async () => {
    const before = readTree(join(GOLDEN, name, "before"));
    const absent = optionsOf({ ...WANTED, state: "absent" });
    assert.equal([...(await made(await made(before, optionsOf(WANTED)), absent))], [...before]);
  });
}

test.run();
