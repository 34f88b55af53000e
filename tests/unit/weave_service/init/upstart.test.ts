import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseStatus } from "../../../../modules/weave_service/init/upstart/upstart";

const answers = {
  "weave start/running, process 1234": { state: "running", pid: 1234 },
  "weave start/running": { state: "running", pid: 0 },
  "weave start/pre-start, process 12": { state: "starting", pid: 0 },
  "weave start/post-stop, process 12": { state: "starting", pid: 0 },
  "weave stop/killed, process 12": { state: "stopping", pid: 0 },
  "weave stop/waiting": { state: "stopped", pid: 0 },
  "": { state: "stopped", pid: 0 },
};

for (const [answer, meaning] of Object.entries(answers)) {
  test(`"${answer}" means ${meaning.state}`, () => {
    assert.equal(parseStatus(`${answer}\n`), meaning);
  });
}

test.run();
