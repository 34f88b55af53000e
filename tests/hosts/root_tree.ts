import { createHash } from "node:crypto";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hostDirectory, hostId } from "./paths";
import { run } from "./run";
import { hostAddress, UNDERLAY_ADDRESS } from "./underlay";

export interface Identity {
  cluster: string;
  host: string;
  number: number;
  /** The names of all hosts of the cluster, by number. */
  neighbours: ReadonlyMap<number, string>;
  /** The public key that may log in as root. */
  authorizedKey: string;
  /** The private key that the host's sshd shows itself with. */
  hostKey: string;
}

/** Makes a host's root tree, a writable layer over the base, and writes into it what makes this host this host. */
export async function makeRootTree(base: string, identity: Identity): Promise<void> {
  const { cluster, host, number } = identity;
  const directory = hostDirectory(cluster, host);
  const root = join(directory, "root");
  for (const name of ["root", "upper", "work", "docker", "containerd"]) {
    mkdirSync(join(directory, name), { recursive: true });
  }
  const layers = `lowerdir=${base},upperdir=${join(directory, "upper")},workdir=${join(directory, "work")}`;
  await run(["mount", "-t", "overlay", "-o", layers, "overlay", root]);
  // Docker's own overlays can't sit on an overlay.
  for (const name of ["docker", "containerd"]) {
    mkdirSync(join(root, "var/lib", name), { recursive: true });
    await run(["mount", "--bind", join(directory, name), join(root, "var/lib", name)]);
  }

  const write = (path: string, content: string, mode = 0o644) => writeFileSync(join(root, path), content, { mode });
  // The same id on two hosts gives their bridges the same Ethernet address.
  write("etc/machine-id", `${createHash("md5").update(hostId(cluster, host)).digest("hex")}\n`);
  write("etc/hostname", `${host}\n`);
  const names = [...identity.neighbours].map(([each, name]) => `${hostAddress(each)} ${name}\n`);
  write("etc/hosts", `127.0.0.1 localhost\n${names.join("")}`);
  write("etc/network/interfaces", interfaces(number));
  mkdirSync(join(root, "root/.ssh"), { recursive: true, mode: 0o700 });
  write("root/.ssh/authorized_keys", identity.authorizedKey, 0o600);
  write("etc/ssh/ssh_host_ed25519_key", identity.hostKey, 0o600);
  if (!canGiveAllCapabilities()) {
    const wrapper = join(root, "usr/local/sbin/runc");
    copyFileSync(join(__dirname, "runc.sh"), wrapper);
    chmodSync(wrapper, 0o755);
  }
}

// As Debian's installer leaves it.
function interfaces(number: number): string {
  return `# This file describes the network interfaces available on your system
# and how to activate them. For more information, see interfaces(5).

source /etc/network/interfaces.d/*

# The loopback network interface
auto lo
iface lo inet loopback

# The primary network interface
auto eth0
iface eth0 inet static
\taddress ${hostAddress(number)}/24
\tgateway ${UNDERLAY_ADDRESS}
`;
}

function canGiveAllCapabilities(): boolean {
  const bounding = /^CapBnd:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  const sysResource = 24n;
  return ((BigInt(`0x${bounding}`) >> sysResource) & 1n) === 1n;
}
