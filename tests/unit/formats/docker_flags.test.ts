import * as fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  configPathOf,
  parseDockerFlags,
  parseDockerWords,
  withDockerFlags,
} from "../../../modules/formats/docker_flags";
import { type DockerFlags, meansTheSame } from "../../../modules/formats/docker_options";
import { splitWords } from "../../../modules/formats/shell_words";
import { forAll } from "../support/property";

const parse = (line: string): Record<string, readonly string[]> =>
  Object.fromEntries(parseDockerFlags(splitWords(line)));
const desired = (flags: Record<string, readonly string[]>): DockerFlags => new Map(Object.entries(flags));

test("a flag's value may be after = or in the next word", () => {
  assert.equal(parse("--bridge=weave"), { bridge: ["weave"] });
  assert.equal(parse("--bridge weave"), { bridge: ["weave"] });
});

test("a short flag is the same as its long one, with its value after =, in the next word or at once", () => {
  for (const line of ["-b weave", "-b=weave", "-bweave"]) assert.equal(parse(line), { bridge: ["weave"] }, line);
  assert.equal(parse("-H fd:// -Hunix:///run/d.sock -H=tcp://0.0.0.0:2375"), {
    host: ["fd://", "unix:///run/d.sock", "tcp://0.0.0.0:2375"],
  });
  assert.equal(parse("-l warn -g /data -s overlay2 -p /run/d.pid -G docker"), {
    "log-level": ["warn"],
    graph: ["/data"],
    "storage-driver": ["overlay2"],
    pidfile: ["/run/d.pid"],
    group: ["docker"],
  });
});

test("a repeated flag has its values in order", () => {
  assert.equal(parse("--dns 172.17.42.1 --dns=8.8.8.8 --mtu=1450 --dns 1.1.1.1"), {
    dns: ["172.17.42.1", "8.8.8.8", "1.1.1.1"],
    mtu: ["1450"],
  });
});

test("the words of a process are not unquoted, and name its daemon.json", () => {
  const flags = parseDockerWords(["--label=a 'b'", "--config-file", "/etc/docker.json"]);
  assert.equal(flags.get("label"), ["a 'b'"]);
  assert.is(configPathOf(flags), "/etc/docker.json");
  assert.is(configPathOf(new Map()), "/etc/docker/daemon.json");
});

test("a switch does not take the next word", () => {
  assert.equal(parse("--live-restore --debug -D --bridge weave"), {
    "live-restore": ["true"],
    debug: ["true", "true"],
    bridge: ["weave"],
  });
  assert.equal(parse("--icc=false --iptables=true -D=false"), { icc: ["false"], iptables: ["true"], debug: ["false"] });
});

test("restart, and a switch of another dockerd at the end of the line", () => {
  assert.equal(parse("-r=false"), { restart: ["false"] });
  assert.equal(parse("--restart -D"), { restart: ["true"], debug: ["true"] });
  assert.equal(parse("--signature-verification=false --enable-secrets"), {
    "signature-verification": ["false"],
    "enable-secrets": ["true"],
  });
});

test("a value may have = in it, or be empty", () => {
  assert.equal(parse("--log-opt tag=x=y --label=a=b --dns-search="), {
    "log-opt": ["tag=x=y"],
    label: ["a=b"],
    "dns-search": [""],
  });
});

test("the command line of a running daemon is read", () => {
  assert.equal(
    parse("-H fd:// --containerd=/run/containerd/containerd.sock --bridge=weave --fixed-cidr=10.2.1.0/24 --mtu=1450"),
    {
      host: ["fd://"],
      containerd: ["/run/containerd/containerd.sock"],
      bridge: ["weave"],
      "fixed-cidr": ["10.2.1.0/24"],
      mtu: ["1450"],
    },
  );
});

test("a word that is not a flag has no values", () => {
  assert.equal(parse("weave - -- -Z --debug stray"), { debug: ["true"] });
  assert.equal(parse(""), {});
});

test("flags are added at the end", () => {
  assert.is(withDockerFlags("", desired({ bridge: ["weave"] })), "--bridge=weave");
  assert.is(
    withDockerFlags("-H fd:// --log-level warn", desired({ bridge: ["weave"], dns: ["1.1.1.1", "8.8.8.8"] })),
    "-H fd:// --log-level warn --bridge=weave --dns=1.1.1.1 --dns=8.8.8.8",
  );
});

test("a flag with other values is replaced, however it is spelled", () => {
  for (const line of ["-b docker1 -D", "--bridge docker1 -D", "-bdocker1 -D", "--bridge=docker1 -D --bridge=x"]) {
    assert.is(withDockerFlags(line, desired({ bridge: ["weave"] })), "-D --bridge=weave", line);
  }
});

