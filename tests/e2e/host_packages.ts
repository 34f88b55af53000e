import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Host } from "../hosts/host";

// Nothing is started: a test turns on what it needs.
const INSTALL = `set -e
printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
dpkg --install --force-unsafe-io /root/packages/*.deb >/dev/null 2>&1
rm -r /usr/sbin/policy-rc.d /root/packages
systemctl disable "$@" >/dev/null 2>&1`;

/**
 * Installs packages of the machine's Debian release on hosts, with what these lack of their dependencies, and leaves their `units` off.
 * apt on the machine downloads what it would install on the first host.
 */
export async function installPackages(
  hosts: readonly Host[],
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
    };
    const settings = Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
    const argv = [...settings, "--no-install-recommends", "--download-only", "--yes", "install", ...packages];
    try {
      execFileSync("apt-get", argv, { stdio: "pipe" });
    } catch {
      // The machine's lists may be missing or older than its mirror.
      execFileSync("apt-get", ["update"], { stdio: "pipe" });
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
