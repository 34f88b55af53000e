/**
 * A stand-in for the Weave Net router, its proxy and its plugin, which are published as container images only: see
 * README.md. Uses only Node.js's own modules, so that it is bundled into one file that hosts mount into their containers.
 *
 * `router.js FLAGS PEERS...` is the router; `router.js stand-in-proxy FLAGS` is the proxy up to 1.9; `router.js stand-in-call
 * METHOD ADDRESS PATH [--json] [key=value...]` is the script's HTTP client; `router.js stand-in-idle` waits until it is
 * stopped (plugin, weavedns).
 */
import * as fs from "node:fs";
import * as http from "node:http";
import * as path from "node:path";
import { type Behaviour, isBefore, readBehaviour } from "./behaviour";
import { CAPTURING, ensureBridge, has, startFrames } from "./bridge";
import { runCall } from "./call";
import { inspect } from "./docker";
import { Firewall } from "./firewall";
import { DockerPlugin } from "./plugin";
import { DockerProxy } from "./proxy";
import { parseFlags, settingsOf } from "./settings";
import { RouterStandIn } from "./stand_in";
import { log, readBody, splitHostPort } from "./text";

const DOCKER = "/var/run/docker.sock";

/** The tables that the image's iptables writes into: nft from 2.9.0 on, unless IPTABLES_BACKEND says otherwise. */
function backendOf({ version = "2.8.1" }: Behaviour): string {
  return isBefore(version, 2, 9) ? "legacy" : process.env["IPTABLES_BACKEND"] || "nft";
}

/** Runs the router in its container. */
async function runRouter(args: string[]): Promise<void> {
  const sentinel = path.join(process.cwd(), "restart.sentinel");
  const { flags } = parseFlags(args);
  const behaviour = readBehaviour(__dirname, process.env);
  if (flags.get("version") === "true") {
    process.stdout.write(`weave ${behaviour.version ?? "2.8.1"}\n`);
    return;
  }
  if (behaviour.failOnLaunch !== undefined) throw new Error(behaviour.failOnLaunch);
  const settings = settingsOf(args, __dirname, sentinel);
  await new Promise((done) => setTimeout(done, behaviour.startDelayMilliseconds));
  let firewall: Firewall | undefined;
  const { bridge, dockerBridge, port, httpAddress } = settings;
  if (bridge !== undefined) {
    const mtu = Number(flags.get("mtu") ?? 0) || 65535;
    ensureBridge(bridge, settings.name, String(mtu), flags.get("no-fastdp") === "true");
    firewall = new Firewall({ bridge, dockerBridge, port, httpAddress, backend: backendOf(behaviour) });
    firewall.start();
  }
  // Up to 1.9 the script creates the pair; up to 1.1 there is none.
  const frames = has(CAPTURING) ? startFrames(CAPTURING, port) : {};
  const router = new RouterStandIn({ ...settings, ...frames }, firewall);
  await router.start();
  fs.writeFileSync(sentinel, "");
  log("INFO", `Our name is ${settings.name}(${settings.nickName}); this is a stand-in`);
  if (settings.plugin && settings.ipallocRange !== undefined && bridge !== undefined) {
    const plugin = new DockerPlugin({
      dockerSocket: DOCKER,
      bridge,
      defaultSubnet: settings.ipallocDefaultSubnet ?? settings.ipallocRange,
      withDns: settings.dnsAddress !== undefined,
      router: (method, route) => ask(router.httpListening ?? "", method, route),
    });
    await plugin.start();
  }
  if (settings.proxyAddress !== undefined && bridge !== undefined) {
    await startProxy(flags, behaviour, router.httpListening ?? "", "weave");
  }
}

async function startProxy(
  flags: Map<string, string>,
  behaviour: Behaviour,
  router: string,
  container: string,
): Promise<void> {
  const has = (flag: string): boolean => flags.get(flag) === "true";
  const proxy = new DockerProxy({
    socket: (flags.get("H") ?? "unix:///var/run/weave/weave.sock").replace(/^unix:\/\//, ""),
    dockerSocket: DOCKER,
    bridge: "weave",
    container,
    withDns: !has("without-dns") && !has("no-dns"),
    rewriteInspect: has("rewrite-inspect"),
    backend: backendOf(behaviour),
    router: (method, route) => ask(router, method, route),
  });
  await proxy.start();
}

function ask(address: string, method: string, route: string): Promise<string> {
  const { host, port } = splitHostPort(address);
  return new Promise((done, fail) => {
    const request = http.request({ host, port, method, path: route }, (response) => {
      readBody(response).then((body) => {
        if ((response.statusCode ?? 500) < 300) done(body);
        else fail(new Error(`${method} ${route}: ${response.statusCode} ${body}`));
      }, fail);
    });
    request.on("error", fail);
    request.end();
  });
}

/** The proxy in a separate container. Before 1.5 the router may be at its container's own address. */
async function runProxy(args: string[]): Promise<void> {
  const behaviour = readBehaviour(__dirname, process.env);
  const weave = (await inspect(DOCKER, "weave")) as { NetworkSettings?: { IPAddress?: string } } | undefined;
  const own = `${weave?.NetworkSettings?.IPAddress || "127.0.0.1"}:6784`;
  await startProxy(parseFlags(args).flags, behaviour, process.env["WEAVE_HTTP_ADDR"] || own, "weaveproxy");
}

function main([first = "", ...rest]: string[]): void {
  if (first === "stand-in-call") {
    runCall(rest);
    return;
  }
  // As PID 1 of a container Node.js has no default signal handlers.
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => process.exit(0));
  if (first === "stand-in-idle") {
    setInterval(() => undefined, 3_600_000);
    return;
  }
  const started = first === "stand-in-proxy" ? runProxy(rest) : runRouter([first, ...rest].filter(Boolean));
  started.catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    log("FATA", message);
    process.exit(/^flag /.test(message) ? 2 : 1);
  });
}

main(process.argv.slice(2));
