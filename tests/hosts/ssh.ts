import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { clusterDirectory, underlayName } from "./paths";
import { allProcesses, commandOf, signalProcess } from "./processes";
import { type Output, type RunOptions, run } from "./run";
import { hostAddress, namespaceProcesses } from "./underlay";

/** The path of a cluster's Ansible inventory. */
export function inventoryPath(cluster: string): string {
  return join(clusterDirectory(cluster), "inventory.ini");
}

/** Makes a key pair and returns both halves as the files' contents. */
async function makeKey(file: string): Promise<{ secret: string; open: string }> {
  await run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "apollo-weave-test-hosts", "-f", file]);
  return { secret: readFileSync(file, "utf8"), open: readFileSync(`${file}.pub`, "utf8") };
}

/**
 * Makes a cluster's keys, the list of its hosts' keys and its inventory. Returns the public key that hosts must accept
 * and the private key for each host's sshd, by the host's number. Ansible gives up a host that is silent for that long.
 */
export async function prepareSsh(
  cluster: string,
  hosts: ReadonlyMap<number, string>,
  silenceSeconds: number,
): Promise<{ authorizedKey: string; hostKeys: Map<number, string> }> {
  const { keys, controls, login, known } = files(cluster);
  mkdirSync(keys, { mode: 0o700 });
  mkdirSync(controls, { mode: 0o700 });
  const { open: authorizedKey } = await makeKey(login);
  const made = await Promise.all(
    [...hosts].map(async ([number, name]) => ({ number, name, ...(await makeKey(join(keys, name))) })),
  );
  writeFileSync(known, made.map(({ number, name, open }) => `${name},${hostAddress(number)} ${open}`).join(""));
  writeFileSync(inventoryPath(cluster), inventory(cluster, hosts, silenceSeconds));
  return { authorizedKey, hostKeys: new Map(made.map(({ number, secret }) => [number, secret])) };
}

const ALIVE_SECONDS = 5;

// ServerAlive: Ansible would wait forever for a host whose plug is pulled, and one that shuts down takes its network away
// before it closes its connections.
function inventory(cluster: string, hosts: ReadonlyMap<number, string>, silenceSeconds: number): string {
  const { controls, login, known } = files(cluster);
  const lines = [...hosts].map(([number, name]) => `${name} ansible_host=${hostAddress(number)}`);
  return `[weave_servers]
${lines.join("\n")}

[weave_servers:vars]
ansible_user=root
ansible_python_interpreter=/usr/bin/python3
ansible_ssh_private_key_file=${login}
ansible_ssh_common_args=-o ProxyCommand="${proxyCommand(cluster)}" -o UserKnownHostsFile=${known} -o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes -o IdentitiesOnly=yes -o ServerAliveInterval=${ALIVE_SECONDS} -o ServerAliveCountMax=${silenceSeconds / ALIVE_SECONDS}
# Clusters have the same addresses, and Ansible names a connection that it keeps open by the address.
ansible_control_path_dir=${controls}
`;
}

/**
 * Runs a command on a host through its sshd, as a user would. By default it takes 15 s at most, and a failure is returned as well.
 * With `keep`, the connection stays for the next command.
 */
export async function ssh(
  cluster: string,
  address: string,
  command: string,
  { keep = false, timeoutSeconds = 15, ...options }: RunOptions & { keep?: boolean } = {},
): Promise<Output> {
  const { login, known, controls } = files(cluster);
  const settings = [
    `ProxyCommand=${proxyCommand(cluster)}`,
    `UserKnownHostsFile=${known}`,
    "GlobalKnownHostsFile=/dev/null",
    "StrictHostKeyChecking=yes",
    "IdentitiesOnly=yes",
    "BatchMode=yes",
    `ConnectTimeout=${Math.min(60, timeoutSeconds / 3)}`,
    ...(keep ? ["ControlMaster=auto", "ControlPersist=yes", `ControlPath=${join(controls, "kept-%h")}`] : []),
  ];
  // -F: the settings of whoever runs this have no part in it.
  const argv = ["ssh", "-F", "none", "-i", login, ...settings.flatMap((setting) => ["-o", setting])];
  return run([...argv, `root@${address}`, command], { check: false, timeoutSeconds, ...options });
}

/**
 * Ends the connections to a host that has gone. Nobody would tell their ends on the machine, which keep them open for
 * Ansible's next run, and this one would then talk to a host that no longer is.
 */
export function dropConnections(cluster: string, address: string): void {
  for (const pid of namespaceProcesses(underlayName(cluster))) {
    const [program, host] = commandOf(pid);
    if (program === "nc" && host === address) signalProcess(pid, "SIGTERM");
  }
}

/** The ssh processes that keep connections to a cluster's hosts open for Ansible. */
export function connectionKeepers(cluster: string): number[] {
  const { controls } = files(cluster);
  return allProcesses().filter((pid) => commandOf(pid)[0]?.startsWith(`ssh: ${controls}/`));
}

function proxyCommand(cluster: string): string {
  return `ip netns exec ${underlayName(cluster)} nc %h %p`;
}

function files(cluster: string) {
  const directory = clusterDirectory(cluster);
  const keys = join(directory, "keys");
  return { keys, login: join(keys, "login"), known: join(directory, "known_hosts"), controls: join(directory, "ssh") };
}
