import { test } from "uvu";
import * as assert from "uvu/assert";
import { observe } from "../../../modules/weave_service/observe";
import { type Contents, memoryHost } from "../support/memory_host";
import { refusalLater } from "../support/refusal";
import { asked, FRESH, SCRIPT, steady } from "./hosts";

const SHOW = "systemctl show weave.service -p ActiveState,NeedDaemonReload,MainPID";
const script = { "/usr/local/bin/weave": { content: SCRIPT, mode: 0o755 } };

const fresh: Contents = {
  files: script,
  programs: { [SHOW]: "MainPID=0\nActiveState=inactive\nNeedDaemonReload=no\n" },
};

function running(): Contents {
  const { unit, environment, startedWith } = steady();
  if (unit === null || environment === null) throw new Error("the steady host has both files");
  return {
    files: { ...script, "/etc/systemd/system/weave.service": unit, "/etc/weave.env": environment },
    links: { "/etc/systemd/system/docker.service.wants/weave.service": "/etc/systemd/system/weave.service" },
    kernel: { "/proc/912/environ": `${[...startedWith].map(([name, value]) => `${name}=${value}`).join("\0")}\0` },
    programs: { [SHOW]: "MainPID=912\nActiveState=active\nNeedDaemonReload=no\n" },
    services: {
      "GET 127.0.0.1:6784/report": { status: 200, body: '{"Router":{"Targets":["192.168.50.12","192.168.50.13"]}}' },
    },
  };
}

test("a host with the script alone is seen as it is", async () => {
  assert.equal(await observe(asked(), memoryHost(fresh)), FRESH);
});

test("a host with the router running is seen as it is", async () => {
  const seen = await observe(asked(), memoryHost(running()));
  const { startedWith, ...rest } = seen;
  const { startedWith: wanted, ...others } = steady();
  assert.equal(rest, others);
  for (const [name, value] of wanted) assert.is(startedWith?.get(name), value, name);
});

test("a value of the running router's environment may have = and newlines in it", async () => {
  const kernel = { "/proc/912/environ": "WEAVE_ARGS=--name=a\0OTHER=x\ny\0" };
  const { startedWith } = await observe(asked(), memoryHost({ ...running(), kernel }));
  assert.is(startedWith?.get("WEAVE_ARGS"), "--name=a");
  assert.is(startedWith?.get("OTHER"), "x\ny");
});

test("a router that runs and does not answer has no targets, and one that does not run is not asked", async () => {
  assert.is((await observe(asked(), memoryHost({ ...running(), services: {} }))).targets, null);
  const stopped = { ...running(), programs: fresh.programs ?? {} };
  const { targets, startedWith } = await observe(asked(), memoryHost(stopped));
  assert.is(targets, null);
  assert.is(startedWith, null);
});

test("a unit that systemd has not read again is seen", async () => {
  const programs = { [SHOW]: "MainPID=912\nActiveState=active\nNeedDaemonReload=yes\n" };
  assert.is((await observe(asked(), memoryHost({ ...running(), programs }))).needsReload, true);
});

test("a host without the script is refused where the router is to run, and only there", async () => {
  const bare = memoryHost({ ...fresh, files: {} });
  assert.is(
    await refusalLater(async () => observe(asked(), bare)),
    "script: there is no /usr/local/bin/weave on this host; put the weave script there, or say where it is",
  );
  for (const state of ["stopped", "absent"]) assert.is((await observe(asked({ state }), bare)).script, "");
});

test.run();
