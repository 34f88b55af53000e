import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { parse } from "yaml";
import type { Files } from "./files";

export interface Package extends Places {
  readonly version: string;
}

/**
 * MANIFEST.json and FILES.json of a collection, as `ansible-galaxy collection build` writes them in place of galaxy.yml.
 * `files` are all other files of the archive.
 */
export function manifests(galaxy: string, { version, ...places }: Package, files: Files): Files {
  const list = text({ files: listing(files), format: 1 });
  const manifest = text({
    collection_info: { ...DEFAULTS, ...(parse(galaxy) as object), ...linksOf(places), version },
    file_manifest_file: {
      name: "FILES.json",
      ftype: "file",
      chksum_type: "sha256",
      chksum_sha256: sha256(list),
      format: 1,
    },
    format: 1,
  });
  return new Map([
    ["MANIFEST.json", { content: manifest, executable: false }],
    ["FILES.json", { content: list, executable: false }],
  ]);
}

/** The fields of package.json (docs.npmjs.com, "package.json") that say where the project is; each may be left out. */
export interface Places {
  readonly homepage?: string;
  readonly repository?: string | { readonly url: string };
  readonly bugs?: string | { readonly url?: string };
}

/** The same in galaxy.yml's words. npm writes a repository's URL with a prefix and an end that browsers don't take. */
export function linksOf({ homepage, repository, bugs }: Places): object {
  const url = (place: string | { readonly url?: string } | undefined): string | undefined =>
    (typeof place === "string" ? place : place?.url)?.replace(/^git\+/, "").replace(/\.git$/, "");
  return {
    ...(homepage !== undefined && { homepage, documentation: homepage }),
    ...(repository !== undefined && { repository: url(repository) }),
    ...(bugs !== undefined && { issues: url(bugs) }),
  };
}

/** The values of keys that galaxy.yml leaves out. */
const DEFAULTS = {
  license_file: null,
  dependencies: {},
  repository: null,
  documentation: null,
  homepage: null,
  issues: null,
};

function listing(files: Files): object[] {
  const directories = new Set(["."]);
  for (const path of files.keys()) {
    for (let directory = dirname(path); directory !== "."; directory = dirname(directory)) directories.add(directory);
  }
  const nothing = { chksum_type: null, chksum_sha256: null, format: 1 };
  return [
    ...[...directories].sort().map((name) => ({ name, ftype: "dir", ...nothing })),
    ...[...files]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { content }]) => ({
        name,
        ftype: "file",
        chksum_type: "sha256",
        chksum_sha256: sha256(content),
        format: 1,
      })),
  ];
}

/** In hexadecimal digits. */
export function sha256(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

function text(value: object): Buffer {
  return Buffer.from(`${JSON.stringify(value, null, 1)}\n`);
}
