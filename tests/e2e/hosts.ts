import { debianRelease } from "../hosts/apt_sources";
import { Cluster } from "../hosts/cluster";
import { type Suite, suiteOf } from "../hosts/suites";
import { ALL } from "../runner/sample";
import { printAnySuite } from "../runner/suites";

/**
 * Boots the hosts of a test file, which it takes down by `down()` in its end, or a signal does. They are of the suite that TEST_SUITE
 * in the environment names, unless the file says which, and of the machine's own release without either. `virtual` is how many virtual
 * machines are beside them. Runs of several checkouts on one machine get their own by the environment variable E2E_CLUSTER.
 */
export async function bootHosts(count: number, suite: Suite = anySuite(), virtual = 0): Promise<Cluster> {
  const cluster = await Cluster.up(process.env["E2E_CLUSTER"] ?? "e2e", count, { suite, virtual });
  cluster.tearDownOnSignals();
  return cluster;
}

function anySuite(): Suite {
  const suite = suiteOf(process.env["TEST_SUITE"] ?? debianRelease());
  if (ALL) printAnySuite(suite);
  return suite;
}
