import * as assert from "uvu/assert";
import type { Host } from "../hosts/host";

/** A host's number: by its bridge's address, by the one of its next boot and by Docker's subnet, which have to agree. */
export async function hostIndexOf(host: Host): Promise<number> {
  const { stdout } = await host.exec(["ip", "-o", "-4", "addr", "show", "dev", "weave"]);
  const live = / inet 10\.2\.0\.(\d+)\/16 /.exec(stdout)?.[1];
  assert.match(await host.read("/etc/network/interfaces.d/weave.cfg"), ` 10.2.0.${live}/16`, host.name);
  assert.match(await host.read("/etc/default/docker"), `--fixed-cidr=10.2.${live}.0/24`, host.name);
  return Number(live);
}

/** The underlay addresses of the others to which a host's VXLAN sends frames for all, in order. */
export async function peersOf(host: Host): Promise<string[]> {
  const { stdout } = await host.exec(["bridge", "fdb", "show", "dev", "weave-vx"]);
  return [...stdout.matchAll(/^00:00:00:00:00:00 dst (\S+) /gm)].map(([, address = ""]) => address).sort();
}