test("a flag that has its values stays as it is written", () => {
  const line = `-b weave  --dns "1.1.1.1" --dns=8.8.8.8 --label 'a b'`;
  assert.is(withDockerFlags(line, desired({ bridge: ["weave"], dns: ["1.1.1.1", "8.8.8.8"] })), line);
});

test("the order of a flag's values counts", () => {
  assert.is(
    withDockerFlags("--dns=1.1.1.1 --dns=8.8.8.8", desired({ dns: ["8.8.8.8", "1.1.1.1"] })),
    "--dns=8.8.8.8 --dns=1.1.1.1",
  );
});

test("a flag without values is removed", () => {
  assert.is(withDockerFlags("--dns 1.1.1.1 -D --dns=8.8.8.8", desired({ dns: [] })), "-D");
  assert.is(withDockerFlags("-D", desired({ dns: [] })), "-D");
});

test("unknown words stay as they are written", () => {
  assert.is(
    withDockerFlags(`stray -Z "$OTHER" --mtu=9000 --label="a b"`, desired({ mtu: ["1450"] })),
    `stray -Z "$OTHER" --label="a b" --mtu=1450`,
  );
});

test("an MTU of 1500 is dockerd's default", () => {
  assert.ok(meansTheSame("mtu", undefined, ["1500"]));
  assert.ok(meansTheSame("mtu", ["1500"], undefined));
  assert.not.ok(meansTheSame("mtu", undefined, ["1450"]));
  assert.not.ok(meansTheSame("bridge", undefined, ["weave"]));
  assert.ok(meansTheSame("dns", undefined, []));
  assert.is(withDockerFlags("-D", desired({ mtu: ["1500"] })), "-D");
  assert.is(withDockerFlags("-D --mtu=1450", desired({ mtu: ["1500"] })), "-D --mtu=1500");
});

test("a flag without values is not set, and means dockerd's default", () => {
  assert.ok(meansTheSame("mtu", [], undefined));
  assert.ok(meansTheSame("mtu", ["1500"], []));
});

const plain = fc.string({ unit: fc.constantFrom(..."ab1./:-"), minLength: 1, maxLength: 6 }).map((text) => `v${text}`);
/** Lines of well-formed options, in all spellings. */
const written = fc.oneof(
  fc.tuple(fc.constantFrom("bridge", "dns", "mtu", "label", "log-opt", "host"), plain).map(([n, v]) => `--${n}=${v}`),
  fc.tuple(fc.constantFrom("bridge", "dns", "mtu", "label", "log-opt", "host"), plain).map(([n, v]) => `--${n} ${v}`),
  fc.tuple(fc.constantFrom("b", "H", "l"), plain, fc.constantFrom(" ", "=", "")).map(([n, v, s]) => `-${n}${s}${v}`),
  fc.constantFrom("-D", "--live-restore", "--icc=false", `--label="a b"`, "--label 'c d'", "stray"),
);
const lines = fc.array(written, { maxLength: 6 }).map((words) => words.join(" "));
const flags = fc
  .record(
    {
      bridge: fc.array(plain, { maxLength: 1 }),
      dns: fc.array(plain, { maxLength: 3 }),
      mtu: fc.array(plain, { minLength: 1, maxLength: 1 }),
      "fixed-cidr": fc.array(plain, { maxLength: 1 }),
    },
    { requiredKeys: [] },
  )
  .map((record) => new Map<string, readonly string[]>(Object.entries(record)));

test("a line has the flags that were set, and setting them again changes nothing", () => {
  forAll([lines, flags], (line, given) => {
    const result = withDockerFlags(line, given);
    const present = parseDockerFlags(splitWords(result));
    for (const [name, values] of given) assert.ok(meansTheSame(name, present.get(name), values), result);
    assert.is(withDockerFlags(result, given), result);
  });
});

test("options that are not given keep their values, spelling and order", () => {
  forAll([lines, flags], (line, given) => {
    const others = (text: string): unknown => {
      const all = parseDockerFlags(splitWords(text));
      return [...all].filter(([name]) => !given.has(name));
    };
    const result = withDockerFlags(line, given);
    assert.equal(others(result), others(line));
    const rest = withDockerFlags(result, new Map([...given.keys()].map((name) => [name, []])));
    const bare = withDockerFlags(line, new Map([...given.keys()].map((name) => [name, []])));
    assert.equal(splitWords(rest), splitWords(bare));
  });
});

test.run();
