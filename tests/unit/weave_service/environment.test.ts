import { test } from "uvu";
import * as assert from "uvu/assert";
import { environmentValue } from "../../../modules/formats/environment_file";
import {
  differingVariables,
  environmentOf,
  launchedName,
  launchedPort,
  redactEnvironmentFile,
  renderEnvironmentFile,
  sortedPeers,
} from "../../../modules/weave_service/environment";
import type { ServiceOptions } from "../../../modules/weave_service/options";
import { readWeaveScript, scriptOfVersion } from "../../../modules/weave_service/script";
import { matchesGolden } from "../support/golden";
import { userErrorOf } from "../support/user_error";
import { FRESH, golden, serviceOptions } from "./fixtures";

const SECRET = "correct horse";
const render = (options: ServiceOptions): string => renderEnvironmentFile(environmentOf(options, FRESH));
const argsOf = (options: ServiceOptions, version: string): string | undefined =>
  environmentOf(options, { ...FRESH, script: scriptOfVersion(version) }).get("WEAVE_ARGS");

test("the router's environment file equals the golden file", () => {
  matchesGolden(render(serviceOptions()), golden("weave.env"));
});

test("the environment has what the script reads, and the password only if there is one", () => {
  const environment = environmentOf(serviceOptions({ args: ["--no-dns", "--ipalloc-range=10.32.0.0/12"] }), FRESH);
  assert.equal(Object.fromEntries(environment), {
    WEAVE_PEERS: "192.168.50.12 192.168.50.13",
    WEAVE_ARGS: "--no-restart --plugin=false --proxy=false --no-dns --ipalloc-range=10.32.0.0/12",
    WEAVE_NO_FASTDP: "1",
    DOCKER_BRIDGE: "weave",
    WEAVE_MTU: "1438",
    CHECKPOINT_DISABLE: "1",
  });
  assert.is(environmentOf(serviceOptions({ password: SECRET }), FRESH).get("WEAVE_PASSWORD"), SECRET);
});

test("the arguments are those that the script's version knows", () => {
  const dns = serviceOptions({ dns: true });
  assert.is(argsOf(serviceOptions(), "1.0.3"), "");
  assert.is(argsOf(serviceOptions(), "1.4.6"), "--no-dns", "--no-restart came with 1.5");
  assert.is(argsOf(serviceOptions(), "1.5.0"), "--no-restart --no-dns");
  assert.is(argsOf(serviceOptions(), "2.8.1"), "--no-restart --plugin=false --proxy=false --no-dns");
  assert.is(argsOf(dns, "2.8.1"), "--no-restart --plugin=false --proxy=false");
});

test("on docker0 the router may use its fast datapath, runs only the part of its mode, and gets a name of its own", () => {
  for (const [mode, other] of [
    ["proxy", "plugin"],
    ["plugin", "proxy"],
  ] as const) {
    const environment = environmentOf(serviceOptions({ mode }), FRESH);
    for (const name of ["WEAVE_NO_FASTDP", "DOCKER_BRIDGE", "WEAVE_MTU"]) assert.is(environment.has(name), false);
    const args = environment.get("WEAVE_ARGS") ?? "";
    assert.match(args, new RegExp(`^--no-restart --name=([0-9a-f]{2}:){5}[0-9a-f]{2} --${other}=false --no-dns$`));
    assert.is(environmentOf(serviceOptions({ mode }), FRESH).get("WEAVE_ARGS"), args);
  }
});

test("a router on docker0 keeps the name that it has", () => {
  const peerName = "0e:5f:33:00:00:09";
  const environment = environmentOf(serviceOptions({ mode: "proxy" }), { ...FRESH, peerName });
  assert.match(environment.get("WEAVE_ARGS") ?? "", ` --name=${peerName} `);
  assert.is(launchedName(renderEnvironmentFile(environment)), peerName);
  assert.is(launchedName(render(serviceOptions())), null);
  assert.is(
    environmentOf(serviceOptions(), { ...FRESH, peerName }).get("WEAVE_ARGS"),
    argsOf(serviceOptions(), "2.8.1"),
  );
});

test("the port that a router was launched with is its argument, or WEAVE_PORT", () => {
  const port = (options: Record<string, unknown>): number => launchedPort(render(serviceOptions(options)));
  assert.is(port({}), 6783);
  assert.is(port({ env: { WEAVE_PORT: "6790" } }), 6790);
  assert.is(port({ env: { WEAVE_PORT: "6790" }, args: ["--port=6800", "--no-discovery"] }), 6800);
  assert.is(launchedPort(""), 6783);
});

test("on docker0 a router without a name needs a machine-id, or all such routers would have one name", () => {
  const nameless = { ...FRESH, machineId: "" };
  assert.match(
    userErrorOf(() => environmentOf(serviceOptions({ mode: "proxy" }), nameless)),
    /^mode: proxy needs a machine-id, .* \(found none in \/etc\/machine-id\)\. Run systemd-machine-id-setup\.$/,
  );
  assert.ok(environmentOf(serviceOptions(), nameless));
  assert.ok(environmentOf(serviceOptions({ mode: "proxy" }), { ...nameless, peerName: "0e:5f:33:00:00:09" }));
});

