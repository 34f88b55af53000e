import { execFileSync } from "node:child_process";
import fs, {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { removeFile, replaceFile } from "../../../modules/core/atomic_write";
import { inTemporaryFolder } from "../support/temporary_folder";
import { userErrorOf } from "../support/user_error";

/** What a script of Python's, which can read and set extended attributes, prints of a path. */
function python(path: string, script: string): string {
  return execFileSync("python3", ["-c", `import os, struct, sys; path = sys.argv[1]; ${script}`, path], {
    encoding: "utf8",
  });
}

const modeOf = (path: string): number => statSync(path).mode & 0o7777;
const temporaryOf = (folder: string, name: string): string => join(folder, `.${name}.weave-new`);

test("a new file has the content to the byte and the mode, whatever the process masks", () => {
  inTemporaryFolder((folder) => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const path = join(folder, "file");
    const masked = process.umask(0o077);
    try {
      replaceFile(path, bytes.toString("latin1"), 0o664);
    } finally {
      process.umask(masked);
    }
    assert.equal(readFileSync(path), bytes);
    assert.is(modeOf(path), 0o664);
    assert.equal(readdirSync(folder), ["file"]);
  });
});

test("a file larger than one write takes is written whole", () => {
  inTemporaryFolder((folder) => {
    const content = "0123456789abcdef".repeat(200_000);
    replaceFile(join(folder, "file"), content, 0o644);
    assert.is(readFileSync(join(folder, "file"), "latin1"), content);
  });
});

test("an empty content creates an empty file", () => {
  inTemporaryFolder((folder) => {
    replaceFile(join(folder, "file"), "", 0o644);
    assert.is(statSync(join(folder, "file")).size, 0);
  });
});

test("an existing file keeps its ACL and its extended attributes, and gets a new time", () => {
  inTemporaryFolder((folder) => {
    const path = join(folder, "file");
    writeFileSync(path, "old", { mode: 0o640 });
    utimesSync(path, 1, 1);
    // getfacl: user::rw-, user:12345:r--, group::r--, mask::r--, other::---; the entries of linux/posix_acl_xattr.h.
    const entries = [
      [1, 6, -1],
      [2, 4, 12345],
      [4, 4, -1],
      [16, 4, -1],
      [32, 0, -1],
    ] as const;
    const acl = `struct.pack("<I", 2) + ${entries.map((entry) => `struct.pack("<HHi", ${entry.join(", ")})`).join(" + ")}`;
    const attributes = (): string =>
      python(path, "print([(name, os.getxattr(path, name)) for name in sorted(os.listxattr(path))])");
    python(path, `os.setxattr(path, "user.owner", b"ops"); os.setxattr(path, "system.posix_acl_access", ${acl})`);
    // Only root may set those of the administrator's own.
    if (process.getuid?.() === 0) python(path, 'os.setxattr(path, "trusted.audit", b"\\x00yes")');
    // A kernel without SELinux keeps any label.
    if (process.getuid?.() === 0 && !existsSync("/sys/fs/selinux/enforce")) {
      python(path, 'os.setxattr(path, "security.selinux", b"system_u:object_r:net_conf_t:s0\\x00")');
    }
    const before = attributes();
    assert.match(before, /'system\.posix_acl_access'.*'user\.owner', b'ops'/);
    replaceFile(path, "new", 0o640);
    assert.is(readFileSync(path, "utf8"), "new");
    assert.is(attributes(), before);
    assert.ok(statSync(path).mtimeMs > 1000);
  });
});

test("an existing file gets the new content and mode, and keeps its owner and group", () => {
  inTemporaryFolder((folder) => {
    const path = join(folder, "file");
    writeFileSync(path, "the old and longer content");
    chmodSync(path, 0o640);
    if (process.getuid?.() === 0) chownSync(path, 12345, 23456);
    const { uid, gid } = statSync(path);
    replaceFile(path, "new", 0o600);
    assert.is(readFileSync(path, "utf8"), "new");
    assert.is(modeOf(path), 0o600);
    assert.equal([statSync(path).uid, statSync(path).gid], [uid, gid]);
    assert.equal(readdirSync(folder), ["file"]);
  });
});

test("a file is replaced by a rename: a process that has the old one open still reads the old content", () => {
  inTemporaryFolder((folder) => {
    const path = join(folder, "file");
    writeFileSync(path, "old");
    const before = statSync(path).ino;
    replaceFile(path, "new", 0o644);
    assert.is.not(statSync(path).ino, before);
  });
});

test("a link is followed, relative and over several steps: its target is replaced, the links stay", () => {
  inTemporaryFolder((folder) => {
    mkdirSync(join(folder, "real"));
    writeFileSync(join(folder, "real/file"), "old");
    symlinkSync("real/file", join(folder, "second"));
    symlinkSync(join(folder, "second"), join(folder, "first"));
    replaceFile(join(folder, "first"), "new", 0o644);
    assert.is(readFileSync(join(folder, "real/file"), "utf8"), "new");
    assert.ok(lstatSync(join(folder, "real/file")).isFile());
    assert.is(readlinkSync(join(folder, "first")), join(folder, "second"));
    assert.is(readlinkSync(join(folder, "second")), "real/file");
    assert.equal(readdirSync(join(folder, "real")), ["file"]);
  });
});

