import * as fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { daemonKeys, daemonOptions, withDaemonOptions } from "../../../modules/formats/daemon_json";
import { parseDockerFlags, withDockerFlags, withoutDockerFlags } from "../../../modules/formats/docker_flags";
import { type DockerFlags, flagOf, jsonValue, keyOf, meansTheSame } from "../../../modules/formats/docker_options";
import { environmentValue, withEnvironmentValue } from "../../../modules/formats/environment_file";
import { shellValue, withShellValue } from "../../../modules/formats/shell_file";
import { splitWords } from "../../../modules/formats/shell_words";
import { forAll } from "../support/property";

/** Whatever options a host has, in any spelling: the desired ones are set afterwards, and the others are unchanged. */
const test = suite("changing dockerd's options in what is there");

const address = fc.ipV4();
const OPTION = fc.oneof(
  fc.tuple(
    fc.constantFrom("bridge", "fixed-cidr", "log-driver", "data-root"),
    fc.tuple(fc.stringMatching(/^[a-z0-9./]{1,8}$/)),
  ),
  fc.tuple(fc.constantFrom("mtu", "shutdown-timeout"), fc.tuple(fc.integer({ min: 68, max: 9000 }).map(String))),
  fc.tuple(fc.constantFrom("debug", "live-restore", "ipv6"), fc.tuple(fc.constant("true"))),
  fc.tuple(fc.constantFrom("dns", "insecure-registry"), fc.array(address, { minLength: 1, maxLength: 3 })),
  fc.tuple(
    fc.constant("label"),
    fc.array(fc.stringMatching(/^[a-z]{1,3}=[a-z0-9]{1,3}$/), { minLength: 1, maxLength: 3 }),
  ),
);
const OPTIONS = fc.array(OPTION, { maxLength: 6 }).map((pairs): DockerFlags => new Map(pairs));
const SPELLING = fc.array(fc.nat(3), { minLength: 1, maxLength: 4 });

/** Writes options in one of the forms that dockerd reads, with each list's values in order. */
function spell(options: DockerFlags, spelling: readonly number[]): string {
  const words = [...options].flatMap(([name, values]) => values.map((value) => [name, value] as const));
  return words
    .map(([name, value], index) => {
      const way = spelling[index % spelling.length];
      if (value === "true") return way === 0 && name === "debug" ? "-D" : `--${name}${way === 1 ? "=true" : ""}`;
      if (name === "bridge" && way === 0) return `-b ${value}`;
      if (way === 1) return `--${name}  ${value}`;
      return way === 2 ? `--${name}="${value}"` : `--${name}=${value}`;
    })
    .join(" ");
}

function assertHas(present: DockerFlags, before: DockerFlags, desired: DockerFlags): void {
  for (const [name, values] of desired) assert.ok(meansTheSame(name, present.get(name), values), name);
  for (const [name, values] of before) if (!desired.has(name)) assert.equal(present.get(name), values, name);
}

test("on a line", () => {
  forAll([OPTIONS, SPELLING, OPTIONS], (before, spelling, desired) => {
    const line = spell(before, spelling);
    assert.equal(parseDockerFlags(splitWords(line)), new Map(before));
    assert.is(withDockerFlags(line, before), line, "what is there stays as it is written");
    const after = withDockerFlags(line, desired);
    assertHas(parseDockerFlags(splitWords(after)), before, desired);
    assert.is(withDockerFlags(after, desired), after);
    const without = parseDockerFlags(splitWords(withoutDockerFlags(after, new Set(desired.keys()))));
    assert.equal(
      [...without.keys()],
      [...before.keys()].filter((name) => !desired.has(name)),
    );
  });
});

const LINES = fc.array(
  fc.constantFrom('# DOCKER_OPTS="--not-this"', "", "export A='x \"y'", "B=$A", '\tC="multiple\\\nlines"', "D=x # y"),
  { maxLength: 5 },
);

for (const [name, value, withValue] of [
  ["an EnvironmentFile", environmentValue, withEnvironmentValue],
  ["a file for the shell", shellValue, withShellValue],
] as const) {
  test(`in ${name}, whose other lines stay`, () => {
    forAll([LINES, fc.option(OPTIONS), LINES, OPTIONS, SPELLING], (above, present, below, desired, spelling) => {
      const ours = present === null ? [] : [`DOCKER_OPTS="${spell(present, spelling).replace(/"/g, '\\"')}"`];
      const content = [...above, ...ours, ...below, ""].join("\n");
      const line = value(content, "DOCKER_OPTS") ?? "";
      assert.equal(parseDockerFlags(splitWords(line)), new Map(present ?? []));
      const after = withValue(content, "DOCKER_OPTS", withDockerFlags(line, desired));
      assertHas(parseDockerFlags(splitWords(value(after, "DOCKER_OPTS") ?? "")), present ?? new Map(), desired);
      assert.is(withValue(after, "DOCKER_OPTS", null), [...above, ...below, ""].join("\n"));
    });
  });
}

const OTHERS = fc.dictionary(
  fc.stringMatching(/^[a-z"\\é]{1,5}$/).map((key) => `x-${key}`),
  fc.jsonValue({ maxDepth: 2 }),
  { maxKeys: 4 },
);
const INDENT = fc.constantFrom("", " ", "  ", "    ", "\t");

test("in daemon.json, whose other keys stay where they are", () => {
  forAll([OTHERS, OPTIONS, OTHERS, INDENT, OPTIONS], (above, options, below, indent, desired) => {
    const mine = [...options].map(([name, values]) => [keyOf(name), jsonValue(keyOf(name), values)]);
    const object = { ...above, ...Object.fromEntries(mine), ...below } as Record<string, unknown>;
    const content = JSON.stringify(object, null, indent);
    assert.equal(daemonOptions(content), new Map([...options].filter(([name]) => keyOf(name) in object)));
    assert.is(withDaemonOptions(content, options), content, "what is there stays as it is written");
    const after = withDaemonOptions(content, desired);
    assertHas(daemonOptions(after), options, desired);
    assert.is(withDaemonOptions(after, desired), after);
    const isWanted = (key: string): boolean => desired.has(flagOf(key));
    const kept = (text: string): unknown[] => [...daemonKeys(text)].filter(([key]) => !isWanted(key));
    assert.equal(kept(after), kept(content), "the same keys in the same order");
    const none = withDaemonOptions(after, new Map([...desired.keys()].map((name) => [name, []])));
    assert.equal([...daemonKeys(none)], kept(content));
  });
});

test.run();
