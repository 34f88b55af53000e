import { suite } from "uvu";
import * as assert from "uvu/assert";
import { busyboxImage } from "../hosts/images";
import { installWeaveStandIn } from "../stand-ins/weave/install";
import { ANSWERS, bootServiceHost, host, launchedAt, removed, service, settled, takeDown } from "./service_host";
import { sh, waitUntil } from "./shell";

/** weave_service by itself: Apollo's own units, scripts of all series, and a router with its own bridge. */
const test = suite("weave_service after Apollo");
test.before(async () => {
  await bootServiceHost();
  await removed();
});
test.after(takeDown);

/** Apollo's own unit of 2016, as its role's template renders it for a first host: `expose` would wait for others. */
const APOLLOS_UNIT = `[Unit]
After=docker.service
Requires=docker.service

[Service]
TimeoutStartSec=0
EnvironmentFile=-/etc/weave.%H.env
EnvironmentFile=-/etc/weave.env
Environment=WEAVE_VERSION=1.4.6
ExecStartPre=/usr/local/bin/weave launch-router --no-dns
ExecStart=/usr/bin/docker attach weave
ExecStartPost=/usr/local/bin/weave expose
Restart=on-failure
ExecStop=/usr/local/bin/weave stop-router

[Install]
WantedBy=multi-user.target
`;

/** Its unit of the proxy. */
const APOLLOS_PROXY = `[Unit]
After=weave.service
Requires=weave.service

[Service]
ExecStartPre=/usr/local/bin/weave launch-proxy --rewrite-inspect --without-dns
ExecStart=/usr/bin/docker attach weaveproxy
Restart=on-failure
ExecStop=/usr/local/bin/weave stop-proxy

[Install]
WantedBy=multi-user.target
`;

test("Apollo's units of 2016: router and proxy by an old script, on docker0, with an address for the host", async () => {
  await sh(host, "echo 'DOCKER_OPTS=' >/etc/default/docker; ip link del weave; systemctl restart docker");
  await installWeaveStandIn(host, { version: "1.4.6" });
  await host.write("/etc/systemd/system/weave.service", APOLLOS_UNIT);
  await host.write("/etc/systemd/system/weaveproxy.service", APOLLOS_PROXY);
  await sh(host, `systemctl daemon-reload; systemctl enable --now weave weaveproxy 2>&1; ${ANSWERS}`);
  // It was made through the proxy, which gave it a Weave address.
  const throughProxy = "docker --host unix:///var/run/weave/weave.sock run --detach --name app";
  await sh(host, `${throughProxy} ${await busyboxImage(host)} sleep 1d`);
  const ownAddress = "docker exec app ip -o -4 addr show ethwe";
  assert.match(await sh(host, ownAddress), / inet 10\.\d+\.\d+\.\d+\/12 /);
  const before = await launchedAt();
  const proxyBefore = await launchedAt("weaveproxy");
  const name = await sh(host, "cat /sys/class/net/weave/address");
  const taken = await settled({ mode: "proxy", expose: true, peers: ["192.168.50.12"] });
  assert.is(taken["disruptions"], undefined);
  assert.is(await launchedAt(), before, "Apollo's own router goes on");
  assert.match(await host.read("/etc/weave.env"), `--name=${name} --no-dns`);
  const proxy = { component: "proxy", args: ["--rewrite-inspect", "--without-dns"] };
  const takenProxy = await settled(proxy);
  assert.is(takenProxy["disruptions"], undefined);
  assert.is(await sh(host, "ls /etc/systemd/system/multi-user.target.wants | grep weave || true"), "");
  assert.is(await launchedAt("weaveproxy"), proxyBefore, "Apollo's own proxy goes on");
  assert.match(
    await sh(host, "docker inspect --format '{{.Args}}' weaveproxy"),
    "[--rewrite-inspect --without-dns -H unix:",
  );
  assert.is(await sh(host, "docker ps --format '{{.Names}}' | sort | xargs"), "app weave weaveproxy");
  assert.match(await sh(host, ownAddress), " inet ");
  const otherwise = await service({ ...proxy, args: ["--rewrite-inspect", "--no-rewrite-hosts"] }, true);
  assert.match(JSON.stringify(otherwise.diff), "it was launched without --no-rewrite-hosts");
  await sh(host, "docker rm --force app");
  assert.match(await sh(host, "ip -o -4 addr show dev weave"), " inet ");
  assert.is(await sh(host, "systemd-analyze verify weave.service weaveproxy.service 2>&1"), "");
  await sh(host, `systemctl restart docker; ${waitUntil("systemctl is-active -q weave weaveproxy")}`);
  const plugin = await service({ component: "plugin" }, true);
  assert.not(plugin["failed"], plugin.msg);
  for (const component of ["proxy", "router"]) await removed(component);
});

test("an address waits for enough routers: the run ends well and says how many, and so does a start", async () => {
  await sh(host, "ip link del weave || true");
  await installWeaveStandIn(host);
  const options = { mode: "proxy", expose: true, peers: ["192.168.50.12", "192.168.50.13"] };
  const made = await settled(options);
  assert.ok(made["expose_pending"]);
  assert.match(String(made["warnings"]), "gets its address on the network when 2 of 3 routers are up (found 1)");
  assert.is(await sh(host, "systemctl is-active weave weave-expose | xargs"), "active active");
  await sh(host, `systemctl restart docker; ${waitUntil("systemctl -q is-active weave-expose")}`);
  // Docker used a bridge of this name in earlier tests, and up to 20.10 gives it that network's address again.
  assert.not.match(await sh(host, "ip -o -4 addr show dev weave"), / inet (?!10\.2\.0\.1\/16 )/);
  const waiting = await service(options);
  assert.not(waiting.changed, JSON.stringify(waiting.diff));
  assert.ok(waiting["expose_pending"]);
  await sh(host, "iptables -C FORWARD -i weave -o weave -m comment --comment weave_service -j ACCEPT");
  await removed();
  const alone = await settled({ mode: "proxy", expose: true, peers: [] });
  assert.not(alone["expose_pending"]);
  assert.match(await sh(host, "ip -o -4 addr show dev weave"), / inet 10\.(?:3[2-9]|4[0-7])\./);
  await removed();
  assert.is(
    await sh(host, "ls /etc/systemd/system | grep weave || true; iptables-save | grep weave_service || true"),
    "",
  );
});

test("the article's script, whose launch starts only the router", async () => {
  await sh(host, "ip link del weave || true");
  await installWeaveStandIn(host, { version: "1.0.3" });
  await settled({ mode: "proxy", peers: ["192.168.50.12"] });
  assert.is(await sh(host, "docker ps --format '{{.Names}}'"), "weave");
  const made = await settled({ mode: "proxy", peers: [] });
  assert.match(String(made["disruptions"]), "(with other WEAVE_PEERS)");
  await removed();
});

test("a component that is within the router since 2.0 is rejected, with the way to have it", async () => {
  await installWeaveStandIn(host);
  const { msg } = await service({ component: "proxy" });
  assert.match(
    msg ?? "",
    /^component: the proxy runs within the router since Weave 2\.0 .* Set component: router with mode: proxy/,
  );
});

test.run();
