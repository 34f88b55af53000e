import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describeRequest, request } from "../../../../modules/core/host/http";
import { linuxHost, run } from "../../../../modules/core/host/linux";
import { at, freePort, withServer, withService } from "../../support/server";
import { inTemporaryFolder, inTemporaryFolderUntilDone } from "../../support/temporary_folder";
import { userErrorLater, userErrorOf } from "../../support/user_error";

test("a file is read as its content, one character per byte, and its permission bits", () => {
  inTemporaryFolder((folder) => {
    const path = join(folder, "file");
    writeFileSync(path, Buffer.from([0x61, 0xc3, 0xa4, 0xff, 0x0a]), { mode: 0o640 });
    assert.equal(linuxHost.readFile(path), { content: "a\xc3\xa4\xff\n", mode: 0o640 });
  });
});

test("a missing file, or one whose folder is missing or a file, is null", () => {
  inTemporaryFolder((folder) => {
    writeFileSync(join(folder, "file"), "");
    assert.is(linuxHost.readFile(join(folder, "none")), null);
    assert.is(linuxHost.readFile(join(folder, "none/file")), null);
    assert.is(linuxHost.readFile(join(folder, "file/file")), null);
  });
});

test("links to a file are followed, a dangling one is a missing file", () => {
  inTemporaryFolder((folder) => {
    writeFileSync(join(folder, "file"), "content");
    symlinkSync("file", join(folder, "link"));
    symlinkSync("nowhere", join(folder, "dangling"));
    assert.is(linuxHost.readFile(join(folder, "link"))?.content, "content");
    assert.is(linuxHost.readFile(join(folder, "dangling")), null);
  });
});

test("a folder or device in a file's place is an error, with its path and what to do", () => {
  inTemporaryFolder((folder) => {
    assert.is(
      userErrorOf(() => linuxHost.readFile(folder)),
      `${folder} is not a regular file; move it away`,
    );
  });
  assert.match(
    userErrorOf(() => linuxHost.readFile("/dev/null")),
    "/dev/null is not a regular file",
  );
});

test("a file that can't be read is an error, with its path", () => {
  inTemporaryFolder((folder) => {
    symlinkSync("loop", join(folder, "loop"));
    assert.match(
      userErrorOf(() => linuxHost.readFile(join(folder, "loop"))),
      /can't read .*loop: ELOOP/,
    );
  });
});

test("the kernel's files are read trimmed, and null if they do not exist", () => {
  assert.is(linuxHost.readText("/proc/sys/kernel/ostype"), "Linux");
  assert.is(linuxHost.readText("/proc/none"), null);
  assert.is(linuxHost.readText("/proc/999999999/cmdline"), null);
  assert.is(linuxHost.readText("/sys/class/net/lo/address"), "00:00:00:00:00:00");
});

test("an attribute that this device does not have is null", () => {
  // lo has no speed: reading it is EINVAL.
  assert.is(linuxHost.readText("/sys/class/net/lo/speed"), null);
});

test("the host's addresses are those of IPv4", () => {
  assert.ok(linuxHost.addresses().includes("127.0.0.1"));
  for (const address of linuxHost.addresses()) assert.match(address, /^[\d.]+$/);
});

test("the names in a folder are sorted, and none if the folder does not exist", () => {
  inTemporaryFolder((folder) => {
    for (const name of ["b", "a", "c"]) mkdirSync(join(folder, name));
    assert.equal(linuxHost.readdir(folder), ["a", "b", "c"]);
    assert.equal(linuxHost.readdir(join(folder, "none")), []);
  });
});

test("a link is read as it is written; another or missing file is null", () => {
  inTemporaryFolder((folder) => {
    symlinkSync("../target", join(folder, "link"));
    assert.is(linuxHost.readlink(join(folder, "link")), "../target");
    assert.is(linuxHost.readlink(folder), null);
    assert.is(linuxHost.readlink(join(folder, "none")), null);
  });
});

test("a program's output, error output and status are returned", () => {
  assert.equal(run(["sh", "-c", "echo out; echo err >&2"]), { status: 0, stdout: "out\n", stderr: "err\n" });
});

test("a program gets its arguments as they are: no shell reads them", () => {
  assert.is(run(["printf", "%s|", "a b", "$HOME", "*", ";", "'"]).stdout, "a b|$HOME|*|;|'|");
});

test("a program speaks English, has the system's own PATH and no other environment", () => {
  const variables = run(["env"]).stdout.trim().split("\n").sort();
  assert.equal(variables, ["LC_ALL=C", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]);
});

test("a program finds nothing on its standard input", () => {
  assert.is(run(["cat"]).stdout, "");
});

test("a program that fails is an error with its command line, status and error output", () => {
  assert.is(
    userErrorOf(() => run(["sh", "-c", "echo some; echo 'no such device' >&2; exit 3"])),
    "sh -c echo some; echo 'no such device' >&2; exit 3 ended with status 3: no such device",
  );
});

test("a failed program without error output is reported with its output, or with neither", () => {
  assert.match(
    userErrorOf(() => run(["sh", "-c", "echo on stdout; false"])),
    /ended with status 1: on stdout$/,
  );
  assert.is(
    userErrorOf(() => run(["false"])),
    "false ended with status 1",
  );
});

test("of a long error output the end is shown, where the cause is", () => {
  const message = userErrorOf(() => run(["sh", "-c", "seq 10000 >&2; echo the cause >&2; exit 1"]));
  assert.match(message, /the cause$/);
  assert.ok(message.length < 2200, `${message.length} characters`);
});

