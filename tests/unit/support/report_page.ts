import { spawnSync } from "node:child_process";
import { join } from "node:path";
import * as assert from "uvu/assert";

const ROLE = join(__dirname, "../../../roles/weave");

// As Ansible's template does it, with the filters of its controller.
const RENDER = `import datetime, json, os, sys
role = sys.argv[1]
sys.path.insert(0, os.path.join(role, "filter_plugins"))
import jinja2, weave_picture, weave_report, weave_verify
found, bridged = json.load(sys.stdin)
environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(os.path.join(role, "templates")), trim_blocks=True, undefined=jinja2.StrictUndefined
)
for plugin in (weave_picture, weave_report):
    environment.filters.update(plugin.FilterModule().filters())
sys.stdout.buffer.write(environment.get_template("report.html.j2").render(
    now=lambda utc: datetime.datetime(2026, 1, 31, 9, 5),
    weave_server_group="weave_servers",
    weave_verify=found,
    weave_verify_problems=weave_verify.problems(found, bridged),
).encode())`;

/** The page that playbooks/verify.yml writes of these findings, as HTML. */
export function renderPage(found: object, bridged = true): string {
  const python = spawnSync("/usr/bin/python3", ["-B", "-c", RENDER, ROLE], {
    input: JSON.stringify([found, bridged]),
    encoding: "utf8",
    maxBuffer: 64 << 20,
  });
  assert.is(python.stderr, "");
  return python.stdout;
}
