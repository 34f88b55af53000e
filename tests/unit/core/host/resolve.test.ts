import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { linuxHost } from "../../../../modules/core/host/linux";
import { parseGetent, resolveNames, runTogether } from "../../../../modules/core/host/resolve";
import { isLoopback } from "../../../../modules/net/ipv4";
import { userErrorLater } from "../../support/user_error";

test("names are resolved as by this host's programs, and an unknown one has no address", async () => {
  assert.match(readFileSync("/etc/hosts", "utf8"), /^127\.0\.0\.1\s.*\blocalhost\b/m);
  // getent has no answer on a host without an address outside the loopback (AI_ADDRCONFIG).
  const online = linuxHost.addresses().some((address) => !isLoopback(address));
  assert.equal(
    [...(await resolveNames(["localhost", NOBODY, "localhost"]))],
    [
      ["localhost", online ? ["127.0.0.1"] : []],
      [NOBODY, []],
    ],
  );
  assert.is((await resolveNames([])).size, 0);
});

/** Longer than a label may be, so that no server is asked. */
const NOBODY = "n".repeat(64);

test("each address is read once, in getent's order", () => {
  const output =
    "192.168.50.12   STREAM host2\n192.168.50.12   DGRAM  \n192.168.50.12   RAW    \n10.0.0.2        STREAM \n";
  assert.equal(parseGetent(output), ["192.168.50.12", "10.0.0.2"]);
  assert.equal(parseGetent(""), []);
});

test("programs run in parallel, and those that time out are killed", async () => {
  const begin = Date.now();
  const slow = ["/bin/sh", "-c", "echo half; exec sleep 60"];
  const outputs = await runTogether([slow, ["/bin/echo", "a"], slow, ["/bin/false"], slow], 2, "");
  assert.equal(outputs, ["", "a\n", "", "", ""]);
  assert.ok(Date.now() - begin < 20_000);
});

test("a missing program is an error", async () => {
  assert.match(
    await userErrorLater(() => runTogether([["/usr/bin/no-such"]], 1, "Install it.")),
    /^\/usr\/bin\/no-such: can't be run \(found ENOENT\)\. Install it\.$/,
  );
});

test.run();
