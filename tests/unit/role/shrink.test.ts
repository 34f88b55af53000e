import { suite } from "uvu";
import * as assert from "uvu/assert";
import { failures, type PlaybookRun } from "../../e2e/playbook";
import { playWithoutHosts } from "../support/playbook";

/** playbooks/shrink.yml: what it rejects before it reaches a host. The inventory's hosts do not exist. */
const test = suite("shrink.yml");
const NAMES = ["apollo1", "apollo2", "apollo3"];
const hostLine = (name: string, index: number): string => {
  const [underlay, identity] = ["198.51.100", "203.0.113"].map((network) => `${network}.${index + 1}`);
  return `${name} ansible_host=192.0.2.${index + 1} weave_underlay_address=${underlay} weave_wireguard_identity=${identity}\n`;
};
const INVENTORY = `[weave_servers]\n${NAMES.map(hostLine).join("")}`;

const shrink = (vars: object, ...limit: string[]): Promise<PlaybookRun> =>
  playWithoutHosts("playbooks/shrink.yml", INVENTORY, "--extra-vars", JSON.stringify(vars), ...limit);

test("an empty weave_leaving and hosts outside the group are rejected", async () => {
  for (const [leaving, shown] of [
    [{}, ""],
    [{ weave_leaving: "" }, ""],
    [{ weave_leaving: "apollo9" }, "apollo9"],
    [{ weave_leaving: "apollo3,apollo9" }, "apollo3,apollo9"],
  ] as const) {
    const run = await shrink(leaving);
    assert.is(run.status, 2, run.output);
    assert.equal(failures(run), {
      localhost:
        `weave_leaving: must name hosts of the group weave_servers (found "${shown}"; the group has apollo1, apollo2, apollo3). ` +
        "Set the hosts that leave (-e weave_leaving=docker3,docker4).",
    });
    assert.is(run.results.length, 1, "nothing else was tried");
  }
});

/** The rejections, where no host was reached; the hosts are tried side by side. */
async function rejections(vars: object): Promise<Record<string, string>> {
  const run = await shrink({ weave_leaving: "apollo3", ...vars });
  assert.is(run.status, 2, run.output);
  assert.equal(
    run.results.filter(({ action }) => !/(fail|add_host)$/.test(action)),
    [],
  );
  return failures(run);
}

test("any limit is rejected, as the others would keep the leaving host among their peers", async () => {
  for (const limit of ["apollo3", "localhost,apollo3", "apollo*"]) {
    const { status, output, results } = await shrink({ weave_leaving: "apollo3" }, "--limit", limit);
    assert.is.not(status, 0, output);
    assert.match(
      output,
      `--limit: must not be used here (found ${limit}), as all other hosts have to remove the leaving`,
    );
    assert.match(output, "Run it without --limit; only weave_leaving says which hosts leave.");
    assert.equal(results, []);
  }
});

test("peers of the inventory that a leaving host is among, by its name or address, are rejected", async () => {
  for (const [kept, given] of [
    ["apollo3", "192.0.2.1 apollo3"],
    ["192.0.2.3", ["192.0.2.1:6783", "192.0.2.3:6783"]],
    ["198.51.100.3", "192.0.2.1,198.51.100.3"],
    ["203.0.113.3", "192.0.2.1, 203.0.113.3"],
  ] as const) {
    const found = await rejections({ weave_launch_peers: given });
    assert.match(
      found["apollo1"] ?? "",
      `weave_launch_peers: must not have hosts that leave (found ${kept} in the inventory of apollo1). Remove `,
    );
    assert.not.ok("apollo3" in found, "the leaving host is not torn down");
  }
});

test.run();
