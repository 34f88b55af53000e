import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Files, readFile, readFiles, rewrite, under, within, without, writeFiles } from "./files";
import { filterNames, qualifyFilters, qualifyModules } from "./full_names";
import { manifests, type Package, sha256 } from "./manifests";
import { MODULES } from "./modules";

/**
 * `npm run package`: packs what `npm run build` has built into dist, as a collection and as a role by itself, with their
 * checksums. The archives' bytes depend on the sources alone.
 */
const root = join(__dirname, "..");
const dist = join(root, "dist");
const project = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Package;
const { version } = project;
const role = readFiles(join(root, "roles/weave"));

const time = sourceTime();
const archives: readonly [name: string, files: Files][] = [
  [`apollo-weave-${version}.tar.gz`, collectionFiles()],
  [`apollo-weave-role-${version}.tar.gz`, under("roles/weave", new Map([...role, ...topFiles("LICENSE")]))],
];
for (const name of readdirSync(dist)) if (name.endsWith(".tar.gz")) rmSync(join(dist, name));
const sums = archives.map(([name, files]) => {
  const content = archive(files, time);
  writeFileSync(join(dist, name), content);
  console.log(`dist/${name}  ${(content.length / 1000).toFixed(1)} kB`);
  return `${sha256(content)}  ${name}\n`;
});
writeFileSync(join(dist, "SHA256SUMS"), sums.join(""));

/** The role and the playbooks as a collection, which has separate directories for modules and filters. */
function collectionFiles(): Files {
  const skeleton = readFiles(join(root, "build/collection"));
  const galaxy = skeleton.get("galaxy.yml")?.content.toString() ?? "";
  const modules = MODULES.map(({ module }) => module.name);
  const filterPlugins = within("filter_plugins", role);
  const filters = [...filterPlugins]
    .filter(([path]) => path.endsWith(".py"))
    .flatMap(([, { content }]) => filterNames(content.toString()));
  const tasks = without(["library", "filter_plugins", "action_plugins"], role);
  const files = new Map([
    ...[...skeleton].filter(([path]) => path !== "galaxy.yml"),
    ...topFiles("CHANGELOG.md", "LICENSE"),
    ...under("docs", without(["decisions"], readFiles(join(root, "docs")))),
    ...under("playbooks", readFiles(join(root, "playbooks"))),
    ...under(
      "plugins/filter",
      rewrite(filterPlugins, [".yml"], (text) => qualifyFilters(text, filters)),
    ),
    ...under(
      "plugins/modules",
      rewrite(within("library", role), [".yml"], (text) => qualifyModules(text, modules)),
    ),
    ...under(
      "roles/weave",
      rewrite(tasks, [".yml", ".j2"], (text) => qualifyFilters(text, filters)),
    ),
  ]);
  return new Map([...files, ...manifests(galaxy, project, files)]);
}

/** Files at the project's root. */
function topFiles(...names: readonly string[]): Files {
  return new Map(names.map((name) => [name, readFile(join(root, name))]));
}

/**
 * The time of all files in the archives, in seconds since 1970: that of the last commit, or SOURCE_DATE_EPOCH
 * (https://reproducible-builds.org/specs/source-date-epoch/). It must differ between versions: Python uses what it has
 * compiled of an older version's filters if time and size are the same.
 */
function sourceTime(): number {
  return Number(
    process.env["SOURCE_DATE_EPOCH"] ??
      execFileSync("git", ["log", "-1", "--format=%ct"], { cwd: root, encoding: "utf8" }),
  );
}

/**
 * Packs files into a tar.gz whose bytes depend on the files and `time` (in seconds since 1970) alone, with the flags of
 * https://reproducible-builds.org/docs/archives/.
 */
function archive(files: Files, time: number): Buffer {
  const directory = mkdtempSync(join(tmpdir(), "apollo-weave-archive-"));
  try {
    writeFiles(directory, files);
    const sameForAll = ["--owner=0", "--group=0", "--numeric-owner", "--mode=u=rwX,go=rX", `--mtime=@${time}`];
    const argv = ["--create", "--format=ustar", "--sort=name", ...sameForAll, "--use-compress-program=gzip --no-name"];
    return execFileSync("tar", [...argv, "--directory", directory, ...readdirSync(directory).sort()], {
      maxBuffer: 64 * 1024 * 1024,
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
