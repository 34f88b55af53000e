/** The whole router. */
import type * as http from "node:http";
import { serve } from "./http_server";
import { Router } from "./router";

/** `start` listens and connects; `stop` closes everything. */
export class RouterStandIn extends Router {
  private readonly httpServers: http.Server[] = [];
  /** Where control HTTP listens after `start`, `host:port`. */
  httpListening: string | undefined;
  /** Where status HTTP listens after `start`, `host:port`. */
  statusListening: string | undefined;

  override async start(): Promise<void> {
    await super.start();
    this.httpListening = await this.serve(this.settings.httpAddress, true);
    this.statusListening = await this.serve(this.settings.statusAddress, false);
  }

  private async serve(address: string | undefined, control: boolean): Promise<string | undefined> {
    if (address === undefined) return undefined;
    const { server, listening } = await serve(this, address, control);
    this.httpServers.push(server);
    return listening;
  }

  override async stop(): Promise<void> {
    await super.stop();
    for (const server of this.httpServers) await new Promise<void>((done) => server.close(() => done()));
  }
}
