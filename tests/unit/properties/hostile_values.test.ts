import { spawnSync } from "node:child_process";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Module } from "../../../modules/core/module";
import type { Option, OptionTable } from "../../../modules/core/options";
import { dockerBridgeOpts } from "../../../modules/docker_bridge_opts/plan";
import { weaveBridge } from "../../../modules/weave_bridge/plan";
import { weaveService } from "../../../modules/weave_service/plan";
import type { Directory } from "../support/fake_host/directory";
import { Docker, OPTIONS_FILE, UNIT } from "../support/fake_host/docker";
import { type FakeHost, fakeHostIn } from "../support/fake_host/fake_host";
import { Network } from "../support/fake_host/network";
import { ENVIRONMENT, SCRIPT, Weave } from "../support/fake_host/weave";
import { HOSTILE } from "../support/hostile_values";
import { SCRIPT as SCRIPT_TEXT } from "../weave_service/fixtures";
import { inMemory, type Options, runOn } from "./check_and_run";

/** Every option of every module with every hostile value: rejected by its name with what to do, or passed on as it is. */
const test = suite("hostile values");

function network(directory: Directory): FakeHost {
  directory.put("/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
  directory.put("/etc/network/interfaces", "source interfaces.d/*\n");
  // What a password needs.
  for (const path of ["/proc/net/if_inet6", "/usr/bin/wg"]) directory.put(path, "");
  for (const program of ["ifup", "iptables"]) directory.put(`/usr/sbin/${program}`, "");
  return fakeHostIn(directory, new Network(directory));
}

function docker(directory: Directory): FakeHost {
  directory.put("/run/systemd/system/.there", "");
  directory.put(
    UNIT,
    "[Service]\nEnvironmentFile=-/etc/default/docker\nExecStart=/usr/sbin/dockerd -H fd:// $DOCKER_OPTS\n",
  );
  directory.put(OPTIONS_FILE, "");
  const part = new Docker(directory);
  part.reload();
  return fakeHostIn(directory, part);
}

function weave(directory: Directory): FakeHost {
  directory.put("/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
  directory.put("/usr/sbin/ethtool", "");
  directory.put(SCRIPT, SCRIPT_TEXT, 0o755);
  return fakeHostIn(directory, new Weave(directory));
}

/** Words that are names, of interfaces, hosts and domains. */
const NAMES = /^(constructor|[ab\s]+)$/;

/** What takes which hostile values as they are; anything else rejects them. */
const ACCEPTED: Readonly<Record<string, RegExp>> = {
  // Of every module: an option's name, which none has.
  option_names: /^constructor$/,
  "weave_service env": /./,
  "weave_service password": /./,
  "weave_service bridge": NAMES,
  "weave_service args": /^--help$/,
  "weave_service peers": NAMES,
  "weave_bridge name": NAMES,
  "weave_bridge password": /./,
  "weave_bridge peers": NAMES,
  "docker_bridge_opts bridge": NAMES,
  "docker_bridge_opts dns_search": /^(constructor|[ab\s]+)$/,
  // A label may have any text that is one word.
  "docker_bridge_opts opts": /^[!#%&()*+,./:;<=>?@[\]^_{|}~\w-]+$/,
};

/** The forms in which an option can be given a value. */
function forms(type: Option<unknown>["type"], value: string): unknown[] {
  if (type === "list") return [value, [value], ["a", value]];
  if (type === "dict") return [{ NAME: value }, { [value]: "x" }];
  if (type === "raw") return [value, `--label=${value}`, { label: value }, { labels: [value] }, { [value]: true }];
  return [value];
}

async function hold<Table extends OptionTable, Observed>(
  module: Module<Table, Observed>,
  given: Options,
  make: (directory: Directory) => FakeHost,
): Promise<number> {
  let rejected = 0;
  const wrong: string[] = [];
  for (const [option, { type, secret }] of Object.entries<Option<unknown>>(module.options)) {
    for (const [what, value] of Object.entries(HOSTILE)) {
      for (const form of forms(type, value)) {
        await inMemory(async (directory) => {
          const host = make(directory);
          const before = host.everything();
          const result = await runOn(module, host, { ...given, [option]: form }, true);
          const about = `${option}: ${what}: ${String(result.msg ?? "accepted").slice(0, 300)}`;
          assert.equal(host.everything(), before, about);
          assert.is(result["exception"], undefined, about);
          if (result.failed) rejected++;
          const msg = String(result.msg);
          const isRight = result.failed
            ? msg.startsWith(`${option}: `) &&
              msg.length < 10_000 &&
              FOUND_AND_REMEDY.test(msg) &&
              (!secret || msg.includes("not shown"))
            : (ACCEPTED[option] ?? ACCEPTED[`${module.name} ${option}`])?.test(value);
          if (!isRight) wrong.push(about);
        });
      }
    }
  }
  assert.equal(wrong, []);
  return rejected;
}

/** `option: what is wrong (found …). What to do.` */
const FOUND_AND_REMEDY = /^[a-z_]+: .+ \(found .+\)\. [A-Z].+\.$/s;

test("weave_bridge", async () => {
  assert.ok((await hold(weaveBridge, { host_index: 1, datapath: "vxlan" }, network)) > 300);
});

test("docker_bridge_opts", async () => {
  assert.ok((await hold(dockerBridgeOpts, { bridge: "weave" }, docker)) > 200);
});

test("weave_service", async () => {
  assert.ok((await hold(weaveService, {}, weave)) > 250);
});

test("what weave_service takes, a shell that sources its file has as it was given", async () => {
  for (const [what, value] of Object.entries(HOSTILE)) {
    for (const option of ["env", "password"]) {
      await inMemory(async (directory) => {
        const host = weave(directory);
        const given = option === "env" ? { env: { HOSTILE: value } } : { password: value };
        const { failed } = await runOn(weaveService, host, { state: "enabled", ...given });
        if (failed) return;
        const name = option === "env" ? "HOSTILE" : "WEAVE_PASSWORD";
        const { stdout } = spawnSync("sh", ["-c", `. "$1"; printf %s "$${name}"`, "sh", directory.at(ENVIRONMENT)], {
          encoding: "utf8",
          maxBuffer: 2 ** 22,
        });
        assert.is(stdout, value, what);
      });
    }
  }
});

test.run();
