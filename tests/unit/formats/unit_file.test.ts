import { test } from "uvu";
import * as assert from "uvu/assert";
import { unitSettings } from "../../../modules/formats/systemd_ini";

test("settings are read from a unit's files in order, and an empty one discards those before it", () => {
  const unit = "[Unit]\nExecStart=no\n[Service]\nExecStart = a b \\\n# within\n  c\\\n;too\n\n  ExecStart=d\r\n";
  assert.equal(unitSettings([unit], "Service", "ExecStart"), ["a b  c", "d"]);
  assert.equal(unitSettings([unit, "[Service]\nExecStart=\nExecStart=e"], "Service", "ExecStart"), ["e"]);
  assert.equal(unitSettings([unit, "[Service]\nExecStart="], "Service", "ExecStart"), []);
  assert.equal(unitSettings([unit], "Service", "ExecStop"), []);
});

test.run();
