import type { Host } from "../hosts/host";

/** A shell command: what of a host must not be started anew, a line for Docker and for each container, the router's too. */
export const RUNNING =
  "{ systemctl show docker --property MainPID; docker ps -q | xargs docker inspect -f '{{.Name}} {{.State.StartedAt}}'; }";

/** What runs on a host: two answers differ in the lines of what was started anew in between. */
export async function running(host: Host): Promise<string> {
  return (await host.exec(["sh", "-c", RUNNING], { timeoutSeconds: 120 })).stdout.trim();
}
