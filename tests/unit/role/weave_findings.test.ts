import { suite } from "uvu";
import * as assert from "uvu/assert";
import { callPlugin } from "../support/python";
import { container, type Findings, has, host, problemsOf, source, tableOf, target } from "../support/verify_results";

/** weave_findings.py, whose functions are called as tasks/verify.yml calls them. */
const test = suite("the answers that verify.yml gets");

const UNDERLAYS = { h1: "192.0.2.1", h2: "192.0.2.2", h3: "192.0.2.3" };

/** The registered result of a script: its line, after what a login may print. */
const printed = (answer: object): object => ({ stdout: `Welcome\r\n\r\n${JSON.stringify(answer)}\r\n`, rc: 0 });

const findings = (variables: Record<string, object>, playing: string[], failed: string[] = []): Findings =>
  callPlugin("weave_findings", "combine_findings", [
    UNDERLAYS,
    { h1: {}, h2: {}, h3: {}, ...variables },
    playing,
    failed,
  ]);
const pingArguments = (found: Findings, name: string): string[] =>
  callPlugin("weave_findings", "list_ping_arguments", [found, name]);

test("answers from hosts in the play and outside it are combined, in the order of the group", () => {
  const containers = [container("web", "10.2.1.1"), container("db", "10.2.1.2")];
  const others = {
    results: [
      { item: "h2", ...printed(has(2)) },
      { item: "h3", unreachable: true, msg: "no route\r\nto host" },
    ],
  };
  const probe = { __weave_verify_probe: printed(has(1, { containers })), __weave_verify_probe_others: others };
  const before = findings({ h1: probe }, ["h1"]);
  assert.equal(before.hosts, [
    host(1, { containers }),
    host(2),
    {
      name: "h3",
      underlay: "192.0.2.3",
      error: "no route to host",
      bridge: { state: "unknown", address: null },
      containers: [],
    },
  ]);
  assert.equal(before.targets, [target(1), target(1, "10.2.1.1", "web"), target(1, "10.2.1.2", "db"), target(2)]);
  assert.equal(before.sources, []);
  assert.equal(pingArguments(before, "h1"), ["7", "10.2.0.2"]);
  assert.equal(pingArguments(before, "h2"), ["0", "10.2.0.1", "10.2.1.1", "10.2.1.2"]);
  assert.equal(pingArguments(before, "h3"), [], "no path is tested from a host without an answer");
  assert.equal(pingArguments(before, "elsewhere"), []);

  const tried = (answer: object): Findings =>
    findings({ h1: { ...probe, __weave_verify_pings: answer }, h2: { __weave_verify_pings: {} } }, ["h1"]);
  assert.equal(tried(printed({ host: { "10.2.0.2": 0.1 }, container: { "10.2.0.2": null } })), {
    ...before,
    sources: [source(1, { "10.2.0.2": 0.1 }), source(1, { "10.2.0.2": null }, { container: "web" })],
  });
  assert.equal(tried(printed({ host: { "10.2.0.2": 0.1 }, container: null })).sources, [
    source(1, { "10.2.0.2": 0.1 }),
    source(1, {}, { container: "web", error: "the container has stopped", untested: ["10.2.0.2"] }),
  ]);
  assert.equal(tried({ rc: 1, stdout: "Welcome\r\n", stderr: "ping: command not found\n" }).sources, [
    source(1, {}, { error: "ping: command not found", untested: ["10.2.0.2"] }),
  ]);
  assert.equal(tried({ skipped: true }).sources, [source(1, {}, { error: "no ping was run", untested: ["10.2.0.2"] })]);
});