test("a program that a signal ends is an error with the signal", () => {
  assert.match(
    userErrorOf(() => run(["sh", "-c", "kill -TERM $$"])),
    "ended with SIGTERM",
  );
});

test("a program that is killed is an error even if it may fail", () => {
  assert.match(
    userErrorOf(() => run(["sh", "-c", "kill -KILL $$"], { mayFail: true })),
    "ended with SIGKILL",
  );
});

test("a status other than 0 is returned if the program may fail", () => {
  assert.equal(run(["sh", "-c", "echo no; exit 4"], { mayFail: true }), { status: 4, stdout: "no\n", stderr: "" });
});

test("a missing program is an error with its name and the command", () => {
  assert.is(
    userErrorOf(() => run(["weave-no-such-program", "show"], { mayFail: true })),
    "program not found on this host: weave-no-such-program, needed for: weave-no-such-program show",
  );
});

test("a file that is not a program is an error with the cause", () => {
  inTemporaryFolder((folder) => {
    writeFileSync(join(folder, "text"), "", { mode: 0o644 });
    assert.match(
      userErrorOf(() => run([join(folder, "text")])),
      /can't run .*text: .*EACCES/,
    );
  });
});

test("a program that times out is killed, and is an error with the limit and its output", () => {
  const started = Date.now();
  const message = userErrorOf(() => run(["sh", "-c", "echo waiting >&2; exec sleep 20"], { timeout: 0.3 }));
  assert.match(message, /^timed out after 0\.3 s: sh -c .*: waiting$/);
  assert.ok(Date.now() - started < 5000);
});

test("a request has its method, path, headers and body, and returns status and body", async () => {
  let seen = "";
  await withService(
    (incoming, response) => {
      incoming.setEncoding("utf8");
      seen = `${incoming.method} ${incoming.url} ${incoming.headers["content-type"]} `;
      incoming.on("data", (part: string) => {
        seen += part;
      });
      incoming.on("end", () => response.writeHead(201).end("gut: ä"));
    },
    async (port) => {
      const answer = await request({
        to: at(port),
        method: "POST",
        path: "/connect?x=1",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: "peer=192.168.50.12",
      });
      assert.equal(answer, { status: 201, body: "gut: ä" });
    },
  );
  assert.is(seen, "POST /connect?x=1 application/x-www-form-urlencoded peer=192.168.50.12");
});

test("an answer of many parts is returned whole", async () => {
  const part = "é".repeat(33_333);
  await withService(
    (_, response) => {
      response.write(part);
      response.write(part);
      response.end(part);
    },
    async (port) => {
      const answer = await request({ to: at(port), method: "GET", path: "/" });
      assert.is(answer?.body, part + part + part);
    },
  );
});

test("an error status is an answer", async () => {
  await withService(
    (_, response) => response.writeHead(400).end("lookup X: no such host"),
    async (port) => {
      assert.equal(await request({ to: at(port), method: "GET", path: "/" }), {
        status: 400,
        body: "lookup X: no such host",
      });
    },
  );
});

test("if nothing listens, there is no answer", async () => {
  assert.is(await request({ to: at(await freePort()), method: "GET", path: "/" }), null);
});

test("a service may listen on a Unix socket, and a missing socket means that nothing listens", async () => {
  await inTemporaryFolderUntilDone(async (folder) => {
    const socket = join(folder, "docker.sock");
    const asked = { to: { socket }, method: "GET", path: "/info" } as const;
    assert.is(await request(asked), null);
    const server = createServer((_, response) => response.end("{}")).listen(socket);
    await new Promise((resolve) => server.once("listening", resolve));
    assert.equal(await request(asked), { status: 200, body: "{}" });
    await new Promise((resolve) => server.close(resolve));
    assert.is(describeRequest(asked), `GET ${socket}/info`);
  });
});

test("a service that closes the connection has not answered", async () => {
  await withServer(
    createTcpServer((socket) => socket.destroy()),
    async (port) => {
      assert.is(await request({ to: at(port), method: "GET", path: "/" }), null);
    },
  );
});

test("an answer that is not HTTP is an error with the service's address", async () => {
  await withServer(
    createTcpServer((socket) => socket.end("SSH-2.0-OpenSSH_9.2\r\n\r\n")),
    async (port) => {
      const message = await userErrorLater(() => request({ to: at(port), method: "GET", path: "/status" }));
      assert.match(message, `GET 127.0.0.1:${port}/status: `);
    },
  );
});

test("a request leaves nothing behind that would hold the process up, such as its time limit", () => {
  const program = `
    import { createServer } from "node:http";
    import { request } from "./modules/core/host/http";
    const server = createServer((_, response) => response.end("ok")).listen(0, "127.0.0.1", async () => {
      const to = { address: "127.0.0.1", port: server.address().port };
      const answer = await request({ to, method: "GET", path: "/" });
      server.close(async () => console.log(answer, await request({ to, method: "GET", path: "/" })));
    });`;
  inTemporaryFolder((folder) => {
    const path = join(folder, "ask.ts");
    writeFileSync(path, program.replace("./modules", join(process.cwd(), "modules")));
    const { stdout } = run([process.execPath, "-r", require.resolve("tsx/cjs"), path], { timeout: 6 });
    assert.is(stdout, "{ status: 200, body: 'ok' } null\n");
  });
});

test.run();
