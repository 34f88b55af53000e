import { test } from "uvu";
import * as assert from "uvu/assert";
import { refuseForeignSubnet, wantedFlags } from "../../../modules/docker_bridge_opts/desired";
import { refusalOf } from "../support/refusal";
import { APOLLO, asked, usual } from "./hosts";

const flagsOf = (more: Record<string, unknown>) => Object.fromEntries(wantedFlags(asked(more)));
const refused = (more: Record<string, unknown>): string => refusalOf(() => wantedFlags(asked(more)));

test("options have dockerd's names; those that are not given are not there", () => {
  assert.equal(Object.fromEntries(wantedFlags(usual())), {
    bridge: ["weave"],
    "fixed-cidr": ["10.2.1.0/24"],
    dns: ["172.17.42.1", "8.8.8.8"],
    "dns-search": ["service.consul"],
    mtu: ["1450"],
  });
  assert.equal(flagsOf({}), {});
  assert.equal(flagsOf({ bridge: "weave" }), { bridge: ["weave"] });
});

test("an empty list is an option that dockerd is not to have", () => {
  assert.equal(flagsOf({ dns: [] }), { dns: [] });
});

test("Apollo's weave_docker_opts is read", () => {
  assert.equal(flagsOf({ opts: APOLLO }), {
    bridge: ["weave"],
    "fixed-cidr": ["10.2.1.0/24"],
    dns: ["172.17.42.1", "8.8.8.8"],
    "dns-search": ["service.consul"],
  });
});

test("an option that is given both ways and agrees is one, in any spelling", () => {
  assert.equal(flagsOf({ bridge: "weave", opts: "-b weave --debug" }), { bridge: ["weave"], debug: ["true"] });
  assert.equal(flagsOf({ mtu: 1450, opts: "--mtu 1450" }), { mtu: ["1450"] });
});

test("an option that is given both ways and differs is refused with both values", () => {
  assert.is(
    refused({ bridge: "weave", opts: "--bridge=docker1" }),
    "opts: --bridge is docker1 there and weave by its own name; give it once",
  );
  assert.match(refused({ dns: ["8.8.8.8", "1.1.1.1"], opts: "--dns 1.1.1.1 --dns 8.8.8.8" }), "opts: --dns is");
});

test("a word in opts that is no option is refused", () => {
  for (const [opts, stray] of [
    ["weave", "weave"],
    ["--bridge=weave stray", "stray"],
    ["--debug -", "-"],
  ]) {
    assert.is(refused({ opts }), `opts: "${stray}" is no option of dockerd; write options as --name=value`);
  }
});

test("a short flag that dockerd does not have is refused, and so is a lone --", () => {
  assert.match(refused({ opts: "-Z --debug" }), '"-Z" is no option of dockerd');
  assert.match(refused({ opts: "--debug --" }), '"--" is no option of dockerd');
});

test("a stray word is refused even if it is an option's value, such as the true behind a switch", () => {
  assert.match(refused({ opts: "--dns 8.8.8.8 8.8.8.8" }), '"8.8.8.8" is no option of dockerd');
  assert.match(refused({ opts: "--debug true" }), '"true" is no option of dockerd');
});

test("an option at the end of opts whose value is missing is refused", () => {
  for (const opts of ["--debug --mtu", "--bridge", "-H"]) assert.match(refused({ opts }), "opts: ", opts);
});

test("a value that the file or the unit can't carry is refused", () => {
  for (const opts of ["--label='a b'", '--label=a\\"b', "--label=$HOME", "--label=`id`", "--label 'a\nb'"]) {
    assert.match(refused({ opts }), "give dockerd that option in daemon.json");
  }
});

test("a value that is not ASCII is carried as the UTF-8 bytes that it is, or refused", () => {
  const given = asked({ opts: "--label=café€" });
  let flags: ReturnType<typeof wantedFlags>;
  try {
    flags = wantedFlags(given);
  } catch {
    return;
  }
  // A file's content has one character a byte.
  assert.equal(flags.get("label"), [Buffer.from("café€").toString("latin1")]);
});

test("a subnet inside the bridge's network is taken, and one outside it refused with the cause", () => {
  refuseForeignSubnet(new Map([["fixed-cidr", ["10.2.1.0/24"]]]), "10.2.0.1/16");
  refuseForeignSubnet(new Map([["fixed-cidr", ["10.2.0.0/16"]]]), "10.2.0.1/16");
  assert.is(
    refusalOf(() => refuseForeignSubnet(new Map([["fixed-cidr", ["10.3.1.0/24"]]]), "10.2.0.1/16")),
    'fixed_cidr: "10.3.1.0/24" is outside the bridge\'s network 10.2.0.0/16 (its address is 10.2.0.1/16); ' +
      "dockerd would ignore it and give out addresses that other hosts use. Give a subnet of that network",
  );
});

test("a subnet in opts is held to the same form as the option", () => {
  for (const subnet of ["10.2.1.5/24", "weave", "10.2.1.0"]) {
    assert.match(
      refusalOf(() => refuseForeignSubnet(new Map([["fixed-cidr", [subnet]]]), null)),
      /^fixed-cidr: /,
    );
  }
});

test("without a subnet or an address to hold it against nothing is refused", () => {
  refuseForeignSubnet(new Map(), "10.2.0.1/16");
  refuseForeignSubnet(new Map([["fixed-cidr", ["10.3.1.0/24"]]]), null);
});

test.run();
