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
import { inTemporaryDirectory } from "../support/temporary_directory";
import { userErrorOf } from "../support/user_error";

/** What a script of Python's, which can read and set extended attributes, prints of a path. */
function python(path: string, script: string): string {
  return execFileSync("python3", ["-c", `import os, struct, sys; path = sys.argv[1]; ${script}`, path], {
    encoding: "utf8",
  });
}

const modeOf = (path: string): number => statSync(path).mode & 0o7777;
const temporaryOf = (directory: string, name: string): string => join(directory, `.${name}.weave-new`);

test("a new file has the content to the byte and the mode, whatever the process masks", () => {
  inTemporaryDirectory((directory) => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const path = join(directory, "file");
    const masked = process.umask(0o077);
    try {
      replaceFile(path, bytes.toString("latin1"), 0o664);
    } finally {
      process.umask(masked);
    }
    assert.equal(readFileSync(path), bytes);
    assert.is(modeOf(path), 0o664);
    assert.equal(readdirSync(directory), ["file"]);
  });
});

test("a file larger than one write takes is written whole", () => {
  inTemporaryDirectory((directory) => {
    const content = "0123456789abcdef".repeat(200_000);
    replaceFile(join(directory, "file"), content, 0o644);
    assert.is(readFileSync(join(directory, "file"), "latin1"), content);
  });
});

test("an empty content creates an empty file", () => {
  inTemporaryDirectory((directory) => {
    replaceFile(join(directory, "file"), "", 0o644);
    assert.is(statSync(join(directory, "file")).size, 0);
  });
});

