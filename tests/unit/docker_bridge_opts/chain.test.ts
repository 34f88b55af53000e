import { test } from "uvu";
import * as assert from "uvu/assert";
import { withShellFlags } from "../../../modules/docker_bridge_opts/chain";

const flags = (given: Record<string, string[]>): ReadonlyMap<string, readonly string[]> =>
  new Map(Object.entries(given));
const edited = (content: string, given: Record<string, string[]>): string =>
  withShellFlags(content, "OPTS", flags(given));

test("a line of others stays, and a new one comes after the last", () => {
  const theirs = 'OPTS="$OPTS --graph=/srv"\n';
  assert.is(edited(`${theirs}A=1\n`, { bridge: ["weave"] }), `${theirs}OPTS="$OPTS --bridge=weave"\nA=1\n`);
  assert.is(edited('OPTS="-D"', { mtu: ["1450"] }), 'OPTS="-D"\nOPTS="$OPTS --mtu=1450"\n');
});

test("a line that has one of the options is edited, and keeps all else", () => {
  const content = 'OPTS="$OPTS --graph=/srv"\nOPTS="$OPTS --bridge=br0 -D"\n';
  assert.is(
    edited(content, { bridge: ["weave"], mtu: ["1450"] }),
    'OPTS="$OPTS --graph=/srv"\nOPTS="$OPTS -D --bridge=weave --mtu=1450"\n',
  );
});

test("an option is taken out of every line, and a line without any is removed", () => {
  const content = 'OPTS="$OPTS --bridge=br0 --graph=/srv"\nOPTS="$OPTS --bridge=br1"\n';
  assert.is(edited(content, { bridge: [] }), 'OPTS="$OPTS --graph=/srv"\n');
  assert.is(edited('OPTS=""\n', { bridge: ["weave"] }), 'OPTS="--bridge=weave"\n');
});

test("nothing changes where the options have the values already", () => {
  const content = "OPTS='-b weave'\n";
  assert.is(edited(content, { bridge: ["weave"], mtu: ["1500"] }), content);
});

test("what is written in another way becomes one line", () => {
  assert.is(edited("OPTS=--label=a' --bridge='br0\n", { bridge: ["weave"] }), 'OPTS="--label=a --bridge=weave"\n');
});

test.run();
