import { suite } from "uvu";
import * as assert from "uvu/assert";
import { failures, playWithoutHosts } from "./support/playbook";

/** examples/nodejs-rest-api: what its playbook refuses before it reaches a host. The inventory's hosts do not exist. */
const test = suite("the example's variables");
const INVENTORY = "[weave_servers]\ndocker1 ansible_host=192.0.2.1\ndocker2 ansible_host=192.0.2.2\n";

for (const wrong of ["instances=many", "instances=0", "balancer=docker9"]) {
  test(`${wrong} is refused, and nothing is ended`, async () => {
    const run = await playWithoutHosts("examples/nodejs-rest-api/site.yml", INVENTORY, "--extra-vars", wrong);
    assert.is(run.status, 2, run.output);
    assert.match(
      failures(run)["docker1"] ?? run.output,
      /^instances: must be a whole number of at least 1 \(found \S+\), and balancer: must be one of the hosts docker1, docker2 \(found /,
    );
    assert.is(run.results.length, 1, "nothing else was tried");
  });
}

test.run();
