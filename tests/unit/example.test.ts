import { suite } from "uvu";
import * as assert from "uvu/assert";
import { failures } from "../e2e/playbook";
import { playWithoutHosts } from "./support/playbook";

/** examples/nodejs-rest-api: what its playbook rejects before it reaches a host. The inventory's hosts do not exist. */
const test = suite("the example's variables");
const INVENTORY = "[weave_servers]\ndocker1 ansible_host=192.0.2.1\ndocker2 ansible_host=192.0.2.2\n";

const INSTANCES = /^instances: must be a whole number of at least 1 \(found \S+\)\. Set one/;
for (const [wrong, message] of [
  ["instances=many", INSTANCES],
  ["instances=0", INSTANCES],
  ["balancer=docker9", /^balancer: must be a host of the play \(found docker9\)\. Set one of docker1, docker2\.$/],
] as const) {
  test(`${wrong} is rejected, and nothing is ended`, async () => {
    const run = await playWithoutHosts("examples/nodejs-rest-api/site.yml", INVENTORY, "--extra-vars", wrong);
    assert.is(run.status, 2, run.output);
    assert.match(failures(run)["docker1"] ?? run.output, message);
    assert.is(run.results.filter(({ outcome }) => outcome !== "skipped").length, 1, "nothing else was tried");
  });
}

test.run();