test("an existing file keeps its ACL and its extended attributes, and gets a new time", () => {
  inTemporaryDirectory((directory) => {
    const path = join(directory, "file");
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
  inTemporaryDirectory((directory) => {
    const path = join(directory, "file");
    writeFileSync(path, "the old and longer content");
    chmodSync(path, 0o640);
    if (process.getuid?.() === 0) chownSync(path, 12345, 23456);
    const { uid, gid } = statSync(path);
    replaceFile(path, "new", 0o600);
    assert.is(readFileSync(path, "utf8"), "new");
    assert.is(modeOf(path), 0o600);
    assert.equal([statSync(path).uid, statSync(path).gid], [uid, gid]);
    assert.equal(readdirSync(directory), ["file"]);
  });
});

test("a file is replaced by a rename: a process that has the old one open still reads the old content", () => {
  inTemporaryDirectory((directory) => {
    const path = join(directory, "file");
    writeFileSync(path, "old");
    const before = statSync(path).ino;
    replaceFile(path, "new", 0o644);
    assert.is.not(statSync(path).ino, before);
  });
});

test("a link is followed, relative and over several steps: its target is replaced, the links stay", () => {
  inTemporaryDirectory((directory) => {
    mkdirSync(join(directory, "real"));
    writeFileSync(join(directory, "real/file"), "old");
    symlinkSync("real/file", join(directory, "second"));
    symlinkSync(join(directory, "second"), join(directory, "first"));
    replaceFile(join(directory, "first"), "new", 0o644);
    assert.is(readFileSync(join(directory, "real/file"), "utf8"), "new");
    assert.ok(lstatSync(join(directory, "real/file")).isFile());
    assert.is(readlinkSync(join(directory, "first")), join(directory, "second"));
    assert.is(readlinkSync(join(directory, "second")), "real/file");
    assert.equal(readdirSync(join(directory, "real")), ["file"]);
  });
});

test("a link to a missing file is followed too: the file is created, the link stays", () => {
  inTemporaryDirectory((directory) => {
    mkdirSync(join(directory, "real"));
    symlinkSync("real/file", join(directory, "link"));
    replaceFile(join(directory, "link"), "new", 0o644);
    assert.is(readFileSync(join(directory, "link"), "utf8"), "new");
    assert.ok(lstatSync(join(directory, "link")).isSymbolicLink(), "the link has been replaced by a file");
    assert.ok(existsSync(join(directory, "real/file")));
  });
});

test("missing directories are created, whatever the process masks; those of a private file are private too", () => {
  for (const mask of [0o000, 0o022, 0o077]) {
    inTemporaryDirectory((directory) => {
      const masked = process.umask(mask);
      try {
        replaceFile(join(directory, "a/b/file"), "new", 0o644);
        replaceFile(join(directory, "private/b/file"), "new", 0o600);
      } finally {
        process.umask(masked);
      }
      assert.is(readFileSync(join(directory, "a/b/file"), "utf8"), "new");
      const modes = ["a", "a/b", "private", "private/b"].map((name) => modeOf(join(directory, name)).toString(8));
      assert.equal(modes, ["755", "755", "700", "700"]);
    });
  }
});

test("created directories survive a power failure: each is synced, and the first that existed", () => {
  inTemporaryDirectory((directory) => {
    const synced: string[] = [];
    const { fsyncSync } = fs;
    fs.fsyncSync = (file) => {
      synced.push(readlinkSync(`/proc/self/fd/${file}`).slice(directory.length));
      fsyncSync(file);
    };
    try {
      replaceFile(join(directory, "a/b/file"), "new", 0o644);
    } finally {
      fs.fsyncSync = fsyncSync;
    }
    assert.equal(synced, ["", "/a", "/a/b/.file.weave-new", "/a/b"]);
  });
});

test("a temporary file left by a killed run is replaced", () => {
  inTemporaryDirectory((directory) => {
    const path = join(directory, "file");
    writeFileSync(path, "old");
    writeFileSync(temporaryOf(directory, "file"), "half of the n");
    replaceFile(path, "new", 0o644);
    assert.is(readFileSync(path, "utf8"), "new");
    assert.equal(readdirSync(directory), ["file"]);
  });
});

test("a link at the temporary file's path is not followed", () => {
  inTemporaryDirectory((directory) => {
    writeFileSync(join(directory, "precious"), "precious");
    symlinkSync("precious", temporaryOf(directory, "file"));
    replaceFile(join(directory, "file"), "new", 0o644);
    assert.is(readFileSync(join(directory, "precious"), "utf8"), "precious");
    assert.ok(lstatSync(join(directory, "file")).isFile());
  });
});

test("if the temporary file can't be created, the old content stays", () => {
  inTemporaryDirectory((directory) => {
    const path = join(directory, "file");
    writeFileSync(path, "old");
    mkdirSync(temporaryOf(directory, "file"));
    assert.throws(() => replaceFile(path, "new", 0o644));
    assert.is(readFileSync(path, "utf8"), "old");
  });
});

test("if the rename fails, the old state stays and no temporary file is left", () => {
  inTemporaryDirectory((directory) => {
    mkdirSync(join(directory, "taken"));
    writeFileSync(join(directory, "taken/inside"), "old");
    assert.throws(() => replaceFile(join(directory, "taken"), "new", 0o644), /EISDIR|ENOTEMPTY|EEXIST/);
    assert.is(readFileSync(join(directory, "taken/inside"), "utf8"), "old");
    assert.equal(readdirSync(directory), ["taken"]);
  });
});

test("a directory that can't be synced is an error that does not claim that the file is unchanged", () => {
  inTemporaryDirectory((directory) => {
    const path = join(directory, "file");
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
    assert.equal(readdirSync(directory), ["file"]);
  });
});

test("ifupdown's `source interfaces.d/*` would not read the temporary file", () => {
  inTemporaryDirectory((directory) => {
    mkdirSync(temporaryOf(directory, "weave.cfg"));
    assert.throws(
      () => replaceFile(join(directory, "weave.cfg"), "", 0o644),
      "the name of the temporary file has changed",
    );
  });
});

test("a file is removed, and a missing one is not an error", () => {
  inTemporaryDirectory((directory) => {
    const path = join(directory, "file");
    writeFileSync(path, "old");
    removeFile(path);
    assert.not.ok(existsSync(path));
    removeFile(path);
  });
});

test.run();