test("if the daemon rejects Weave's API version, script, weaveexec and router use its oldest one", () => {
  const variables = (oldestDockerApi: string | null, more = {}): Record<string, string> =>
    Object.fromEntries(
      [...environmentOf(serviceOptions(more), { ...FRESH, oldestDockerApi })].filter(([name]) =>
        /DOCKER_(A|API)|IPT/.test(name),
      ),
    );
  for (const accepts of [null, "1.12", "1.18"]) assert.equal(variables(accepts), {});
  const asks = "-e DOCKER_API_VERSION=1.44";
  const all = { DOCKER_API_VERSION: "1.44", WEAVE_DOCKER_ARGS: asks, WEAVEEXEC_DOCKER_ARGS: asks };
  assert.equal(variables("1.44"), all);
  assert.equal(variables("1.44", { env: { WEAVE_DOCKER_ARGS: "--cpus 2" } }), {
    ...all,
    WEAVE_DOCKER_ARGS: `${asks} --cpus 2`,
  });
  assert.equal(variables("1.44", { env: { DOCKER_API_VERSION: "1.45" } }), { DOCKER_API_VERSION: "1.45" });
  assert.equal(variables(null, { iptables_backend: "nft" }), {
    IPTABLES_BACKEND: "nft",
    WEAVE_DOCKER_ARGS: "-e IPTABLES_BACKEND=nft",
    WEAVEEXEC_DOCKER_ARGS: "-e IPTABLES_BACKEND=nft",
  });
});

test("a script that does not know --no-restart is not given it", () => {
  const script = readWeaveScript('#!/bin/sh\nSCRIPT_VERSION="1.2.0"\n');
  assert.is(environmentOf(serviceOptions(), { ...FRESH, script }).get("WEAVE_ARGS"), "--no-dns");
});

test("the MTU is that of the bridge, unless it is set", () => {
  const mtu = (bridgeMtu: number | null): string | undefined =>
    environmentOf(serviceOptions(), { ...FRESH, bridgeMtu }).get("WEAVE_MTU");
  assert.equal([mtu(1414), mtu(null)], ["1414", "1438"]);
});

test("bridge and MTU come from the options", () => {
  const environment = environmentOf(serviceOptions({ bridge: "br0", mtu: 1400 }), FRESH);
  assert.equal([environment.get("DOCKER_BRIDGE"), environment.get("WEAVE_MTU")], ["br0", "1400"]);
});

test("changed, added and removed variables are named; live ones, and others than Weave's, are not", () => {
  const desired = new Map([
    ["WEAVE_PEERS", "a"],
    ["WEAVE_ARGS", "--no-dns"],
    ["OWN", "1"],
  ]);
  const present = new Map([
    ["WEAVE_PEERS", "b"],
    ["WEAVE_ARGS", "--no-dns"],
    ["WEAVE_MTU", "1500"],
    ["PATH", "/bin"],
  ]);
  assert.equal(differingVariables(desired, present, ["WEAVE_PEERS"]), ["OWN", "WEAVE_MTU"]);
  assert.equal(differingVariables(desired, present, []), ["WEAVE_PEERS", "OWN", "WEAVE_MTU"]);
});

test("each peer is there once, in sorted order", () => {
  assert.equal(sortedPeers(["host2", "192.168.50.9", "host2", "192.168.50.12"]), [
    "192.168.50.12",
    "192.168.50.9",
    "host2",
  ]);
  const one = render(serviceOptions({ peers: ["a", "b"] }));
  assert.is(render(serviceOptions({ peers: ["b", "a", "b"] })), one);
});

test("a password with all special characters reads back", () => {
  const password = `a "b" \\ $HOME \`id\` 'c' #;`;
  const content = render(serviceOptions({ password }));
  assert.is(environmentValue(content, "WEAVE_PASSWORD"), password);
});

test("a password that is not ASCII is written as UTF-8, one character of the content a byte", () => {
  for (const password of ["Geheimnis für alle", "пароль 日本", "🔑 key"]) {
    const content = render(serviceOptions({ password }));
    assert.match(Buffer.from(content, "latin1").toString("utf8"), `WEAVE_PASSWORD="${password}"`);
  }
});

const shown = (content: string, desired = ""): string => redactEnvironmentFile(content, desired);

test("of the password only whether it is the desired one is shown", () => {
  const desired = render(serviceOptions({ password: SECRET }));
  const other = render(serviceOptions({ password: "battery staple" }));
  assert.match(shown(desired, desired), "WEAVE_PASSWORD=(the desired one, not shown)\n");
  assert.match(shown(other, desired), "WEAVE_PASSWORD=(another one, not shown)\n");
  assert.is.not(shown(other, desired), shown(desired, desired));
  for (const text of [shown(desired, desired), shown(other, desired)]) assert.not.match(text, /horse|staple/);
});

test("a file without a password is shown whole", () => {
  const content = render(serviceOptions());
  assert.is(shown(content, content), content);
});

test("a password in a file that something else wrote is not shown, however it is written", () => {
  const files = [
    "WEAVE_PASSWORD=hunter2\n",
    "WEAVE_PASSWORD='hunter2'",
    "  WEAVE_PASSWORD=hunter2\n",
    "WEAVE_PASSWORD =hunter2\n",
    "export WEAVE_PASSWORD=hunter2\n",
    "#WEAVE_PASSWORD=hunter2\n",
    "WEAVE_PASSWORD=old\nWEAVE_PASSWORD=hunter2\n",
    "WEAVE_PASSWORD=a\\\nhunter2\n",
    'WEAVE_PASSWORD="a\nhunter2"\n',
    "WEAVE_PASSWORD=a\rhunter2\n",
    "WEAVE_ARGS=--password=hunter2\n",
    'WEAVE_ARGS="--no-dns --password hunter2"\n',
  ];
  const leaks = files.filter((content) => shown(`WEAVE_PEERS=a\n${content}`).includes("hunter2"));
  assert.equal(leaks, []);
});

test("a password with a line separator in it is not shown in part", () => {
  for (const separator of ["\u2028", "\u2029"]) {
    const content = render(serviceOptions({ password: `first${separator}hunter2` }));
    assert.not.match(shown(content, content), "hunter2");
  }
});

test.run();
