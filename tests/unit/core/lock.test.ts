import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { UserError } from "../../../modules/core/errors";
import { withLock } from "../../../modules/core/lock";
import { inTemporaryDirectoryUntilDone } from "../support/temporary_directory";

/** Another process that holds the lock until it is killed; resolves once it does. */
async function other(path: string): Promise<{ pid: number | undefined; kill: () => Promise<void> }> {
  const code = `require(${JSON.stringify(join(__dirname, "../../../modules/core/lock.ts"))})
    .withLock(async () => { console.log("at it"); await new Promise((end) => setTimeout(end, 60000)); }, process.argv[1]);`;
  const child = spawn(process.execPath, ["-r", "tsx/cjs", "-e", code, path], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  return {
    pid: child.pid,
    kill: async () => {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

test("the work is done and its result returned, repeatedly", async () => {
  await inTemporaryDirectoryUntilDone(async (directory) => {
    const path = join(directory, "lock");
    assert.is(await withLock(async () => "done", path, 0), "done");
    assert.is(await withLock(async () => "done again", path, 0), "done again");
    assert.is(statSync(path).mode & 0o777, 0o600, "nobody but root may lock it");
  });
});

test("work that fails leaves nothing locked", async () => {
  await inTemporaryDirectoryUntilDone(async (directory) => {
    const path = join(directory, "lock");
    const failure = await withLock(() => Promise.reject(new Error("no power")), path, 0).catch((error: Error) => error);
    assert.is(failure.message, "no power");
    assert.is(await withLock(async () => "done", path, 0), "done");
  });
});

test("while another process holds the lock, nothing is done and the error says so", async () => {
  await inTemporaryDirectoryUntilDone(async (directory) => {
    const path = join(directory, "lock");
    const { pid, kill } = await other(path);
    const work = async (): Promise<null> => assert.unreachable("it is at work beside the other") as never;
    const failure = await withLock(work, path, 1).catch((error: Error) => error);
    assert.instance(failure, UserError);
    assert.is(
      failure?.message,
      `${path}: must not be held by another run (found it held for 1 s, by process ${pid}). Wait until that run ends and run again.`,
    );
    await kill();
    assert.is(await withLock(async () => readFileSync(path, "utf8"), path, 0), `${process.pid}\n`, "the next holder");
    assert.is(readFileSync(path, "utf8"), "", "nobody");
  });
});

test("a lock file that can't be opened is an error", async () => {
  await inTemporaryDirectoryUntilDone(async (directory) => {
    const failure = await withLock(async () => "done", join(directory, "none/lock"), 0).catch((error: Error) => error);
    assert.instance(failure, UserError);
    assert.match(
      String(failure),
      /lock: can't be opened \(found ENOENT: no such file or directory\)\. It or its directory is missing: /,
    );
    assert.not.ok(existsSync(join(directory, "none")));
  });
});

test("a lock that others could hold is not taken over: theirs is rejected, ours is closed to them", async () => {
  await inTemporaryDirectoryUntilDone(async (directory) => {
    const path = join(directory, "lock");
    const rejected = (): Promise<Error | string> =>
      withLock(async () => "done", path, 0).catch((error: Error) => error);
    writeFileSync(path, "");
    chmodSync(path, 0o666);
    assert.is(await rejected(), "done");
    assert.is(statSync(path).mode & 0o777, 0o600);

    symlinkSync("lock", join(directory, "link"));
    const link = await withLock(async () => "done", join(directory, "link"), 0).catch((error: Error) => error);
    assert.match(String(link), `${directory}/link: must be a file (found a link). Remove it and run again.`);

    if (process.getuid?.() !== 0) return;
    chownSync(path, 12345, 12345);
    assert.match(
      String(await rejected()),
      `${path}: must be owned by root (found user id 12345). Remove it and run again.`,
    );
  });
});

test.run();
