import type { IncomingMessage } from "node:http";
import { BECOME_HINT, NoAnswer, RequestError } from "../errors";
import type { HttpRequest, HttpResponse } from "./host";

/** How long a service may take to answer. */
export const REQUEST_SECONDS = 10;

/** More than Docker's list of thousands of containers. */
const MAX_BODY = 32 * 1024 * 1024;

/**
 * Sends one HTTP request to this host. Null if nothing listens there. Throws NoAnswer if what listens there does not answer
 * within `seconds` or breaks off, another RequestError for an answer that is not HTTP.
 */
export async function request(
  { to, method, path, headers, body }: HttpRequest,
  seconds = REQUEST_SECONDS,
): Promise<HttpResponse | null> {
  const target = { ...("socket" in to ? { socketPath: to.socket } : { host: to.address, port: to.port }), ...NO_TLS };
  const what = describeRequest({ to, method, path });
  // Loaded only if it is used: that takes a twentieth of a run's time. An `import()` here would cost each bundle 800 bytes.
  const http: typeof import("node:http") = require("node:http");
  return new Promise((resolve, reject) => {
    // Whatever happens first counts: Node.js emits "close" in all cases, and after some answers nothing else.
    const fail = (found: string): void => reject(new RequestError(what, found));
    const breakOff = (found: string): void => reject(new NoAnswer(what, found));
    const call = http.request({ ...target, method, path, headers: { ...headers }, agent: false });
    let answered = false;
    call.on("response", (response) => {
      answered = true;
      readBody(response).then(
        (text) => resolve(toResponse(response, text)),
        (error: Error) => {
          if (error instanceof CutOff) breakOff(error.message);
          else fail(error.message);
          call.destroy();
        },
      );
    });
    // Node.js has no "response" for it.
    call.on("upgrade", (response, socket) => {
      fail(notFinal(response));
      socket.destroy();
    });
    call.on("error", (error: NodeJS.ErrnoException) => {
      if (NOT_LISTENING.has(error.code ?? "")) resolve(null);
      else if (CLOSING.has(error.code ?? "")) breakOff(CLOSED);
      else if (UNREACHABLE.has(error.code ?? "")) breakOff(`that it can't be reached: ${error.code}`);
      else if (error.code === "EACCES" || error.code === "EPERM")
        reject(new RequestError(what, error.code, `Run as root${BECOME_HINT}.`, error.code));
      else fail(describeError(error));
    });
    // A limit on the whole exchange, as a service could send a byte now and then for ever.
    const limit = setTimeout(() => {
      breakOff(`no answer within ${seconds} s`);
      call.destroy();
    }, seconds * 1000);
    call.on("close", () => {
      clearTimeout(limit);
      if (!answered) breakOff(CLOSED);
    });
    call.end(body);
  });
}

class CutOff extends Error {}

/** The whole body. Throws an Error that says what there is instead. */
function readBody(response: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    response.setEncoding("utf8");
    response.on("data", (part: string) => {
      text += part;
      if (text.length > MAX_BODY) reject(new Error(`an answer of more than ${MAX_BODY} bytes`));
    });
    response.on("end", () => resolve(text));
    response.on("error", ({ message }: Error) => reject(new CutOff(`an answer that is cut off: ${message}`)));
    response.on("close", () => reject(new CutOff("an answer that is cut off")));
    if ((response.statusCode ?? 0) < 200) reject(new Error(notFinal(response)));
  });
}

function notFinal({ statusCode, statusMessage }: IncomingMessage): string {
  return `${statusCode} ${statusMessage} instead of a response`;
}

function toResponse({ statusCode, headers: { server } }: IncomingMessage, body: string): HttpResponse {
  return { status: statusCode ?? 0, body, ...(typeof server === "string" && { server }) };
}

// Node.js computes TLS's server name even for a socket, and compiles a pattern of all IPv6 addresses for it, which takes as long as
// the request itself (_http_agent.js, calculateServerName).
const NO_TLS = { servername: "" };

// ENOENT: the socket does not exist. ECONNREFUSED also for a socket that its service has left behind.
const NOT_LISTENING = new Set(["ECONNREFUSED", "ENOENT"]);

const CLOSING = new Set(["ECONNRESET", "EPIPE"]);

// The address of a container that is starting or has just ended.
const UNREACHABLE = new Set(["EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT", "EADDRNOTAVAIL"]);

const CLOSED = "a connection that was closed without an answer";

function describeError({ code = "", message }: NodeJS.ErrnoException): string {
  return code.startsWith("HPE_") ? `an answer that is not HTTP: ${message}` : message;
}

/** A request as messages name it. */
export function describeRequest({ to, method, path }: Pick<HttpRequest, "to" | "method" | "path">): string {
  return `${method} ${"socket" in to ? to.socket : `${to.address}:${to.port}`}${path}`;
}
