import { test } from "uvu";
import * as assert from "uvu/assert";
import { renderManualInterface } from "../../../modules/formats/interfaces";
import { renderSections } from "../../../modules/formats/systemd_ini";
import { OWN_FILE, ownFile, parseOwnFiles, stanzaPath, unitPath } from "../../../modules/weave_bridge/own_files";
import { userErrorOf } from "../support/user_error";

test("text that a file can't have is rejected by the file and the line", () => {
  const description = (text: string): string => renderSections("", [["Unit", [["Description", text]]]]);
  assert.is(
    userErrorOf(() => ownFile(unitPath("weave"), () => description("100%"))),
    '/etc/systemd/system/weave-bridge.service: Description= in [Unit] must not have control characters, a "%" or a backslash at ' +
      'its end (found "100%"). Choose another value and run again.',
  );
  const steps = [{ phase: "pre-up", command: "a\nb" }] as const;
  assert.is(
    userErrorOf(() => ownFile(stanzaPath("weave"), () => renderManualInterface({ comment: "", name: "weave", steps }))),
    "/etc/network/interfaces.d/weave.cfg: a line must not have control characters or a backslash at its end (found " +
      '"  pre-up a\\nb"). Remove them and run again.',
  );
});

test("files of others say nothing of the bridge", () => {
  assert.is(parseOwnFiles(["", "iface weave inet manual\n  post-up ip link set dev weave mtu 1400\n"]), null);
  assert.is(parseOwnFiles(["", `# ${OWN_FILE}.\n  post-up ip link set dev weave mtu 1400\n`])?.mtu, 1400);
});

test.run();
