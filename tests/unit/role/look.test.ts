import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { capacity, hostAddresses } from "../../../modules/net/host_addresses";
import { forAll } from "../support/property";
import { inTemporaryFolder } from "../support/temporary_folder";

/** roles/weave/files/look.sh, where stand-ins for the programs that it asks are first in the path. */
const test = suite("the look at a host");
const LOOK = join(__dirname, "../../../roles/weave/files/look.sh");

interface Given {
  readonly network?: string;
  readonly prefix?: number;
  readonly index?: string;
  readonly address?: string;
  readonly interface?: string;
  readonly node?: string;
  readonly script?: string;
}

/** Runs the script; `programs` are stand-ins' texts by name. */
function look(given: Given, programs: Readonly<Record<string, string>> = {}): Record<string, unknown> {
  let said = {};
  inTemporaryFolder((folder) => {
    // None of this machine's own has a part in it.
    for (const [name, text] of Object.entries({ ip: "", docker: "exit 1", "apt-cache": "", ...programs })) {
      writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    }
    const { network = "10.2.0.0/16", prefix = 24, index = "", address = "", node = "", script = "" } = given;
    const args = [
      network,
      String(prefix),
      index,
      address,
      given.interface ?? "",
      node.replace("FOLDER", folder),
      script,
    ];
    const { stdout, stderr } = spawnSync("sh", [LOOK, ...args], {
      encoding: "utf8",
      env: { PATH: `${folder}:/usr/bin:/bin` },
    });
    assert.is(stderr, "");
    said = JSON.parse(stdout) as Record<string, unknown>;
  });
  return said;
}

const bridgeWith = (...addresses: string[]): Record<string, string> => ({
  ip: `[ "$6" = weave ] || exit 1\n${addresses.map((cidr) => `echo '7: weave    inet ${cidr} brd 10.2.255.255 scope global weave'`).join("\n")}`,
});

test("a fresh host has no number", () => {
  const { index, settled, address, router } = look({});
  assert.equal({ index, settled, address, router }, { index: 0, settled: false, address: "", router: false });
});

test("the bridge's address tells the number that the host has, as the modules count it", () => {
  const networks = fc.constantFrom(["10.2.0.0/16", 24], ["10.0.0.0/8", 24], ["172.20.0.0/20", 26], ["10.2.0.0/16", 29]);
  forAll(
    [networks as fc.Arbitrary<[string, number]>, fc.nat(1_000_000)],
    ([network, prefix], seed) => {
      const number = (seed % capacity(Number(network.replace(/.*\//, "")), prefix)) + 1;
      const { address } = hostAddresses(network, number, prefix);
      const { index, settled } = look({ network, prefix }, bridgeWith(address));
      assert.equal({ index, settled }, { index: number, settled: true });
    },
    40,
  );
});

test("an address outside the network, or one that no number gives, is no number", () => {
  for (const address of ["10.3.0.5/16", "10.1.0.5/16", "192.168.0.7/24", "10.2.7.7/16"]) {
    assert.is(look({}, bridgeWith(address))["index"], 0, address);
  }
  assert.is(look({}, bridgeWith("10.32.0.1/12", "10.2.0.9/16"))["index"], 9, "the router's own beside it");
});

test("a weave script that is not where it has to be is missing", () => {
  assert.is(look({ script: "/nonexistent/weave" })["missing"], "/nonexistent/weave");
  assert.is(look({ script: LOOK })["missing"], "");
  assert.is(look({})["missing"], "");
});

test("the inventory's number counts before the host's, which is then not settled", () => {
  const { index, settled } = look({ index: "4" }, bridgeWith("10.2.0.9/16"));
  assert.equal({ index, settled }, { index: 4, settled: false });
});

test("the underlay's address: the one that is told, else the interface's", () => {
  const ip = `[ "$6" = eth1 ] && echo '3: eth1    inet 192.168.60.5/24 brd 192.168.60.255 scope global eth1'`;
  assert.is(look({ interface: "eth1" }, { ip })["address"], "192.168.60.5");
  assert.is(look({ interface: "eth1", address: "203.0.113.9" }, { ip })["address"], "203.0.113.9");
  assert.is(look({ interface: "eth9" }, { ip })["address"], "");
});

test("a Node of 16 or newer in the path is taken, an older one named", () => {
  const path = look({}, { node: "echo v16.20.2" })["node"] as string;
  assert.match(path, /\/node$/);
  const { node, unfit } = look({ node: "FOLDER/node" }, { node: "echo v12.22.9" });
  assert.is(node, "");
  assert.match(unfit as string, /\/node 12\.22\.9$/);
});

test("of a Node that does not run nothing is expected; nor of a path where there is none", () => {
  assert.match(look({ node: "FOLDER/node" }, { node: "exit 127" })["unfit"] as string, /\/node does not run$/);
  const { node, unfit } = look({ node: "/nonexistent/node" });
  assert.equal({ node, unfit }, { node: "", unfit: "" });
});

test("what the distribution has: its major version, unless it is installed already", () => {
  const policy = (installed: string, candidate: string): string =>
    `echo 'nodejs:'; echo '  Installed: ${installed}'; echo '  Candidate: ${candidate}'`;
  const packaged = (installed: string, candidate: string): unknown =>
    look({ node: "/nonexistent" }, { "apt-cache": policy(installed, candidate) })["packaged"];
  assert.is(packaged("(none)", "18.20.4+dfsg-1~deb12u1"), 18);
  assert.is(packaged("(none)", "2:20.1-1"), 20);
  assert.is(packaged("12.22.12~dfsg-1", "18.20.4+dfsg-1"), 18);
  assert.is(packaged("18.20.4+dfsg-1", "18.20.4+dfsg-1"), 0);
  assert.is(packaged("(none)", "(none)"), 0);
});

test("quotes in what a program says do not end the line", () => {
  assert.is(look({}, { uname: `echo 'odd"\\machine'` })["architecture"], "oddmachine");
});

test.run();
