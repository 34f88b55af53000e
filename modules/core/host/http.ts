import { UserError } from "../errors";
import type { HttpRequest, HttpResponse } from "./host";

const REQUEST_SECONDS = 10;

/**
 * Sends one HTTP request to this host. Null if nothing listens there. Throws a UserError if no answer comes within `seconds`, 10 by
 * default.
 */
export async function request(
  { to, method, path, headers, body }: HttpRequest,
  seconds = REQUEST_SECONDS,
): Promise<HttpResponse | null> {
  const target = { ...("socket" in to ? { socketPath: to.socket } : { host: to.address, port: to.port }), ...NO_TLS };
  const what = describeRequest({ to, method, path });
  // Loaded only if it is used: that takes a twentieth of a run's time.
  const http = await import("node:http");
  return new Promise((resolve, reject) => {
    const call = http.request({ ...target, method, path, headers: { ...headers }, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        text += part;
      });
      const { server } = response.headers;
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, body: text, ...(typeof server === "string" && { server }) }),
      );
      response.on("error", fail);
    });
    const fail = (error: Error): void => {
      if (NOT_LISTENING.has(errorCode(error))) resolve(null);
      else reject(error instanceof UserError ? error : new UserError(`${what}: ${error.message}`));
    };
    // A limit on the whole exchange, as a service could send a byte now and then for ever.
    const limit = setTimeout(
      () => call.destroy(new UserError(`no answer within ${seconds} s: ${what}`)),
      seconds * 1000,
    );
    call.on("error", fail);
    call.on("close", () => clearTimeout(limit));
    call.end(body);
  });
}

// Node computes TLS's server name even for a socket, and compiles a pattern of all IPv6 addresses for it, which takes as long as
// the request itself (_http_agent.js, calculateServerName).
const NO_TLS = { servername: "" };

// ENOENT: the socket does not exist. ECONNRESET: the service has just ended.
const NOT_LISTENING = new Set(["ECONNREFUSED", "ECONNRESET", "ENOENT"]);

/** A request as messages name it. */
export function describeRequest({ to, method, path }: Pick<HttpRequest, "to" | "method" | "path">): string {
  return `${method} ${"socket" in to ? to.socket : `${to.address}:${to.port}`}${path}`;
}

function errorCode(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
