/** The HTTP client of the script `weave`, which the real one has curl for. */
import * as http from "node:http";
import { readBody, splitHostPort } from "./text";

/**
 * One HTTP request of the script `weave`. Sets the exit status of the real script's http_call: 0 on 2xx, 4 on 404, 1 on
 * other answers (their body goes to standard error), 7 and 28 as curl's if there is no answer. The 1.0 script ignored the
 * status code: with `--any` every answer is printed and the exit status is 0.
 */
export function runCall([method = "GET", address = "", route = "/", ...rest]: string[]): void {
  const fields = rest.filter((arg) => !arg.startsWith("--"));
  const body = fields
    .map((f) => `${f.slice(0, f.indexOf("="))}=${encodeURIComponent(f.slice(f.indexOf("=") + 1))}`)
    .join("&");
  const { host, port } = splitHostPort(address);
  const inQuery = rest.includes("--get") && body !== "";
  const request = http.request({
    ...(address.startsWith("/") ? { socketPath: address } : { host, port: port ?? 80 }),
    method,
    path: inQuery ? `${route}?${body}` : route,
    timeout: 3000,
    headers: {
      ...(rest.includes("--json") ? { accept: "application/json" } : {}),
      ...(method === "POST" || method === "PUT" ? { "content-type": "application/x-www-form-urlencoded" } : {}),
    },
  });
  request.on("socket", (socket) => {
    // Limits only the connection, as curl's --connect-timeout does.
    socket.on("connect", () => socket.setTimeout(0));
  });
  request.on("timeout", () => {
    process.exitCode = 28;
    request.destroy(new Error("Connection timed out"));
  });
  request.on("error", (error) => {
    process.exitCode ??= 7;
    process.stderr.write(
      `curl: (${process.exitCode}) Failed to connect to ${host} port ${port ?? 80}: ${error.message}\n`,
    );
  });
  request.on("response", (response) => {
    const status = response.statusCode ?? 0;
    readBody(response).then(
      (text) => {
        if (rest.includes("--any") || (status >= 200 && status < 300)) {
          process.stdout.write(text);
        } else if (status === 404) {
          process.exitCode = 4;
        } else {
          process.exitCode = 1;
          process.stderr.write(text);
        }
      },
      (error: unknown) => {
        process.exitCode = 56;
        process.stderr.write(`${String(error)}\n`);
      },
    );
  });
  request.end(inQuery || body === "" ? undefined : body);
}
