import type { Host } from "../hosts/host";

/** A shell command that prints what must not be restarted on a host: a line for Docker and for each container, the router's too. */
export const RUNNING =
  "{ systemctl show docker --property MainPID; docker ps -q | xargs docker inspect -f '{{.Name}} {{.State.StartedAt}}'; }";

/** What runs on a host: two answers differ in the lines of what was restarted in between. */
export async function running(host: Host): Promise<string> {
  return (await host.exec(["sh", "-c", RUNNING], { timeoutSeconds: 120 })).stdout.trim();
}
