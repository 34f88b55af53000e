import type { Host } from "../hosts/host";

/** Adds the user "deploy" to a host, who logs in by the cluster's key and may become root by sudo. */
export async function addPlainUser(host: Host): Promise<void> {
  const script = `
set -eu
useradd --create-home --shell /bin/bash deploy
install -d -o deploy -g deploy -m 700 /home/deploy/.ssh
install -o deploy -g deploy -m 600 /root/.ssh/authorized_keys /home/deploy/.ssh/
echo 'deploy ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/deploy
`;
  await host.exec(["sh", "-c", script]);
}
