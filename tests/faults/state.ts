import { LIVE_NETWORK } from "../e2e/fingerprint";

/**
 * What a host is like, as far as a module could change it: its files by path, each with its kind, mode, owner and content,
 * and what is live, line by line, both without what differs between any two runs.
 */
export interface State {
  readonly files: ReadonlyMap<string, string>;
  readonly live: readonly string[];
  /** How often Docker was started since the host was made ready. */
  readonly dockerStarts: number;
}

/**
 * A shell script that looks at a host and changes nothing: the contents of what modules write, the names of all else, which
 * appear where something was left behind, and what is live. What docker_bridge_opts keeps for the way back is left out, as it
 * names the daemon's process and stays without effect once another runs, and so are the files that a rollback has replaced.
 */
export const PROBE_STATE = `
find /etc/network /etc/systemd /etc/default /etc/docker /etc/NetworkManager /etc/wireguard /var/lib/apollo-weave /etc/weave*.env \\
  -type f ! -name docker-previous.json ! -name 'replaced-*' -exec sha256sum {} +
find /etc /root /usr/local /opt /var/lib/apollo-weave /run/weave* ! -name docker-previous.json ! -name 'replaced-*' -printf '%p\\t%y %m %u:%g %l\\n'
echo LIVE
{ ${LIVE_NETWORK}
} | sed -E 's/^[0-9]+: //; s/@if[0-9]+//; /inet6/d; /^00:00/!s/^([0-9a-f]{2}:){5}[0-9a-f]{2} /MAC /'
wg showconf weave-wg; ip -o -6 addr show dev weave-wg | sed 's/^[0-9]*: //; s/ tentative//; s/valid_lft.*//'
cat /run/network/ifstate
systemctl show docker weave weave-bridge weave-wg --property Id,ActiveState,UnitFileState,NeedDaemonReload
tr '\\0' ' ' </proc/$(cat /run/docker.pid)/cmdline; echo
docker() { curl -s --unix-socket /run/docker.sock "http://docker/$1"; }
docker networks | sed 's/},{"Name"/},\\n{"Name"/g' | sed 's/"Id":[^,]*,"Created":[^,]*,//; s/^\\[//; s/}[],]$/}/'; echo
docker 'containers/json?all=1' | grep -o '"Names":[^]]*\\|"State":"[^"]*"'
report() { curl -s http://127.0.0.1:6784/report -H 'Accept: application/json'; }
report | tr -d '\\n ' | grep -o '"Targets":[^]]*'
grep -h '^NETWORK_FILE=\\|^ADMIN_STATE=' /run/systemd/netif/links/*
echo STARTS
wc -l </var/lib/faults/docker-starts
`;

/** Reads what `PROBE_STATE` printed. */
export function readState(text: string): State {
  const [files = "", rest = ""] = text.split("LIVE\n");
  const [live = "", starts = ""] = rest.split("STARTS\n");
  const lines = files.split("\n").filter((line) => line !== "");
  const sums = new Map(
    lines.filter((line) => !line.includes("\t")).map((line) => [line.slice(66), line.slice(0, 12)] as const),
  );
  const named = lines.filter((line) => line.includes("\t")).map((line) => line.split("\t"));
  return {
    files: new Map(named.map(([path = "", rest = ""]) => [path, `${rest} ${sums.get(path) ?? ""}`.trim()])),
    live: live
      .split("\n")
      .map((line) =>
        line
          .replace(/veth[0-9a-f]{7}/g, "VETH")
          .replace(/02:42(:[0-9a-f]{2}){4}/g, "MAC")
          .trim(),
      )
      .filter((line) => line !== "")
      .sort(),
    dockerStarts: Number(starts),
  };
}

/** Whether a file is not in place yet, and read by nothing, by its name (modules/core/atomic_write.ts). */
export function isUnfinished(path: string): boolean {
  return /\/\.[^/]+\.weave-new$/.test(path);
}

/** Where modules keep what the next run must know of an unfinished one. */
const PENDING_DIRECTORY = "/run/";

/**
 * What is wrong with a host after a fault: files that are as they were neither before nor as they are to be, and files that
 * have gone. `wasKilled` tells whether the module had no time to remove its temporary files.
 */
export function filesNeitherOldNorNew(before: State, expected: State, found: State, wasKilled: boolean): string[] {
  const paths = new Set([...before.files.keys(), ...expected.files.keys(), ...found.files.keys()]);
  return [...paths].flatMap((path) => {
    const [was, is, toBe] = [before, found, expected].map(({ files }) => files.get(path) ?? "absent");
    if (is === was || is === toBe || path.startsWith(PENDING_DIRECTORY) || (wasKilled && isUnfinished(path))) return [];
    return [`${path} is ${is}, was ${was}, is to be ${toBe}`];
  });
}

/** In what two states differ. */
export function difference(expected: State, found: State): string[] {
  const files = [...new Set([...expected.files.keys(), ...found.files.keys()])]
    .filter((path) => expected.files.get(path) !== found.files.get(path))
    .map((path) => `${path} is ${found.files.get(path)}, not ${expected.files.get(path)}`);
  if (expected.live.join("\n") === found.live.join("\n")) return files;
  const missing = expected.live.filter((line) => !found.live.includes(line)).map((line) => `missing: ${line}`);
  const added = found.live.filter((line) => !expected.live.includes(line)).map((line) => `unexpected: ${line}`);
  const repeated = found.live.filter((line, index) => line === found.live[index - 1]).map((line) => `twice: ${line}`);
  return [...files, ...missing, ...added, ...(missing.length + added.length === 0 ? repeated : [])];
}
