import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { apply as applyWith } from "../../../modules/core/apply";
import { type Action, type Change, runAction } from "../../../modules/core/change";
import { DAEMON_PERFORMERS } from "../../../modules/core/daemon_performers";
import { at, freePort, withServer, withService } from "../support/server";
import { inTemporaryDirectoryUntilDone } from "../support/temporary_directory";
import { userErrorLater } from "../support/user_error";

const apply = (change: Change): Promise<void> => applyWith(change, DAEMON_PERFORMERS);

const change = (...actions: Action[]): Change => ({ subject: "thing", before: "", after: "", actions });

test("the actions of a change are performed in order", async () => {
  await inTemporaryDirectoryUntilDone(async (directory) => {
    const [path, log] = [join(directory, "file"), join(directory, "log")];
    const note = runAction(["sh", "-c", 'cat "$1" >>"$2"', "note", path, log]);
    const write = (content: string): Action => ({ do: "write", path, content, mode: 0o640 });
    await apply(change(write("one\n"), note, write("two\n"), note, { do: "remove", path }));
    assert.is(readFileSync(log, "utf8"), "one\ntwo\n");
    assert.not.ok(existsSync(path));
  });
});

test("a mode is set without touching the content", async () => {
  await inTemporaryDirectoryUntilDone(async (directory) => {
    const path = join(directory, "file");
    writeFileSync(path, "content");
    chmodSync(path, 0o644);
    await apply(change({ do: "chmod", path, mode: 0o600 }));
    assert.is(statSync(path).mode & 0o7777, 0o600);
    assert.is(readFileSync(path, "utf8"), "content");
  });
});

test("a kernel setting is written into the existing file", async () => {
  await inTemporaryDirectoryUntilDone(async (directory) => {
    const path = join(directory, "arp_notify");
    writeFileSync(path, "0");
    const { ino } = statSync(path);
    await apply(change({ do: "set", path, value: "1" }));
    assert.equal([readFileSync(path, "utf8"), statSync(path).ino], ["1", ino]);
  });
});

test("a failed action is an error with the change's subject, and the following ones are not performed", async () => {
  await inTemporaryDirectoryUntilDone(async (directory) => {
    const path = join(directory, "file");
    const message = await userErrorLater(() =>
      apply(
        change(runAction(["sh", "-c", "echo no such device >&2; exit 2"]), {
          do: "write",
          path,
          content: "",
          mode: 0o644,
        }),
      ),
    );
    assert.match(
      message,
      /^thing: sh -c .*: must succeed \(found status 2: no such device\)\. See its output, correct the cause and run again\.$/,
    );
    assert.not.ok(existsSync(path));
  });
});

test("a file that can't be written is an error with the change's subject and the path", async () => {
  const message = await userErrorLater(() =>
    apply(change({ do: "write", path: "/dev/null/file", content: "", mode: 0o644 })),
  );
  assert.match(message, /^thing: .*\/dev\/null/);
});

test("a program's own time limit is used", async () => {
  const message = await userErrorLater(() => apply(change(runAction(["sleep", "20"], 0.2))));
  assert.is(message, "thing: sleep 20: must end within 0.2 s (found it running). See why it hangs, and run again.");
});

test("a request succeeds with any status below 300", async () => {
  let asked = 0;
  await withService(
    (_, response) => {
      asked++;
      response.writeHead(asked === 1 ? 200 : 204).end();
    },
    async (port) => {
      const step: Action = {
        do: "request",
        request: { to: at(port), method: "POST", path: "/connect", body: "peer=a" },
      };
      await apply(change(step, step));
    },
  );
  assert.is(asked, 2);
});

test("a rejected request is an error with the status and the answer", async () => {
  await withService(
    (_, response) => response.writeHead(400).end("lookup X: no such host\n"),
    async (port) => {
      const message = await userErrorLater(() =>
        apply(change({ do: "request", request: { to: at(port), method: "POST", path: "/connect" } })),
      );
      assert.is(
        message,
        `thing: POST 127.0.0.1:${port}/connect: must be accepted (found the answer 400: lookup X: no such host). Correct the cause and run again.`,
      );
    },
  );
});

test("a request without an answer is an error", async () => {
  const port = await freePort();
  const message = await userErrorLater(() =>
    apply(change({ do: "request", request: { to: at(port), method: "POST", path: "/connect" } })),
  );
  assert.is(
    message,
    `thing: POST 127.0.0.1:${port}/connect: must be answered (found that nothing listens there). See whether the service runs, start it and run again.`,
  );
});

test("a program that fails is an error with its diagnosis, if it has one", async () => {
  const diagnose = ["sh", "-c", "echo Inconsistent port settings"];
  const message = await userErrorLater(() => apply(change({ do: "run", argv: ["false"], diagnose })));
  assert.match(
    message,
    /^thing: false: must succeed \(found status 1\)\. See its output, correct the cause and run again\. sh -c .* printed: Inconsistent port settings$/,
  );
});

test("a service is waited for until it is ready", async () => {
  let asked = 0;
  await withService(
    (_, response) => {
      asked++;
      response.writeHead(asked < 3 ? 503 : 200).end();
    },
    async (port) => {
      const ready: Action = {
        do: "await",
        request: { to: at(port), method: "GET", path: "/status" },
        timeout: 20,
        diagnose: ["false"],
      };
      await apply(change(ready));
    },
  );
  assert.is(asked, 3);
});

test("a service that takes connections and says nothing is not waited for longer than the limit", async () => {
  await withServer(createServer(), async (port) => {
    const request = { to: at(port), method: "GET", path: "/status" } as const;
    const started = Date.now();
    const message = await userErrorLater(() =>
      apply(change({ do: "await", request, timeout: 0.5, diagnose: ["true"] })),
    );
    assert.match(
      message,
      `GET 127.0.0.1:${port}/status: must be answered within 0.5 s (found at the last try: no answer within 1 s)`,
    );
    assert.ok(Date.now() - started < 3000);
  });
});

test("a file that can't be made to be checked is an error with a remedy", async () => {
  const validate: Action = { do: "validate", content: "x", argv: ["true", "%s"] };
  const { TMPDIR } = process.env;
  process.env["TMPDIR"] = "/dev/null/none";
  const message = await userErrorLater(() => apply(change(validate)));
  if (TMPDIR === undefined) delete process.env["TMPDIR"];
  else process.env["TMPDIR"] = TMPDIR;
  assert.match(
    message,
    /^thing: \/dev\/null\/none: can't hold a file to be validated \(found ENOTDIR: .*\)\. A part of its path is not a directory/,
  );
});

test("a service that does not answer in time is an error with its diagnosis", async () => {
  const port = await freePort();
  const ready: Action = {
    do: "await",
    request: { to: at(port), method: "GET", path: "/status" },
    timeout: 0.3,
    diagnose: ["sh", "-c", "echo Password too short; exit 1"],
  };
  const message = await userErrorLater(() => apply(change(ready)));
  assert.match(message, `thing: GET 127.0.0.1:${port}/status: must be answered within 0.3 s (found at the last try: `);
  assert.match(message, /printed: Password too short$/);
});

test.run();
