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
[ $# -eq 0 ] || systemctl disable "$@" >/dev/null 2>&1`;

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
  const status = join(first.root, "var/lib/dpkg/status");
  const words = ["--no-install-recommends", "--download-only", "--yes", "install", ...packages];
  const files = await filesBy(words, suite, { "Dir::State::status": status });
  await Promise.all(
    hosts.map(async (host) => {
      for (const { name, content } of files) await host.write(`/root/packages/${name}`, content);
      await host.exec(["sh", "-c", INSTALL, "sh", ...units], { timeoutSeconds: 300 });
    }),
  );
}

/** Downloads a package of a suite; returns its file's content. */
export async function downloadPackage(suite: Suite, name: string): Promise<Buffer> {
  const [file] = await filesBy(["download", name], suite, {});
  if (file === undefined) throw new Error(`apt has downloaded no package ${name} of ${suite}`);
  return file.content;
}

interface PackageFile {
  readonly name: string;
  readonly content: Buffer;
}

/** The packages that apt-get downloads with these words and settings. */
async function filesBy(
  words: readonly string[],
  suite: Suite,
  options: Readonly<Record<string, string>>,
): Promise<PackageFile[]> {
  const directory = mkdtempSync(join(tmpdir(), "apollo-weave-packages-"));
  try {
    mkdirSync(join(directory, "partial"));
    const all = {
      ...options,
      "Dir::Cache::archives": directory,
      "APT::Sandbox::User": "root",
      "Debug::NoLocking": "1",
      ...(suite === debianRelease() ? {} : await sourcesOf(suite)),
    };
    const settings = Object.entries(all).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
    const apt = (...argv: string[]): unknown =>
      execFileSync("apt-get", [...settings, ...argv], { cwd: directory, stdio: "pipe" });
    try {
      apt(...words);
    } catch {
      // The lists may be missing or older than the mirror.
      apt("update");
      apt(...words);
    }
    const names = readdirSync(directory).filter((name) => name.endsWith(".deb"));
    return names.map((name) => ({ name, content: readFileSync(join(directory, name)) }));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** By suite, where this process has its lists. */
const directories = new Map<Suite, string>();

/** apt's settings for a suite that is not the machine's, so that the machine's own lists stay as they are. */
async function sourcesOf(suite: Suite): Promise<Record<string, string>> {
  const directory = directories.get(suite) ?? mkdtempSync(join(tmpdir(), "apollo-weave-lists-"));
  if (!directories.has(suite)) process.on("exit", () => rmSync(directory, { recursive: true }));
  directories.set(suite, directory);
  const [list, lists] = [join(directory, "sources.list"), join(directory, "lists")];
  mkdirSync(join(lists, "partial"), { recursive: true });
  writeFileSync(list, await suiteSources(suite));
  return {
    ...{ "Dir::Etc::sourcelist": list, "Dir::Etc::sourceparts": "-", "Dir::State::lists": lists },
    ...{ "Dir::Cache::pkgcache": "", "Dir::Cache::srcpkgcache": "" },
  };
}
