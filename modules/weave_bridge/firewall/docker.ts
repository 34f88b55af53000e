import { withoutByteOrderMark } from "../../core/bytes";
import { dockerPid } from "../../core/docker";
import { UserError } from "../../core/errors";
import type { Host } from "../../core/host/host";
import { isOptional, isShape, isString, parseJson } from "../../core/json";
import { commandLineOf } from "../../core/proc";
import type { ObservedBridge } from "../observed";
import type { BridgeOptions } from "../options";

const OPTION = "firewall-backend";
const CONFIG = isShape({ [OPTION]: isOptional(isString) });

/**
 * What makes Docker use nftables instead of iptables, as it can from 29.0 on: an argument of the running daemon, or its
 * daemon.json, which the next start reads. Null if neither has it.
 */
export function findNftablesBackend(host: Host): string | null {
  const pid = dockerPid(host);
  const words = (pid === null ? null : commandLineOf(pid, host)) ?? [];
  // The last one applies; its value is the next word or follows "=". formats/docker_flags.ts reads all flags, but needs the names of
  // all of dockerd's options, which would make this module 3 kB larger.
  const flag = (name: string): string | undefined => {
    const values = words.map((word, index) => (word === `--${name}` ? words[index + 1] : valueIn(word, name)));
    return values.filter((value) => value !== undefined).at(-1);
  };
  if (flag(OPTION) === NFTABLES) return `--${OPTION}=${NFTABLES} among the arguments of dockerd`;
  const path = flag("config-file") ?? "/etc/docker/daemon.json";
  // From 23.0 on Docker skips a byte order mark.
  const config = parseJson(withoutByteOrderMark(host.readFile(path)?.content ?? ""), CONFIG);
  return config?.[OPTION] === NFTABLES ? `"${OPTION}": "${NFTABLES}" in ${path}` : null;
}

function valueIn(word: string, flag: string): string | undefined {
  const start = `--${flag}=`;
  return word.startsWith(start) ? word.slice(start.length) : undefined;
}

const NFTABLES = "nftables";

/**
 * Throws a UserError if Docker uses nftables: no iptables rule accepts what its tables drop, and Docker calls that backend
 * experimental (docs.docker.com/engine/network/firewall-nftables).
 */
export function rejectNftablesBackend({ nftablesBackend }: ObservedBridge): void {
  if (nftablesBackend === null) return;
  throw new UserError(
    `firewall: Docker must use iptables on this host, as this module's rule for the bridge's frames does (found ${nftablesBackend}). ` +
      `Set ${OPTION} to iptables there and restart Docker, or set I(firewall): off and add rules of your own that accept the frames.`,
  );
}

/**
 * The rule by which Docker drops frames between the bridge's containers, as it does without icc; null if iptables has none. Docker 28
 * puts its chain before this module's rule whenever it starts (moby's iptabler.go), so that containers of different hosts are cut off;
 * before, its rule came last and did nothing.
 */
export function findIsolation(bridge: string, table: string | null): string | null {
  const end = ` -i ${bridge} -o ${bridge} -j DROP`;
  // Docker 28 also drops what comes from elsewhere to ports that are not published, by `-A DOCKER ! -i weave -o weave -j DROP`.
  return table?.split("\n").find((rule) => rule.endsWith(end) && !rule.endsWith(` !${end}`)) ?? null;
}

/** The warning that Docker isolates the bridge's containers; none if it does not, or with `firewall: off`. */
export function warnOfIsolation({ name, firewall }: BridgeOptions, { isolation }: ObservedBridge): string[] {
  if (isolation === null || firewall === "off") return [];
  return [
    `firewall: Docker must let the containers on ${name} reach one another (found its rule ${isolation}, as icc=false sets it). ` +
      "Set Docker's icc to true and restart Docker.",
  ];
}
