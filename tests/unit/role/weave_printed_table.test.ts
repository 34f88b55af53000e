import { suite } from "uvu";
import * as assert from "uvu/assert";
import { apart, container, type Findings, host, problemsOf, source, tableOf, target } from "../support/verify_results";

/** weave_printed_table.py, whose function is called as tasks/verify.yml calls it. */
const test = suite("the table that verify.yml prints");

test("cells are short, and untested containers are listed", () => {
  const table = tableOf(apart);
  assert.match(table, /h1: web +- +ok 123\.0 ok 0\.12 +ok 1/);
  assert.match(table, "3 of 6 paths work, 3 are blocked; the slowest took 123.456 ms.");
  assert.match(table, "h2: 1 of its 9 containers are tested (weave_verify_containers).");
  assert.not.match(table, /^h2 {2,}/m);
});

test("a single host is reported, and is not a failure", () => {
  const alone = { hosts: [host(1)], targets: [target(1)], sources: [] };
  assert.match(tableOf(alone), "h1 is the only host of weave_servers: there is no other host to reach.");
  assert.match(tableOf(alone), "Tested 0 of 1 hosts, and 0 of 0 containers.");
  assert.equal(problemsOf(alone), []);
});

test("a host or container counts as tested if it was pinged, or pinged others", () => {
  const containers = (number: number): object => {
    const own = [container("a", `10.2.${number}.1`), container("b", `10.2.${number}.2`)];
    return { containers: own, containers_total: 2 };
  };
  const pinged = { "10.2.0.2": 0.3, "10.2.2.1": null };
  const found = {
    hosts: [host(1, containers(1)), host(2, containers(2)), host(3)],
    targets: [target(1), target(2), target(3)],
    sources: [source(1, pinged), source(1, pinged, { container: "a" }), source(3, {}, { error: "no ping was run" })],
  };
  assert.match(tableOf(found), "Tested 2 of 3 hosts, and 2 of 4 containers.");
});

test("many addresses make no table, but their number and the blocked paths", () => {
  const targets = Array.from({ length: 30 }, (_, index) => target(1 + (index % 2), `10.2.9.${index}`));
  const reached = Object.fromEntries(Array.from({ length: 15 }, (_, index) => [`10.2.9.${2 * index + 1}`, 0.2]));
  const table = tableOf({ hosts: [host(1), host(2)], targets, sources: [source(1, reached)] });
  assert.match(table, "30 addresses are too many for a table; blocked paths are listed below.");
  assert.match(table, "All 15 paths work");
});

test("a table has eight columns side by side, and names of forty characters", () => {
  const targets = Array.from({ length: 9 }, (_, index) => target(2, `10.2.2.${index}`, "c".repeat(36 + index)));
  const sources = [source(1, { "10.2.2.0": 0.5, "10.2.2.8": null })];
  assert.is(
    tableOf({
      hosts: [
        host(1, { containers_total: 0 }),
        host(2, { docker: "unresponsive" }),
        host(3, { docker: "missing" }),
        host(4, { docker: "no_client" }),
      ],
      targets,
      sources,
    }),
    [
      ...targets.map(
        (_, index) =>
          ` ${index + 1}  10.2.2.${index}         h2: ${index === 0 ? "c".repeat(36) : `${"c".repeat(34)}..`}`,
      ),
      "",
      "from, to  1        2        3        4        5        6        7        8",
      "h1        ok 0.5   -        -        -        -        -        -        -",
      "",
      "from, to  9",
      "h1        BLOCKED",
      "",
      "Tested 1 of 4 hosts, and 0 of 0 containers.",
      "1 of 2 paths work, 1 is blocked; the slowest took 0.5 ms.",
      "The traffic between hosts is not encrypted.",
      "h1: no running container is on the network.",
      "h2: Docker is unresponsive, so none of its containers is tested.",
      "h3: Docker is not installed, so none of its containers is tested.",
      "h4: Docker's client is not installed (apt install docker-cli), so none of its containers is tested.",
    ].join("\n"),
  );
});

test("what could not be tested is counted and a problem, unless the host is excused", () => {
  const found: Findings = {
    hosts: [
      host(1, { docker: "stopped" }),
      host(2, { docker: "missing" }),
      host(3, { not_running: ["db", "web"], containers_total: 1, containers: [container("api", "10.2.3.1")] }),
      { name: "h4", underlay: "", error: "timed out", bridge: { state: "unknown", address: null }, containers: [] },
      host(5),
    ],
    targets: [],
    sources: [source(5, {}, { error: "ping: command not found" })],
  };
  const started =
    "h3: all containers that were started must run, or they can't be tested (found that Docker fails to start db, web). See why (docker inspect --format '{{.State.Error}}' db; docker logs db), remove them, or list h3 in weave_verify_excused.";
  const problems = problemsOf(found);
  assert.equal(problems.slice(1, 4), [
    "h1: Docker must run, or its containers can't be tested (found it stopped). Start it (systemctl start docker), or list h1 in weave_verify_excused.",
    "h2: Docker must be installed, or its containers can't be tested (found no dockerd). Install it (apt install docker.io), or list h2 in weave_verify_excused.",
    started,
  ]);
  assert.match(problems[0] ?? "", "h4: must be reachable by Ansible");
  assert.match(problems[4] ?? "", "h5: no path could be tested");
  assert.is(problems.length, 5);
  assert.equal(problemsOf(found, true, ["h1", "h2", "h4", "h5"]), [started]);
  assert.equal(problemsOf(found, true, ["all"]), []);
  const table = tableOf(found);
  assert.match(table, "Tested 0 of 5 hosts, and 0 of 3 containers.\nNo path was tested.\n");
  assert.match(table, "h4: it gave no answer, so neither the host nor its containers are tested.");
  assert.match(table, "h3: db, web do not run, so nothing is tested there.");
});

test.run();
