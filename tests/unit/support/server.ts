import { createServer, type RequestListener } from "node:http";
import type { AddressInfo, Server, Socket } from "node:net";

/** Calls `use` with the port of 127.0.0.1 that the server listens on, and closes it and its connections afterwards. */
export async function withServer(server: Server, use: (port: number) => Promise<void>): Promise<void> {
  const sockets: Socket[] = [];
  server.on("connection", (socket: Socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await use((server.address() as AddressInfo).port);
  } finally {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  }
}

/** The same for an HTTP service. */
export function withService(answer: RequestListener, use: (port: number) => Promise<void>): Promise<void> {
  return withServer(createServer(answer), use);
}

/** A port of 127.0.0.1 on which nothing listens. */
export async function freePort(): Promise<number> {
  let free = 0;
  await withService(
    () => undefined,
    async (port) => {
      free = port;
    },
  );
  return free;
}

/** A port of 127.0.0.1 as a request names it. */
export const at = (port: number) => ({ address: "127.0.0.1", port });
