import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTcpServer, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describeRequest, request } from "../../../../modules/core/host/http";
import { run } from "../../../../modules/core/host/run";
import { at, freePort, withServer, withService } from "../../support/server";
import { inTemporaryDirectory, inTemporaryDirectoryUntilDone } from "../../support/temporary_directory";
import { userErrorLater } from "../../support/user_error";

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
  await inTemporaryDirectoryUntilDone(async (directory) => {
    const socket = join(directory, "docker.sock");
    const asked = { to: { socket }, method: "GET", path: "/info" } as const;
    assert.is(await request(asked), null);
    const server = createServer((_, response) => response.end("{}")).listen(socket);
    await new Promise((resolve) => server.once("listening", resolve));
    assert.equal(await request(asked), { status: 200, body: "{}" });
    await new Promise((resolve) => server.close(resolve));
    assert.is(describeRequest(asked), `GET ${socket}/info`);
  });
});

/** What a service's raw answers are reported as: each in its own words, none for a service that is not there. */
const ANSWERS: readonly (readonly [what: string, raw: string, problem: RegExp])[] = [
  ["nothing", "", /^a connection that was closed without an answer$/],
  [
    "a change of protocol",
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: tcp\r\n\r\n{}",
    /^101 Switching Protocols instead of a response$/,
  ],
  ["a bare 101", "HTTP/1.1 101 Yes\r\n\r\n", /^101 Yes instead of a response$/],
  ["only an interim answer", "HTTP/1.1 103 Early Hints\r\n\r\n", /^a connection that was closed without an answer$/],
  [
    "half a head",
    "HTTP/1.1 200 OK\r\nContent-Le",
    /^an? (connection that was closed without an answer|answer that is not HTTP.*)$/,
  ],
  ["half a body", 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"a":', /^an answer that is cut off/],
  [
    "half a chunk",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc",
    /^an answer that is (cut off|not HTTP)/,
  ],
  [
    "a wrong chunk",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
    /^an answer that is (cut off|not HTTP)/,
  ],
  ["an endless head", `HTTP/1.1 200 OK\r\nX: ${"x".repeat(200_000)}`, /^an answer that is not HTTP/],
  ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", /^an answer that is not HTTP/],
  ["TLS", "\x15\x03\x01\0\x02\x02\x46", /^an answer that is not HTTP/],
];

for (const [what, raw, problem] of ANSWERS) {
  for (const end of ["ends", "resets"]) {
    test(`a service that answers ${what} and ${end} the connection is an error`, async () => {
      await withServer(
        createTcpServer((socket) => {
          socket.on("error", () => undefined);
          socket.once("data", () => socket.write(raw, "latin1", () => (end === "ends" ? socket.end() : reset(socket))));
        }),
        async (port) => {
          const message = await userErrorLater(() => request({ to: at(port), method: "GET", path: "/status" }, 5));
          const [start, ending] = [
            `GET 127.0.0.1:${port}/status: must be answered (found `,
            "). See whether the service runs, and run again.",
          ];
          assert.ok(message.startsWith(start) && message.endsWith(ending), message);
          // A reset may overtake what was written before.
          const words = message.slice(start.length, -ending.length);
          assert.ok(problem.test(words) || (end === "resets" && /^a connection that was closed/.test(words)), message);
        },
      );
    });
  }
}

/** Ends a connection by RST. Node.js 16 has no such function; its socket is closed with what it has not read. */
function reset(socket: Socket): void {
  if ("resetAndDestroy" in socket) (socket as Socket & { resetAndDestroy: () => void }).resetAndDestroy();
  else socket.destroy();
}

test("interim answers before the answer are passed over", async () => {
  await withServer(
    createTcpServer((socket) =>
      socket.end(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
      ),
    ),
    async (port) => {
      assert.equal(await request({ to: at(port), method: "GET", path: "/" }), { status: 200, body: "{}" });
    },
  );
});

test("an answer that never ends, in interim answers or its body, is an error in time", async () => {
  const parts = ["HTTP/1.1 102 Processing\r\n\r\n", "x"];
  for (const [index, part] of parts.entries()) {
    await withServer(
      createTcpServer((socket) => {
        socket.on("error", () => undefined);
        if (index === 1) socket.write("HTTP/1.1 200 OK\r\n\r\n");
        const more = setInterval(() => socket.write(part), 20);
        socket.on("close", () => clearInterval(more));
      }),
      async (port) => {
        const message = await userErrorLater(() => request({ to: at(port), method: "GET", path: "/" }, 0.4));
        assert.match(message, `GET 127.0.0.1:${port}/: must be answered (found no answer within 0.4 s). See`);
      },
    );
  }
});

test("an answer of a hundred megabytes is an error, and not read to its end", async () => {
  let sent = 0;
  await withService(
    (_, response) => {
      const more = (): void => {
        while (sent < 100 && !response.destroyed) {
          sent++;
          if (!response.write("x".repeat(2 ** 20))) return void response.once("drain", more);
        }
        response.end();
      };
      more();
    },
    async (port) => {
      const message = await userErrorLater(() => request({ to: at(port), method: "GET", path: "/" }));
      assert.match(message, / \(found an answer of more than \d+ bytes\)\. /);
    },
  );
  assert.ok(sent < 90, `${sent} MB`);
});

test("an address that can't be reached has no answer yet, and is not nobody", () => {
  const code = `
    const { request } = require(${JSON.stringify(join(__dirname, "../../../../modules/core/host/http.ts"))});
    request({ to: { address: "10.2.1.3", port: 6784 }, method: "GET", path: "/report" }).catch((error) =>
      console.log(error.constructor.name, error.message));`;
  // In its own network namespace, without any route.
  const { stdout } = run([
    "unshare",
    "--map-root-user",
    "--net",
    process.execPath,
    "-r",
    require.resolve("tsx/cjs"),
    "-e",
    code,
  ]);
  assert.match(
    stdout,
    "NoAnswer GET 10.2.1.3:6784/report: must be answered (found that it can't be reached: ENETUNREACH). See",
  );
});

test("a socket without its service gives null; one that is not permitted, or a file, is an error", async () => {
  await inTemporaryDirectoryUntilDone(async (directory) => {
    const ask = (socket: string) => request({ to: { socket }, method: "GET", path: "/" });
    const left = join(directory, "left.sock");
    run(["python3", "-c", `import socket; socket.socket(socket.AF_UNIX).bind("${left}")`]);
    assert.is(await ask(left), null);
    writeFileSync(join(directory, "file"), "");
    assert.is(await ask(join(directory, "file")), null, "the kernel refuses it as it does a socket without a service");
    assert.match(await userErrorLater(() => ask(join(directory, "file/socket"))), "ENOTDIR");
  });
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
  inTemporaryDirectory((directory) => {
    const path = join(directory, "ask.ts");
    writeFileSync(path, program.replace("./modules", join(process.cwd(), "modules")));
    const { stdout } = run([process.execPath, "-r", require.resolve("tsx/cjs"), path], { timeout: 6 });
    assert.is(stdout, "{ status: 200, body: 'ok' } null\n");
  });
});

test.run();
