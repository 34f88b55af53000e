import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { debianRelease, suiteSources } from "../hosts/apt_sources";
import type { Host } from "../hosts/host";
import type { Suite } from "../hosts/suites";

// Nothing is started: a test turns on what it needs.
const INSTALL = `set -e
printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
dpkg --install --force-unsafe-io /root/packages/*.deb >/dev/null 2>&1
rm -r /usr/sbin/policy-rc.d /root/packages
systemctl disable "$@" >/dev/null 2>&1`;

/**
 * Installs packages of the hosts' Debian suite on them, with what these lack of their dependencies, and leaves their `units` off.
 * apt on the machine downloads what it would install on the first host.
 */
export async function installPackages(
  hosts: readonly Host[],
  suite: Suite,
  packages: readonly string[],
  units: readonly string[],
): Promise<void> {
  const [first] = hosts;
  if (first === undefined) return;
  const directory = mkdtempSync(join(tmpdir(), "apollo-weave-packages-"));
  try {
    mkdirSync(join(directory, "partial"));
    const options = {
      "Dir::State::status": join(first.root, "var/lib/dpkg/status"),
      "Dir::Cache::archives": directory,
      "APT::Sandbox::User": "root",
      "Debug::NoLocking": "1",
      ...(suite === debianRelease() ? {} : await sourcesOf(suite, directory)),
    };
    const settings = Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
    const argv = [...settings, "--no-install-recommends", "--download-only", "--yes", "install", ...packages];
    try {
      execFileSync("apt-get", argv, { stdio: "pipe" });
    } catch {
      // The lists may be missing or older than the mirror.
      execFileSync("apt-get", [...settings, "update"], { stdio: "pipe" });
      execFileSync("apt-get", argv, { stdio: "pipe" });
    }
    const files = readdirSync(directory).filter((name) => name.endsWith(".deb"));
    await Promise.all(
      hosts.map(async (host) => {
        for (const name of files) await host.write(`/root/packages/${name}`, readFileSync(join(directory, name)));
        await host.exec(["sh", "-c", INSTALL, "sh", ...units], { timeoutSeconds: 300 });
      }),
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** apt's settings for a suite that is not the machine's, so that the machine's own lists stay as they are. */
async function sourcesOf(suite: Suite, directory: string): Promise<Record<string, string>> {
  const [list, lists] = [join(directory, "sources.list"), join(directory, "lists")];
  mkdirSync(join(lists, "partial"), { recursive: true });
  writeFileSync(list, await suiteSources(suite));
  return {
    ...{ "Dir::Etc::sourcelist": list, "Dir::Etc::sourceparts": "-", "Dir::State::lists": lists },
    ...{ "Dir::Cache::pkgcache": "", "Dir::Cache::srcpkgcache": "" },
  };
}
