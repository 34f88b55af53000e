import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suiteSources } from "../hosts/apt_sources";
import { downloaded } from "./downloads";

/**
 * The path of Consul's program on this machine, for examples/nodejs-rest-api: of Debian 11's package, as no later Debian has
 * one. Downloaded once, by the mirror that the machine's apt has its own release from.
 */
export async function consulProgram(): Promise<string> {
  const sources = await suiteSources("bullseye");
  const directory = downloaded("consul-bullseye", (fresh) => {
    const [list, settings, cache] = [join(fresh, "sources.list"), join(fresh, "apt.conf"), join(fresh, "apt")];
    writeFileSync(list, sources);
    const own = [
      `Dir::Etc::SourceList "${list}"`,
      'Dir::Etc::SourceParts "-"',
      `Dir::State::Lists "${cache}/lists"`,
      `Dir::Cache "${cache}"`,
      // What the machine has installed is of no concern.
      'Dir::State::status "/dev/null"',
      'Acquire::Languages "none"',
      'APT::Sandbox::User "root"',
    ];
    writeFileSync(settings, own.map((line) => `${line};\n`).join(""));
    const script = `mkdir -p "${cache}/lists/partial" "${cache}/archives/partial"
      apt-get update && apt-get download consul && dpkg-deb --fsys-tarfile consul_*.deb | tar -x ./usr/bin/consul
      rm consul_*.deb`;
    execFileSync("sh", ["-ec", script], { cwd: fresh, env: { ...process.env, APT_CONFIG: settings }, stdio: "pipe" });
    for (const name of [list, settings, cache]) rmSync(name, { recursive: true });
  });
  return join(directory, "usr/bin/consul");
}
