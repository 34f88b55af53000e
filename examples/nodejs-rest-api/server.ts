import { createServer } from "node:http";
import { hostname } from "node:os";

/**
 * A REST service with one resource: GET / returns the instance's name and address. On SIGTERM it answers the open requests
 * and exits.
 */
const PORT = 8080;

const server = createServer(({ method, url, socket }, response) => {
  const found = method === "GET" && url === "/";
  const body = found ? { host: hostname(), address: socket.localAddress } : { error: `${method} ${url} not found` };
  response.writeHead(found ? 200 : 404, { "Content-Type": "application/json" });
  response.end(`${JSON.stringify(body)}\n`);
});

server.listen(PORT, "0.0.0.0");
process.on("SIGTERM", () => server.close());
