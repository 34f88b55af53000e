/**
 * The verbs of the Weave script's stand-in, held against those of 1.0.3, 1.9.8 and a live 2.8.1. Docker is played by a small
 * recording script, itself a stand-in, that starts router.js as a plain process.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { bench, removeBenches } from "./bench";
import { type Report, UNRESOLVABLE } from "./routers";

test.after.each(removeBenches);

test("2.8.1: verbs and exit codes without a router", async () => {
  const at = await bench("2.8.1");
  const [unknown, bridge, gone, none, status, report2, connect, stop, reset, version, noArgs, local] =
    await Promise.all([
      at.run(["nonsense"]),
      at.run(["create-bridge"]),
      at.run(["launch-router", "10.0.0.1"]),
      at.run([]),
      at.run(["status"]),
      at.run(["report"]),
      at.run(["connect", "127.0.0.1:1"]),
      at.run(["stop"]),
      at.run(["reset", "--nonsense"]),
      at.run(["version"]),
      at.run(["connect"]),
      at.run(["--local", "version"]),
    ]);
  assert.is(unknown.code, 1);
  assert.match(unknown.err, /^Unknown weave command 'nonsense'\nUsage:/);
  assert.is(bridge.code, 1);
  assert.match(bridge.err, "Unknown weave command 'create-bridge'");
  assert.is(gone.code, 1);
  assert.match(gone.err, "The 'weave launch-router' command has been removed as of Weave Net version 2.0");
  assert.equal([none.code, status.code, noArgs.code, reset.code], [1, 1, 1, 1]);
  assert.is(status.out, "\n\n");
  assert.is(status.err, "weave container is not present. Have you launched it?\n");
  assert.equal([report2.code, connect.code], [7, 7]);
  assert.equal(stop, { code: 0, out: "", err: "Weave is not running (ignore on Kubernetes).\n" });
  assert.equal(version, { code: 0, out: "weave script 2.8.1\nweave 2.8.1\n", err: "" });
  assert.is(local.out, "weave 2.8.1\n");
  fs.writeFileSync(path.join(at.directory, "no-daemon"), "");
  const noDaemon = await at.run(["status"]);
  assert.equal(noDaemon, { code: 125, out: "", err: "Cannot connect to the Docker daemon\n" });
});

test("2.8.1: launch, use, stop and launch again", async () => {
  const at = await bench("2.8.1");
  const environment = { WEAVE_DOCKER_ARGS: "-e DOCKER_API_VERSION=1.24", CHECKPOINT_DISABLE: "1", WEAVE_MTU: "1400" };
  const launched = await at.run(
    [
      "launch",
      "--password=it's",
      "--no-dns",
      "--trusted-subnets",
      "10.0.0.0/8",
      "--plugin=false",
      "--proxy=false",
      "127.0.0.1:1",
    ],
    environment,
  );
  assert.equal(launched, { code: 0, out: "4f5e6d\n", err: "" });
  const run =
    at
      .calls()
      .split("\n")
      .find((line) => line.startsWith("run ")) ?? "";
  assert.match(
    run,
    /^run -d --name weave .*--net=host --restart=always --pid=host .* -e WEAVE_PASSWORD .*-e CHECKPOINT_DISABLE/,
  );
  assert.match(run, / -e DOCKER_API_VERSION=1\.24 weaveworks\/weave:2\.8\.1 --port \d+ .*--mtu 1400 --no-fastdp /);
  assert.not.match(run, "it's");
  assert.match(at.calls(), /^create --name weavedb [\s\S]*\ncreate --name weavevolumes-2\.8\.1 /m);

  const [again, status, connections, wrong, connect, unresolved, shown, formatted, exposed, routerVersion] =
    await Promise.all([
      at.run(["launch"]),
      at.run(["status"]),
      at.run(["status", "connections"]),
      at.run(["status", "nonsense"]),
      at.run(["connect", "--replace", "127.0.0.1:2", "127.0.0.1:3"]),
      at.run(["connect", UNRESOLVABLE]),
      at.run(["report"]),
      at.run(["report", "-f", "{{.Version}} {{.Router.Encryption}}"]),
      at.run(["expose", "10.2.0.1/16"]),
      at.run(["version"]),
    ]);
  assert.equal(again, { code: 3, out: "", err: "weave is already running; you can stop it with 'weave stop'.\n" });
  assert.is(status.code, 0);
  assert.match(status.out, /^\n {8}Version: 2\.8\.1 .*\n\n$/s);
  assert.not.match(status.out, "Service: proxy");
  assert.match(connections.out, /^-> 127\.0\.0\.1:/);
  assert.is(wrong.code, 1);
  assert.match(wrong.err, /^Invalid 'weave status' sub-command: nonsense\nUsage:/);
  assert.equal(connect, { code: 0, out: "", err: "" });
  assert.equal(unresolved, { code: 1, out: "", err: `lookup ${UNRESOLVABLE}: no such host\n` });
  assert.is((JSON.parse(shown.out) as Report).Router.Encryption, true);
  assert.is(formatted.out, "2.8.1 true");
  assert.equal(exposed, { code: 0, out: "10.2.0.1\n", err: "" });
  assert.is(routerVersion.code, 0);

  const forgotten = await at.run(["forget", "127.0.0.1:2"]);
  assert.is(forgotten.code, 0);
  const left = JSON.parse((await at.run(["report"])).out) as Report;
  assert.equal(left.Router.Targets, ["127.0.0.1:3"]);
  assert.equal(left.Router.TrustedSubnets, ["10.0.0.0/8"]);
  assert.equal(await at.run(["stop"]), { code: 0, out: "", err: "" });
  const stopped = await at.run(["reset"]);
  assert.is(stopped.code, 1);
  assert.match(stopped.err, /^ERROR: weave is not running; unable to remove from cluster\.\nRe-launch/);
  assert.is((await at.run(["launch", "--no-restart"])).code, 0);
  assert.match(at.calls(), /\nrm weave\n[\s\S]*\nrun -d --name weave (?!.*--restart)/);
  assert.is((await at.run(["reset"])).code, 0);
  assert.not.ok(fs.existsSync(path.join(at.directory, "containers/weave")));
});

test("the images are those of the script in weaveexec, or the ones that are asked for", async () => {
  for (const [version, environment, inner, expected] of [
    ["2.8.1", {}, "2.8.1", "2.8.1"],
    ["2.8.1", {}, "2.7.0", "2.7.0"],
    ["2.8.1", { WEAVE_VERSION: "2.6.0" }, "2.6.0", "2.6.0"],
    ["2.8.1", { WEAVE_VERSION: "2.6.0" }, "2.7.0", "2.6.0"],
    ["2.8.1", { VERSION: "2.6.0" }, "2.8.1", "2.8.1"],
    ["1.0.3", { VERSION: "1.0.2", WEAVE_VERSION: "1.4.0" }, "1.0.2", "1.0.2"],
  ] as const) {
    const at = await bench(version);
    fs.writeFileSync(path.join(at.directory, "inner"), `${inner}\n`);
    // Where nothing listens, a launch ends soon; the image is chosen before.
    await at.run(["launch"], { ...environment, WEAVE_STAND_IN_FAIL_ON_LAUNCH: "no matter" });
    const run = at.calls().match(/^run .* weaveworks\/weave:(\S+)/m)?.[1];
    assert.is(run, expected, `${version} ${JSON.stringify(environment)}`);
  }
});

test("2.8.1: a launch that fails, and containers that are in the way", async () => {
  const at = await bench("2.8.1");
  const fails = await at.run(["launch"], { WEAVE_STAND_IN_FAIL_ON_LAUNCH: "no such thing" });
  assert.equal(fails, {
    code: 1,
    out: "",
    err: "The weave container has died. Consult the container logs for further details.\n",
  });
  assert.match(fs.readFileSync(path.join(at.directory, "containers/weave/log"), "utf8"), /^FATA: .* no such thing\n$/);
  assert.is((await at.run(["launch", "--nonsense"])).code, 1);
  assert.match(fs.readFileSync(path.join(at.directory, "containers/weave/log"), "utf8"), "not defined: --nonsense");
  const noBridge = await at.run(["launch"], { DOCKER_BRIDGE: "none" });
  assert.is(noBridge.code, 1);
  at.leftover("weave", "weaveworks/weave:2.8.1", "restarting");
  assert.equal(await at.run(["launch"]), {
    code: 1,
    out: "",
    err: "weave is created, paused, or restarting; you can stop it with 'weave stop'.\n",
  });
  at.leftover("weave", "busybox:latest", "exited");
  const other = await at.run(["launch"]);
  assert.equal(other, { code: 2, out: "", err: "Found another container named 'weave'. Aborting.\n" });
});

test("1.9.8: router, proxy and plugin; launch while running is 1; create-bridge only without fast datapath", async () => {
  const at = await bench("1.9.8");
  const launched = await at.run(["launch-router", "--no-dns", "127.0.0.1:1"]);
  assert.equal(launched, { code: 0, out: "4f5e6d\n", err: "" });
  const [again, proxy, fast, bridge, report2, version] = await Promise.all([
    at.run(["launch"]),
    at.run(["launch-proxy", "--rewrite-inspect", "--without-dns"]),
    at.run(["create-bridge"], { WEAVE_NO_FASTDP: "" }),
    at.run(["create-bridge"]),
    at.run(["report", "-f", "{{.Version}}"]),
    at.run(["version"]),
  ]);
  assert.equal(again, {
    code: 1,
    out: "",
    err: "weave is already running; you can stop it with 'weave stop-router'.\n",
  });
  assert.equal(proxy, { code: 0, out: "4f5e6d\n", err: "" });
  assert.is(fast.code, 1);
  assert.match(fast.err, "ERROR: 'weave create-bridge' is not compatible with fast data path.");
  assert.is(bridge.code, 0);
  assert.match(at.calls(), /^ip link add name weave address [0-9a-f:]{17} type bridge$/m);
  assert.match(at.calls(), /^ip link set vethwe-bridge master weave up$/m);
  assert.is(report2.out, "1.9.8");
  assert.match(version.out, /^weave script 1\.9\.8\nweave 1\.9\.8\n/);
  assert.match((await at.run(["status"])).out, "        Service: proxy\n");
  const stop = await at.run(["stop"]);
  assert.equal(stop, { code: 0, out: "", err: "Plugin is not running.\n" });
  assert.is((await at.run(["launch", "--no-dns"])).code, 0);
  assert.match(at.calls(), /^run -d --name weaveplugin .*weaveworks\/plugin:1\.9\.8$/m);
  assert.is((await at.run(["stop"])).code, 0);
});

test("1.2 to 1.4: without the fast datapath on a network of its own, where its API is; else on the host's", async () => {
  const at = await bench("1.4.6");
  // The port of its API is fixed, so the router is made to fail instead of opening it here.
  const stop = { WEAVE_STAND_IN_FAIL_ON_LAUNCH: "stop here" };
  const launch = async (version: string, more: NodeJS.ProcessEnv): Promise<string> => {
    const { code, err } = await at.run(["launch-router", "--no-dns", "127.0.0.1:1"], {
      WEAVE_STAND_IN_VERSION: version,
      ...stop,
      ...more,
    });
    assert.is(code, 1);
    assert.match(err, "The weave container has died");
    return (
      at
        .calls()
        .split("\n")
        .filter((line) => line.startsWith("run "))
        .at(-1) ?? ""
    );
  };
  const own = await launch("1.4.6", {});
  assert.match(own, / -p \d+:\d+\/tcp -p \d+:\d+\/udp .* --iface ethwe .* --http-addr :6784 /);
  assert.not.match(own, /--net=host|--restart|status-addr|vethwe/);
  assert.not.match(at.calls(), "vethwe-pcap");
  const older = await launch("1.2.1", {});
  assert.match(older, " --iface ethwe ");
  assert.not.match(older, /--net=host|--restart|http-addr/);
  const fast = await launch("1.4.6", { WEAVE_NO_FASTDP: "" });
  assert.match(fast, / --net=host .* --datapath datapath .* --http-addr 127\.0\.0\.1:6784 /);
  assert.is((await at.run(["launch-plugin"])).code, 1, "not without a router");
  assert.is((await at.run(["launch-proxy"], { WEAVE_STAND_IN_VERSION: "1.4.6" })).code, 0);
  assert.match(at.calls(), /^run -d --name weaveproxy (?!.*--restart)/m);
});

test("1.0.3: published ports, no report, create-bridge, and errors that are answers", async () => {
  const at = await bench("1.0.3");
  const [bridge, unknown, router2, stop] = await Promise.all([
    at.run(["--local", "create-bridge"]),
    at.run(["report"]),
    at.run(["launch-router"]),
    at.run(["stop"]),
  ]);
  assert.is(bridge.code, 0);
  assert.equal([unknown.code, router2.code], [1, 1]);
  assert.match(unknown.err, "Unknown weave command 'report'");
  assert.equal(stop, { code: 0, out: "", err: "Weave is not running.\n" });
  // Its control port is fixed, 6784 on all the container's addresses: not to be opened here, so it is made to fail.
  const fails = await at.run(["launch", "127.0.0.1:1"], { WEAVE_STAND_IN_FAIL_ON_LAUNCH: "stop here" });
  assert.is(fails.code, 1);
  assert.match(
    fails.err,
    "The weave container has died. Consult the logs with 'docker logs weave' for further details.",
  );
  assert.match(at.calls(), /^run -d --name weave .* -p \d+:\d+\/tcp -p \d+:\d+\/udp .* --iface ethwe /m);
  assert.not.match(at.calls(), "--restart");
  assert.is((await at.run(["status"])).code, 1);
});

test.run();
