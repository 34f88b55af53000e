import { existsSync, readFileSync } from "node:fs";
import { run } from "./run";

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** The code name of the Debian release that this machine runs. Throws when it doesn't run Debian. */
export function debianRelease(): string {
  const settings = new Map(
    readFileSync("/etc/os-release", "utf8")
      .split("\n")
      .map((line) => /^([A-Z_]+)="?(.*?)"?$/.exec(line))
      .flatMap((match) => (match?.[1] === undefined ? [] : [[match[1], match[2] ?? ""] as const])),
  );
  const release = settings.get("VERSION_CODENAME");
  if (settings.get("ID") !== "debian" || !release) {
    throw new Error(
      `the test hosts need a Debian machine, and /etc/os-release says ${settings.get("ID") ?? "nothing"}`,
    );
  }
  return release;
}

/**
 * The sources of a Debian suite by the mirror that the machine's apt has its own release from, as lines of a sources.list: of that
 * release the updates and security updates as well. Third parties' sources are left out. Throws when apt has none of its own release.
 */
export async function suiteSources(suite: string): Promise<string> {
  const release = debianRelease();
  const known = await knownSources(release);
  if (suite === release) return list(known);
  const main = known.find(({ codename, component }) => codename === release && component === "main");
  if (main === undefined) throw unknown(release);
  return list([{ ...main, suite }]);
}

interface Source {
  codename: string;
  uri: string;
  suite: string;
  component: string;
  /** The keys that sign it; null where apt's own are meant. */
  keyring: string | null;
}

async function knownSources(release: string): Promise<Source[]> {
  let sources = await indexTargets(release);
  if (sources.length === 0) {
    await run(["apt-get", "update"], { timeoutSeconds: 300 });
    sources = await indexTargets(release);
  }
  if (sources.length === 0) throw unknown(release);
  return sources;
}

async function indexTargets(release: string): Promise<Source[]> {
  const format = "$(CODENAME)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(SIGNED_BY)";
  const argv = ["apt-get", "indextargets", "--format", format, "Created-By: Packages", "Origin: Debian"];
  const { stdout } = await run(argv);
  return stdout.split("\n").flatMap((line) => {
    const [codename = "", uri = "", suite = "", component = "", signedBy] = line.split("|");
    if (codename !== release && !codename.startsWith(`${release}-`)) return [];
    // apt leaves a variable that it has no value for as it is.
    const keyring = signedBy?.startsWith("/") ? signedBy : existsSync(KEYRING) ? KEYRING : null;
    return [{ codename, uri, suite, component, keyring }];
  });
}

function list(sources: readonly Source[]): string {
  return sources
    .map(
      ({ uri, suite, component, keyring }) =>
        `deb ${keyring ? `[signed-by=${keyring}] ` : ""}${uri} ${suite} ${component}\n`,
    )
    .join("");
}

function unknown(release: string): Error {
  return new Error(`apt knows no source of Debian ${release}: add one to /etc/apt and run "apt-get update"`);
}

/** The machine's apt settings on how to fetch (proxy, time-outs, checks), as an apt.conf. */
export async function aptSettings(): Promise<string> {
  const { stdout } = await run(["apt-config", "dump"]);
  const lines = stdout.split("\n").filter((line) => line.startsWith("Acquire::"));
  // Which files apt fetches, and their descriptions, are decided in the tree itself.
  return `${lines.filter((line) => !/^Acquire::(IndexTargets|Changelogs|cdrom)\b/.test(line)).join("\n")}\n`;
}