test("a path whose result is missing, for whatever reason, is neither blocked nor one that works", () => {
  const probe = (number: number): object => ({ __weave_verify_probe: printed(has(number)) });
  const pings = (ms: object): object => ({ __weave_verify_pings: printed({ host: ms, container: null }) });
  // As with the strategy `free`, where one host combines what the others have not reported yet.
  const found = findings(
    {
      h1: { ...probe(1), ...pings({ "10.2.0.2": 0.3 }) },
      h2: probe(2),
      h3: { ...probe(3), ...pings({ "10.2.0.1": 0.3, "10.2.0.2": null }) },
    },
    ["h1", "h2", "h3"],
  );
  assert.equal(problemsOf(found).slice(0, 3), [
    "h1: each address must be pinged, or its paths are not tested (found no result for 10.2.0.3). Run playbooks/verify.yml again.",
    "h2: no path could be tested (found: no ping was run). Correct this, and run playbooks/verify.yml again.",
    "h3 does not reach h2 (10.2.0.2).",
  ]);
  assert.match(tableOf(found), "2 of 6 paths work, 1 is blocked, 3 were not tested; the slowest took 0.3 ms.");
  const odd = findings(
    {
      h1: { ...probe(1), __weave_verify_pings: { skipped: true } },
      h2: { __weave_verify_probe: printed(has(2, { bridge: { state: "up", address: "-f" } })) },
    },
    ["h1"],
  );
  assert.match(problemsOf(odd).join("\n"), "h1: no path could be tested (found: no ping was run).");
});

test("a host that failed before, as by its variables, is a source from which nothing was tested", () => {
  const others = { results: [{ item: "h2", ...printed(has(2)) }] };
  const answers = { __weave_verify_probe: printed(has(1)), __weave_verify_probe_others: others };
  const pings = { __weave_verify_pings: printed({ host: { "10.2.0.2": 0.3 }, container: null }) };
  assert.equal(findings({ h1: answers }, ["h1"], ["h2", "h3"]).sources, [], "before the first ping");
  const found = findings({ h1: { ...answers, ...pings } }, ["h1"], ["h2", "h3"]);
  assert.equal(found.sources, [
    source(1, { "10.2.0.2": 0.3 }),
    source(2, {}, { error: "it failed earlier in the run", untested: ["10.2.0.1"] }),
  ]);
  const problem =
    "h2: no path could be tested (found: it failed earlier in the run). Correct this, and run playbooks/verify.yml again.";
  assert.ok(problemsOf(found).includes(problem));
  assert.not.ok(problemsOf(found, true, ["h2"]).includes(problem));
  assert.match(tableOf(found), "1 of 2 paths work, 1 was not tested");
});

test("the error of a host without an answer is its last line, else Ansible's", () => {
  const why = (__weave_verify_probe: object): unknown =>
    findings({ h1: { __weave_verify_probe } }, ["h1"]).hosts[0]?.["error"];
  assert.is(
    why({ stdout: "Welcome\n", stderr: "sudo: a password is required\r\n\n", msg: "non-zero return code" }),
    "sudo: a password is required",
  );
  assert.is(why({ stdout: "Permission denied\r\n" }), "Permission denied");
  assert.is(why({ unreachable: true, msg: "Task failed: ssh: connection refused\r\n" }), "ssh: connection refused");
  assert.is(why({}), "it gave no answer");
});

test("nothing that a host prints becomes a template of the controller's Ansible", () => {
  const evil = "{{ 6 * 7 }}{% x %}{# x #}";
  const escaped = { stdout: JSON.stringify(has(2, { docker: evil })).replaceAll("{{", "\\u007b\\u007b") };
  const found = findings(
    {
      h1: { __weave_verify_probe: printed(has(1, { docker: evil })) },
      h2: { __weave_verify_probe: escaped },
      h3: { __weave_verify_probe: { msg: evil } },
    },
    ["h1", "h2", "h3"],
  );
  assert.is(found.hosts[0]?.["docker"], "{ { 6 * 7 }}{ % x %}{ # x #}");
  assert.not.match(JSON.stringify(found), /\{[{%#]/);
});

test("unreadable output is no answer, and an address that is not one never becomes an option of ping", () => {
  const found = findings(
    {
      h1: { __weave_verify_probe: printed(has(1)) },
      h2: { __weave_verify_probe: printed(has(2, { bridge: { state: "up", address: "-f" } })) },
      h3: { __weave_verify_probe: { stdout: '{"bridge": nonsense}' } },
    },
    ["h1", "h2", "h3"],
  );
  assert.is.not(found.hosts[2]?.["error"], "");
  assert.equal(pingArguments(found, "h1"), []);
});

test.run();
