import { test } from "uvu";
import * as assert from "uvu/assert";
import { resolveDesired } from "../../../modules/weave_bridge/desired";
import { findIsolation, findNftablesBackend } from "../../../modules/weave_bridge/firewall/docker";
import { plan } from "../../../modules/weave_bridge/plan";
import { fakeHost } from "../support/fake_host/fake_host";
import { userErrorOf } from "../support/user_error";
import { FRESH, vxlan } from "./fixtures";

const CONFIG = "/etc/docker/daemon.json";

/** A host with a dockerd that runs with these arguments, or with none, and with these files. */
const found = (files: Readonly<Record<string, string>>, words: readonly string[] | null = null): string | null =>
  findNftablesBackend(
    fakeHost({
      files,
      kernel:
        words === null
          ? {}
          : {
              "/var/run/docker.pid": "77",
              "/proc/77/comm": "dockerd",
              "/proc/77/cmdline": ["/usr/bin/dockerd", ...words, ""].join("\0"),
            },
    }),
  );

test("a Docker that is configured to use nftables is found by the running daemon's arguments", () => {
  const argument = "--firewall-backend=nftables among the arguments of dockerd";
  assert.is(found({}, ["-H", "fd://", "--firewall-backend=nftables"]), argument);
  assert.is(found({}, ["--firewall-backend", "nftables", "-H", "fd://"]), argument);
  assert.is(found({}, ["--firewall-backend=iptables"]), null);
  assert.is(found({}, ["--label=firewall-backend=nftables"]), null);
});

test("or by daemon.json, whether Docker runs or not, at the path that the running one was given", () => {
  const content = '{"bip": "10.9.0.1/24", "firewall-backend": "nftables"}';
  const line = '"firewall-backend": "nftables" in';
  assert.is(found({ [CONFIG]: content }), `${line} ${CONFIG}`);
  assert.is(found({ [CONFIG]: content }, ["-H", "fd://"]), `${line} ${CONFIG}`);
  assert.is(found({ "/opt/docker.json": content }, ["--config-file=/opt/docker.json"]), `${line} /opt/docker.json`);
  assert.is(found({ [CONFIG]: content }, ["--config-file=/opt/docker.json"]), null);
  for (const other of ['{"firewall-backend": "iptables"}', "{}", "", "not JSON", '{"firewall-backend": 1}', "[]"]) {
    assert.is(found({ [CONFIG]: other }, []), null, other);
  }
  assert.is(found({}), null);
});

test("it is rejected by name", () => {
  const nftablesBackend = `"firewall-backend": "nftables" in ${CONFIG}`;
  assert.is(
    userErrorOf(() => resolveDesired(vxlan(), { ...FRESH, nftablesBackend })),
    "firewall: Docker must use iptables on this host, as this module's rule for the bridge's frames does (found " +
      `"firewall-backend": "nftables" in ${CONFIG}). Set firewall-backend to iptables there and restart Docker, or set ` +
      "firewall: off and add rules of your own that accept the frames.",
  );
});

// Docker 20.10 has the rule in FORWARD, after this module's; Docker 28 in a chain that it puts before it.
test("a rule by which Docker isolates the bridge's containers is warned of", () => {
  for (const rule of ["-A DOCKER-FORWARD -i weave -o weave -j DROP", "-A FORWARD -i weave -o weave -j DROP"]) {
    const table = `*filter\n:FORWARD DROP [0:0]\n-A FORWARD -i docker0 -o docker0 -j DROP\n${rule}\nCOMMIT\n`;
    assert.is(findIsolation("weave", table), rule);
    assert.equal(plan(vxlan(), { ...FRESH, isolation: rule }).warnings, [
      `firewall: Docker must let the containers on weave reach one another (found its rule ${rule}, as icc=false sets it). Set ` +
        "Docker's icc to true and restart Docker.",
    ]);
    assert.is(plan(vxlan({ firewall: "off" }), { ...FRESH, isolation: rule }).warnings, undefined);
  }
  assert.is(
    findIsolation("weave", "-A FORWARD -i docker0 -o docker0 -j DROP\n-A FORWARD -i weave -o weave -j ACCEPT\n"),
    null,
  );
  // As Docker 28.5 has it on each of its bridges.
  assert.is(findIsolation("weave", "-A DOCKER ! -i weave -o weave -j DROP\n"), null);
  assert.is(findIsolation("weave", null), null);
});

test.run();
