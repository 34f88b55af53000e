import type { Machine } from "../hosts/machine";

/** The lines in which two fingerprints differ, for a message. */
export function differences(before: string, after: string): string[] {
  const [old, now] = [before.split("\n"), after.split("\n")];
  return [
    ...old.filter((line) => !now.includes(line)).map((line) => `- ${line}`),
    ...now.filter((line) => !old.includes(line)).map((line) => `+ ${line}`),
  ];
}

/**
 * Everything that a run could change on a host, as text: two that are equal mean that nothing was changed. Files with
 * their modes and contents, links, addresses, routes, forwarding entries, firewall rules, containers, the running daemons.
 */
export async function fingerprint(host: Machine): Promise<string> {
  const { stdout } = await host.exec(["sh", "-c", SCRIPT]);
  return stdout;
}

/** Shell commands: a host's live network. */
export const LIVE_NETWORK = `ip -o link | sed 's/ state .*//'
ip -o addr | sed 's/ tentative//; s/valid_lft.*//' # an address is tentative for its first second
ip route
bridge fdb | grep permanent # the others are learned from any frame that passes
iptables-save | sed '/^#/d; s/\\[[0-9:]*\\]//'`;

/** Of a fingerprint the files, directories and firewall rules: a reboot gives devices other numbers, and Docker another process. */
export function lasting(all: string): string {
  const lines = all.split("\n").filter((line) => /^(\/|[0-9a-f]{64} |-A )/.test(line));
  return lines.join("\n");
}

const SCRIPT = `
find /etc /root /usr/local /opt -type f -printf '%p %m %u\\n' | sort
find /etc /root /usr/local /opt -type f -exec sha256sum {} + | sort
find /etc /root /usr/local /opt -type l -printf '%p -> %l\\n' | sort
find /etc /root /usr/local /opt -type d -printf '%p %m\\n' | sort
${LIVE_NETWORK}
docker ps --all --no-trunc --format '{{.ID}} {{.Names}} {{.Status}}' | sed 's/Up .*/Up/'
systemctl show docker weave weave-bridge --property Id,ActiveState,UnitFileState,MainPID
`;
