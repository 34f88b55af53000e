import type { Host } from "../hosts/host";

/** Adds the user "operator" to a host, who logs in by the cluster's key and may become root by sudo. */
export async function addOperator(host: Host): Promise<void> {
  const script = `
set -eu
useradd --create-home --shell /bin/bash operator
install -d -o operator -g operator -m 700 /home/operator/.ssh
install -o operator -g operator -m 600 /root/.ssh/authorized_keys /home/operator/.ssh/
echo 'operator ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/operator
`;
  await host.exec(["sh", "-c", script]);
}
