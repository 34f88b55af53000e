import { createServer } from "node:http";
import { hostname } from "node:os";

/**
 * A REST service with one resource: GET / answers which instance serves it, and at which address it was asked. It ends at
 * SIGTERM, when the requests under way are answered.
 */
const PORT = 8080;

const server = createServer(({ method, url, socket }, response) => {
  const found = method === "GET" && url === "/";
  const body = found ? { host: hostname(), address: socket.localAddress } : { error: `there is no ${method} ${url}` };
  response.writeHead(found ? 200 : 404, { "Content-Type": "application/json" });
  response.end(`${JSON.stringify(body)}\n`);
});

server.listen(PORT, "0.0.0.0");
process.on("SIGTERM", () => server.close());
