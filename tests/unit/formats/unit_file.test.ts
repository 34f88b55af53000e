import { test } from "uvu";
import * as assert from "uvu/assert";
import { unitSettings } from "../../../modules/formats/systemd_ini";

test("settings are read over a unit's files in their order, and an empty one takes back those before", () => {
  const unit = "[Unit]\nExecStart=no\n[Service]\nExecStart = a b \\\n# within\n  c\\\n;too\n\n  ExecStart=d\r\n";
  assert.equal(unitSettings([unit], "Service", "ExecStart"), ["a b  c", "d"]);
  assert.equal(unitSettings([unit, "[Service]\nExecStart=\nExecStart=e"], "Service", "ExecStart"), ["e"]);
  assert.equal(unitSettings([unit, "[Service]\nExecStart="], "Service", "ExecStart"), []);
  assert.equal(unitSettings([unit], "Service", "ExecStop"), []);
});

test.run();
