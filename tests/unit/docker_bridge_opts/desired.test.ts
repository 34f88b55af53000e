import { test } from "uvu";
import * as assert from "uvu/assert";
import { desiredFlags } from "../../../modules/docker_bridge_opts/desired";
import { userErrorOf } from "../support/user_error";
import { APOLLO, asked, usual } from "./fixtures";

const flagsOf = (more: Record<string, unknown>) => Object.fromEntries(desiredFlags(asked(more)));
const rejected = (more: Record<string, unknown>): string => userErrorOf(() => desiredFlags(asked(more)));

test("options get dockerd's names; options that are not given are left out", () => {
  assert.equal(Object.fromEntries(desiredFlags(usual())), {
    bridge: ["weave"],
    "fixed-cidr": ["10.2.1.0/24"],
    dns: ["172.17.42.1", "8.8.8.8"],
    "dns-search": ["service.consul"],
    mtu: ["1450"],
  });
  assert.equal(flagsOf({}), {});
  assert.equal(flagsOf({ bridge: "weave" }), { bridge: ["weave"] });
});

test("an empty list is an option that dockerd must not have", () => {
  assert.equal(flagsOf({ dns: [] }), { dns: [] });
});

test("Apollo's weave_docker_opts is parsed", () => {
  assert.equal(flagsOf({ opts: APOLLO }), {
    bridge: ["weave"],
    "fixed-cidr": ["10.2.1.0/24"],
    dns: ["172.17.42.1", "8.8.8.8"],
    "dns-search": ["service.consul"],
  });
});

test("an option given both ways with the same value is accepted, in any spelling", () => {
  assert.equal(flagsOf({ bridge: "weave", opts: "-b weave --debug" }), { bridge: ["weave"], debug: ["true"] });
  assert.equal(flagsOf({ mtu: 1450, opts: "--mtu 1450" }), { mtu: ["1450"] });
});

test("an option given both ways with different values is rejected, and the message has both", () => {
  assert.is(
    rejected({ bridge: "weave", opts: "--bridge=docker1" }),
    "opts: --bridge must be the same as bridge (found docker1 in opts, weave in bridge). Set it in one place.",
  );
  assert.match(
    rejected({ dns: ["8.8.8.8", "1.1.1.1"], opts: "--dns 1.1.1.1 --dns 8.8.8.8" }),
    "opts: --dns must be the same as dns (found 1.1.1.1, 8.8.8.8 in opts, 8.8.8.8, 1.1.1.1 in dns)",
  );
});

test("a word in opts that is not an option is rejected", () => {
  for (const [opts, stray] of [
    ["weave", "weave"],
    ["--bridge=weave stray", "stray"],
    ["--debug -", "-"],
  ]) {
    assert.is(rejected({ opts }), `opts: must have options of dockerd (found "${stray}"). Write each as --name=value.`);
  }
});

test("a short flag that dockerd does not have is rejected, and so is a lone --", () => {
  assert.match(rejected({ opts: "-Z --debug" }), 'must have options of dockerd (found "-Z")');
  assert.match(rejected({ opts: "--debug --" }), 'must have options of dockerd (found "--")');
});

test("a stray word is rejected even if it equals an option's value, such as true after a switch", () => {
  assert.match(rejected({ opts: "--dns 8.8.8.8 8.8.8.8" }), 'must have options of dockerd (found "8.8.8.8")');
  assert.match(rejected({ opts: "--debug true" }), 'must have options of dockerd (found "true")');
});

test("an option without its value at the end of opts is rejected", () => {
  for (const opts of ["--debug --mtu", "--bridge", "-H"]) assert.match(rejected({ opts }), "opts: ", opts);
});

test("a value that the file or the unit can't express is rejected", () => {
  for (const opts of ["--label='a b'", '--label=a\\"b', "--label=$HOME", "--label=`id`", "--label 'a\nb'"]) {
    assert.match(rejected({ opts }), "Set that option in daemon.json by hand");
  }
});

test("a value that is not ASCII is written as its UTF-8 bytes, or rejected", () => {
  const given = asked({ opts: "--label=café€" });
  let flags: ReturnType<typeof desiredFlags>;
  try {
    flags = desiredFlags(given);
  } catch {
    return;
  }
  // A file's content has one character a byte.
  assert.equal(flags.get("label"), [Buffer.from("café€").toString("latin1")]);
});

test.run();
