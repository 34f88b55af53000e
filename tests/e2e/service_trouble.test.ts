import { suite } from "uvu";
import * as assert from "uvu/assert";
import { standInDirectory } from "../stand-ins/weave/install";
import { subjects } from "./command";
import { bootServiceHost, host, launchedAt, removed, service, settled, takeDown } from "./service_host";
import { sh, waitUntil } from "./shell";

/** weave_service by itself: routers that others have launched, or that are slow, fail, or can't be seen. */
const test = suite("weave_service in trouble");
test.before(async () => {
  await bootServiceHost();
  await removed();
});
test.after(takeDown);

const BY_HAND = "WEAVE_NO_FASTDP=1 DOCKER_BRIDGE=weave weave launch --no-dns 192.168.50.99";

test("a router that was launched manually is taken over without a restart", async () => {
  await sh(host, BY_HAND);
  const before = await launchedAt();
  const made = await settled({ peers: ["192.168.50.12"] });
  assert.is(made["disruptions"], undefined);
  assert.equal(subjects(made).slice(3), ["container weave: restart policy", "weave.service: state", "router: peers"]);
  assert.is(await launchedAt(), before);
  assert.is(await sh(host, "systemctl is-active weave"), "active");
});

test("one that was launched with other options is launched again, and the plan says why", async () => {
  await removed();
  await sh(host, BY_HAND);
  const made = await settled({ peers: ["192.168.50.12"], password: "correct-horse" });
  assert.match(String(made["disruptions"]), "(it has another password)");
  assert.is((made["router"] as Record<string, unknown>)["encryption"], true);
});

test("one that was launched manually is stopped for good, and removed", async () => {
  await removed();
  await sh(host, BY_HAND);
  const stopped = await settled({ state: "stopped" });
  assert.equal(subjects(stopped), ["weave.service: state", "container weave: restart policy"]);
  await sh(host, "systemctl restart docker");
  assert.is(await sh(host, "docker ps --quiet"), "");
  assert.equal(subjects(await settled({ state: "absent" })), [
    "container weave",
    "router: rules of iptables-legacy",
    "router: files",
  ]);
});

test("a slow router is waited for", async () => {
  await host.write(`${standInDirectory}/behaviour.json`, '{"startDelayMilliseconds": 3000}');
  await settled({ state: "started" });
  await removed();
});

test("a router that does not start fails the run, with what it logged", async () => {
  await host.write(`${standInDirectory}/behaviour.json`, '{"failOnLaunch": "Inconsistent port settings"}');
  const { failed, msg, ...rest } = await service({ timeout: 20, password: "correct-horse" });
  assert.ok(failed);
  assert.not.match(JSON.stringify([msg, rest]), "correct-horse");
  assert.match(
    msg ?? "",
    /^weave\.service: state: systemctl start weave\.service: must succeed \(found [\s\S]*journalctl .* printed: /,
  );
  assert.match(msg ?? "", "Inconsistent port settings");
  await host.write(`${standInDirectory}/behaviour.json`, "{}");
});

test("what can't be had in time is said, and the next run finishes it", async () => {
  await host.write(`${standInDirectory}/behaviour.json`, '{"startDelayMilliseconds": 6000}');
  const { failed, msg } = await service({ timeout: 3 });
  assert.ok(failed);
  assert.match(msg ?? "", /systemctl start weave\.service: must end within 3 s \(found it running/);
  const made = await service({ state: "started" });
  assert.not(made["failed"], made.msg);
  await host.write(`${standInDirectory}/behaviour.json`, "{}");
  await removed();
});

const unitState = (): Promise<string> => sh(host, "systemctl show weave -p SubState --value");

test("a unit between two tries is stopped for good, and so is what the last try has left", async () => {
  await settled({ peers: [] });
  await host.write(`${standInDirectory}/behaviour.json`, '{"failOnLaunch": "Inconsistent port settings"}');
  await sh(host, "systemctl restart weave || true");
  await sh(host, waitUntil("[ $(systemctl show weave -p SubState --value) = auto-restart ]"));
  await host.write(`${standInDirectory}/behaviour.json`, "{}");
  await sh(host, "docker start weave");
  assert.is(await unitState(), "auto-restart");
  const stopped = await settled({ state: "stopped" });
  assert.equal(subjects(stopped), ["weave.service: state", "weave.service: started by"]);
  await sh(host, "sleep 6");
  // "failed" where the next try had begun before it was stopped, as on a slow machine.
  assert.match(await unitState(), /^(dead|failed)$/);
  assert.is(await sh(host, "docker ps --quiet"), "");
});

test("a unit that is just being started is stopped with its container, by the state that a check has seen", async () => {
  await settled({ peers: [] });
  await settled({ state: "stopped" });
  await host.write(`${standInDirectory}/behaviour.json`, '{"startDelayMilliseconds": 8000}');
  await sh(host, `systemctl start --no-block weave; ${waitUntil("docker ps --quiet | grep -q .")}`);
  assert.is(await unitState(), "start-pre");
  await settled({ state: "stopped" });
  await host.write(`${standInDirectory}/behaviour.json`, "{}");
  // A start that is cut off has failed, for systemd.
  assert.equal([await unitState(), await sh(host, "docker ps --quiet")], ["failed", ""]);
});

test("with Docker stopped its containers can't be seen: absent fails and changes nothing, stopped warns", async () => {
  await sh(host, "systemctl stop docker.socket docker");
  for (const check of [true, false]) {
    const { failed, changed, msg } = await service({ state: "absent" }, check);
    assert.equal([failed, changed], [true, false]);
    assert.is(
      msg,
      "Docker: must run to show the container weave (found it stopped). Start it (systemctl start docker) and run again.",
    );
  }
  const { failed, warnings } = await service({ state: "stopped" });
  assert.not(failed);
  assert.match(String(warnings), "Run again when Docker runs.");
  await sh(host, "systemctl start docker");
  await settled({ state: "absent" });
  assert.is(await sh(host, "docker ps --all --quiet --filter name='^weave$'"), "");
});

test("a daemon with another pid file is seen as running: containers are found, absent and stopped work", async () => {
  await sh(host, "systemctl stop docker.socket docker; mkdir -p /etc/docker; test ! -e /etc/docker/daemon.json");
  await sh(
    host,
    `echo '{"pidfile": "/run/d2.pid"}' >/etc/docker/daemon.json; systemctl start docker; test ! -e /run/docker.pid`,
  );
  await settled({ peers: ["192.168.50.12"] });
  assert.is((await service({ peers: ["192.168.50.12"] }))["warnings"], undefined);
  await settled({ state: "stopped" });
  await settled({ state: "absent" });
  assert.is(await sh(host, "docker ps --all --quiet --filter name='^weave$'"), "");
  await sh(host, "systemctl stop docker.socket docker; rm /etc/docker/daemon.json; systemctl start docker");
});

test.run();
