/** Docker's API over its socket, as far as the router and its proxy use it. */
import * as http from "node:http";
import { isRecord, readBody } from "./text";

/** What `GET /containers/ID/json` tells that matters here. */
export interface Container {
  Id: string;
  State: { Running: boolean; Pid: number };
  Config: { Hostname: string; Domainname: string; Entrypoint: string[] | null; Env: string[] | null };
  HostConfig: { NetworkMode: string };
  Mounts: { Destination: string; Source: string }[];
}

/** Asks for JSON. Rejects if there is no answer, or none of success. */
export async function askDocker(socketPath: string, path: string): Promise<unknown> {
  const response = await new Promise<http.IncomingMessage>((done, fail) => {
    http.get({ socketPath, path }, done).on("error", fail);
  });
  const body = await readBody(response);
  if (response.statusCode !== 200) throw new Error(`GET ${path}: ${response.statusCode} ${body}`);
  return JSON.parse(body);
}

/** Sends JSON. Rejects if there is no answer, or none of success. */
export async function postToDocker(socketPath: string, path: string, body: unknown): Promise<void> {
  const headers = { "content-type": "application/json" };
  const response = await new Promise<http.IncomingMessage>((done, fail) => {
    const request = http.request({ socketPath, path, method: "POST", headers }, done);
    request.on("error", fail).end(JSON.stringify(body));
  });
  const answer = await readBody(response);
  if ((response.statusCode ?? 500) >= 300) throw new Error(`POST ${path}: ${response.statusCode} ${answer}`);
}

/** One container, or undefined if there is none of this name or id. */
export async function inspect(socketPath: string, container: string): Promise<Container | undefined> {
  try {
    return (await askDocker(socketPath, `/containers/${container}/json`)) as Container;
  } catch {
    return undefined;
  }
}

/** The ids of all containers that run. */
export async function runningContainers(socketPath: string): Promise<string[]> {
  const all = (await askDocker(socketPath, "/containers/json")) as { Id: string }[];
  return all.map(({ Id }) => Id);
}

/** Calls `saw` for each event of a container, until the returned function is called. Goes on when Docker comes back. */
export function followContainers(socketPath: string, saw: (event: string, id: string) => void): () => void {
  let stopped = false;
  let request: http.ClientRequest | undefined;
  let timer: NodeJS.Timeout | undefined;
  const again = (): void => {
    if (!stopped && timer === undefined) {
      timer = setTimeout(() => {
        timer = undefined;
        begin();
      }, 500);
    }
  };
  const begin = (): void => {
    const path = `/events?filters=${encodeURIComponent('{"type":["container"]}')}`;
    request = http.get({ socketPath, path }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
        const lines = text.split("\n");
        text = lines.pop() ?? "";
        for (const line of lines) {
          const event: unknown = line.trim() === "" ? undefined : JSON.parse(line);
          if (isRecord(event) && isRecord(event["Actor"])) saw(String(event["Action"]), String(event["Actor"]["ID"]));
        }
      });
      response.on("close", again);
    });
    request.on("error", again);
  };
  begin();
  return () => {
    stopped = true;
    if (timer) clearTimeout(timer);
    request?.destroy();
  };
}
