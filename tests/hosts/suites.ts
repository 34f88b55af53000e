/** The Debian suites that test hosts can be made of. */
export const SUITES = ["bookworm", "trixie", "testing"] as const;
export type Suite = (typeof SUITES)[number];

/** The suite of this name. Throws when there are no test hosts of it. */
export function suiteOf(name: string): Suite {
  const suite = SUITES.find((each) => each === name);
  if (suite === undefined) throw new Error(`there are no test hosts of "${name}": there are ${SUITES.join(", ")}`);
  return suite;
}

/**
 * Whether a suite's systemd starts only under the unified cgroup hierarchy: from 256 on it rejects v1 unless told otherwise on the
 * kernel's command line, from 258 on it knows none (NEWS of systemd).
 */
export function unifiedOnly(suite: Suite): boolean {
  return suite !== "bookworm";
}

/** What hosts of a suite have beside what all have. */
export function morePackages(suite: Suite): readonly string[] {
  if (suite === "bookworm") return [];
  // docker.io only recommends its client from Debian 13 on, e2fsprogs is no longer essential, and Compose is older than 2 before. The
  // others are for plays by the suite's own ansible-core.
  return ["docker-cli", "e2fsprogs", "docker-compose", "ansible-core", "netcat-openbsd"];
}