test("a link to a missing file is followed too: the file is created, the link stays", () => {
  inTemporaryFolder((folder) => {
    mkdirSync(join(folder, "real"));
    symlinkSync("real/file", join(folder, "link"));
    replaceFile(join(folder, "link"), "new", 0o644);
    assert.is(readFileSync(join(folder, "link"), "utf8"), "new");
    assert.ok(lstatSync(join(folder, "link")).isSymbolicLink(), "the link has been replaced by a file");
    assert.ok(existsSync(join(folder, "real/file")));
  });
});

test("missing folders are created, whatever the process masks; those of a private file are private too", () => {
  for (const mask of [0o000, 0o022, 0o077]) {
    inTemporaryFolder((folder) => {
      const masked = process.umask(mask);
      try {
        replaceFile(join(folder, "a/b/file"), "new", 0o644);
        replaceFile(join(folder, "private/b/file"), "new", 0o600);
      } finally {
        process.umask(masked);
      }
      assert.is(readFileSync(join(folder, "a/b/file"), "utf8"), "new");
      const modes = ["a", "a/b", "private", "private/b"].map((name) => modeOf(join(folder, name)).toString(8));
      assert.equal(modes, ["755", "755", "700", "700"]);
    });
  }
});

test("created folders survive a power failure: each is synced, and the first that existed", () => {
  inTemporaryFolder((folder) => {
    const synced: string[] = [];
    const { fsyncSync } = fs;
    fs.fsyncSync = (file) => {
      synced.push(readlinkSync(`/proc/self/fd/${file}`).slice(folder.length));
      fsyncSync(file);
    };
    try {
      replaceFile(join(folder, "a/b/file"), "new", 0o644);
    } finally {
      fs.fsyncSync = fsyncSync;
    }
    assert.equal(synced, ["", "/a", "/a/b/.file.weave-new", "/a/b"]);
  });
});

test("a temporary file left by a killed run is replaced", () => {
  inTemporaryFolder((folder) => {
    const path = join(folder, "file");
    writeFileSync(path, "old");
    writeFileSync(temporaryOf(folder, "file"), "half of the n");
    replaceFile(path, "new", 0o644);
    assert.is(readFileSync(path, "utf8"), "new");
    assert.equal(readdirSync(folder), ["file"]);
  });
});

test("a link at the temporary file's path is not followed", () => {
  inTemporaryFolder((folder) => {
    writeFileSync(join(folder, "precious"), "precious");
    symlinkSync("precious", temporaryOf(folder, "file"));
    replaceFile(join(folder, "file"), "new", 0o644);
    assert.is(readFileSync(join(folder, "precious"), "utf8"), "precious");
    assert.ok(lstatSync(join(folder, "file")).isFile());
  });
});

test("if the temporary file can't be created, the old content stays", () => {
  inTemporaryFolder((folder) => {
    const path = join(folder, "file");
    writeFileSync(path, "old");
    mkdirSync(temporaryOf(folder, "file"));
    assert.throws(() => replaceFile(path, "new", 0o644));
    assert.is(readFileSync(path, "utf8"), "old");
  });
});

test("if the rename fails, the old state stays and no temporary file is left", () => {
  inTemporaryFolder((folder) => {
    mkdirSync(join(folder, "taken"));
    writeFileSync(join(folder, "taken/inside"), "old");
    assert.throws(() => replaceFile(join(folder, "taken"), "new", 0o644), /EISDIR|ENOTEMPTY|EEXIST/);
    assert.is(readFileSync(join(folder, "taken/inside"), "utf8"), "old");
    assert.equal(readdirSync(folder), ["taken"]);
  });
});

test("a folder that can't be synced is an error that does not claim that the file is unchanged", () => {
  inTemporaryFolder((folder) => {
    const path = join(folder, "file");
    const { fsyncSync } = fs;
    fs.fsyncSync = (file) => {
      if (fs.fstatSync(file).isDirectory()) throw new Error("EIO: i/o error, fsync");
      fsyncSync(file);
    };
    try {
      assert.match(
        userErrorOf(() => replaceFile(path, "new", 0o644)),
        `${path}: must be kept through a power failure (found that it is replaced, and may be as before after one: EIO`,
      );
    } finally {
      fs.fsyncSync = fsyncSync;
    }
    assert.is(readFileSync(path, "latin1"), "new");
    assert.equal(readdirSync(folder), ["file"]);
  });
});

test("ifupdown's `source interfaces.d/*` would not read the temporary file", () => {
  inTemporaryFolder((folder) => {
    mkdirSync(temporaryOf(folder, "weave.cfg"));
    assert.throws(
      () => replaceFile(join(folder, "weave.cfg"), "", 0o644),
      "the name of the temporary file has changed",
    );
  });
});

test("a file is removed, and a missing one is not an error", () => {
  inTemporaryFolder((folder) => {
    const path = join(folder, "file");
    writeFileSync(path, "old");
    removeFile(path);
    assert.not.ok(existsSync(path));
    removeFile(path);
  });
});

test.run();
