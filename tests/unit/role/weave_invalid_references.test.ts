import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { failures } from "../../e2e/playbook";
import { playWithoutHosts } from "../support/playbook";
import { callPlugin } from "../support/python";
import { inTemporaryDirectory } from "../support/temporary_directory";

/** roles/weave/filter_plugins/weave_invalid_references.py: variables that name hosts of the inventory and files of the controller. */
const test = suite("what the role's variables name");

const FILTERS = join(__dirname, "../../../roles/weave/filter_plugins");
const GROUP = ["a", "b", "c"];

type Purpose = "set up" | "verify" | "tear down";

function wrong(given: object, purpose: Purpose = "set up", host = "a", play = ["a", "b"]): string {
  const values = { weave_server_group: "weave_servers", ...given };
  return callPlugin("weave_invalid_references", "find_invalid_references", [values, host, GROUP, play, purpose]);
}

test("a host outside the group, which may not exist", () => {
  for (const purpose of ["set up", "verify", "tear down"] as const) {
    assert.is(wrong({}, purpose), "");
    assert.is(
      wrong({}, purpose, "z"),
      "weave_server_group: must be a group with all hosts of the play (found z, which is not in the group weave_servers). Add it to the group, or run the role on that group alone (hosts: weave_servers).",
    );
  }
  assert.match(wrong({ weave_server_group: null }, "verify", "z"), "not in the group of no name)");
});

test("hosts that leave, of which the group has none, or which the play would set up", () => {
  for (const leaving of [[], "", "c", ["c"], null]) assert.is(wrong({ weave_leaving: leaving }), "");
  assert.match(
    wrong({ weave_leaving: "c, docker9" }),
    /^weave_leaving: must name hosts of the group \(found docker9 for a\)\. Correct or remove the names: /,
  );
  assert.match(
    wrong({ weave_leaving: ["b", "c"] }),
    /^weave_leaving: must not name hosts of the play, .* \(found b for a\)\. Run playbooks\/shrink\.yml, /,
  );
  for (const purpose of ["verify", "tear down"] as const) assert.is(wrong({ weave_leaving: ["d"] }, purpose), "");
});

test("excused hosts that the group does not have", () => {
  for (const excused of ["all", "a,b", ["c"], []]) assert.is(wrong({ weave_verify_excused: excused }, "verify"), "");
  assert.is(
    wrong({ weave_verify_excused: ["a", "docker9"] }, "verify"),
    "weave_verify_excused: must name hosts of the group, or all (found docker9 for a). Correct or remove the names.",
  );
  assert.is(wrong({ weave_verify_excused: ["docker9"] }), "", "only a verification reads it");
});

test("a report in a directory that does not exist, or that is one itself", () => {
  inTemporaryDirectory((directory) => {
    const said = (report: unknown): string => wrong({ weave_verify_report: report }, "verify");
    for (const report of ["", join(directory, "report.html"), "report.html"]) assert.is(said(report), "", report);
    assert.is(
      said(join(directory, "none/report.html")),
      `weave_verify_report: must be in a directory that the controller has (found no directory ${directory}/none for a). Create it (mkdir -p ${directory}/none), or name another file.`,
    );
    for (const report of [directory, `${directory}/`])
      assert.is(
        said(report),
        `weave_verify_report: must be a file (found the directory ${directory} for a). Write it as ${directory}/report.html.`,
      );
    assert.match(said(null), "weave_verify_report: must be a file (found nothing for a)");
    assert.is(wrong({ weave_verify_report: "/nowhere/report.html" }), "", "only a verification writes it");
  });
});

test("a report in a directory that its user can't write to", () => {
  inTemporaryDirectory((directory) => {
    const closed = join(directory, "closed");
    chmodSync(directory, 0o755);
    mkdirSync(closed, 0o755);
    // Where everybody can read it.
    copyFileSync(join(FILTERS, "weave_invalid_references.py"), join(directory, "weave_invalid_references.py"));
    const code = `
from weave_invalid_references import find_invalid_references
print(find_invalid_references({"weave_verify_report": "${closed}/report.html", "weave_server_group": "g"}, "a", ["a"], ["a"], "verify"))`;
    // Root could write anywhere.
    const asNobody = process.getuid?.() === 0 ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : [];
    const [program = "", ...args] = [...asNobody, "python3", "-B", "-c", code];
    if (asNobody.length === 0) chmodSync(closed, 0o555);
    const { stdout, stderr } = spawnSync(program, args, {
      encoding: "utf8",
      env: { PATH: "/usr/bin:/bin", PYTHONPATH: directory },
    });
    assert.is(
      stdout.trim(),
      `weave_verify_report: must be in a directory that ansible-playbook's user can write to (found ${closed} for a). Name another file, or set "" for none.`,
      stderr,
    );
  });
});

test("each playbook rejects them before it reaches a host, for every host of the play", async () => {
  const local = "ansible_connection=local ansible_become=false weave_datapath=vxlan";
  const inventory = `[weave_servers]\ndocker1 ${local}\ndocker2 ${local}\n`;
  const CASES: readonly (readonly [playbook: string, variables: object, variable: string])[] = [
    ["site.yml", { weave_leaving: ["docker9"] }, "weave_leaving"],
    ["playbooks/verify.yml", { weave_verify_excused: "docker9" }, "weave_verify_excused"],
    ["playbooks/verify.yml", { weave_verify_report: "/nowhere/report.html" }, "weave_verify_report"],
  ];
  for (const [playbook, variables, variable] of CASES) {
    const run = await playWithoutHosts(playbook, inventory, "--check", "-e", JSON.stringify(variables));
    assert.is.not(run.status, 0, run.output);
    const said = Object.values(failures(run));
    assert.is(said.length, 2, run.output);
    for (const message of said) assert.match(message, new RegExp(`^${variable}: must [^(]*\\(found [^)]*\\)\\. [A-Z]`));
    assert.not.match(run.output, "Probe");
  }
});

test.run();
