import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { linuxHost } from "../../../../modules/core/host/linux";
import { inTemporaryDirectory } from "../../support/temporary_directory";
import { userErrorOf } from "../../support/user_error";

test("a file is read as its content, one character per byte, and its permission bits", () => {
  inTemporaryDirectory((directory) => {
    const path = join(directory, "file");
    writeFileSync(path, Buffer.from([0x61, 0xc3, 0xa4, 0xff, 0x0a]), { mode: 0o640 });
    assert.equal(linuxHost.readFile(path), {
      ...{ content: "a\xc3\xa4\xff\n", mode: 0o640, owner: process.getuid?.() },
    });
  });
});

test("a missing file, or one whose directory is missing or a file, is null", () => {
  inTemporaryDirectory((directory) => {
    writeFileSync(join(directory, "file"), "");
    assert.is(linuxHost.readFile(join(directory, "none")), null);
    assert.is(linuxHost.readFile(join(directory, "none/file")), null);
    assert.is(linuxHost.readFile(join(directory, "file/file")), null);
  });
});

test("links to a file are followed, a dangling one is a missing file", () => {
  inTemporaryDirectory((directory) => {
    writeFileSync(join(directory, "file"), "content");
    symlinkSync("file", join(directory, "link"));
    symlinkSync("nowhere", join(directory, "dangling"));
    assert.is(linuxHost.readFile(join(directory, "link"))?.content, "content");
    assert.is(linuxHost.readFile(join(directory, "dangling")), null);
  });
});

test("a directory or device in a file's place is an error, with its path and what to do", () => {
  inTemporaryDirectory((directory) => {
    assert.is(
      userErrorOf(() => linuxHost.readFile(directory)),
      `${directory}: must be a regular file (found a directory). Move it away and run again.`,
    );
  });
  assert.match(
    userErrorOf(() => linuxHost.readFile("/dev/null")),
    "/dev/null: must be a regular file (found a device). ",
  );
});

test("a file that can't be read is an error, with its path", () => {
  inTemporaryDirectory((directory) => {
    symlinkSync("loop", join(directory, "loop"));
    assert.match(
      userErrorOf(() => linuxHost.readFile(join(directory, "loop"))),
      /loop: can't be read \(found ELOOP/,
    );
  });
});

test("the kernel's files are read trimmed, and null if they do not exist", () => {
  assert.is(linuxHost.readText("/proc/sys/kernel/ostype"), "Linux");
  assert.is(linuxHost.readText("/proc/none"), null);
  assert.is(linuxHost.readText("/proc/999999999/cmdline"), null);
  assert.is(linuxHost.readText("/sys/class/net/lo/address"), "00:00:00:00:00:00");
});

test("an attribute that this device does not have is null", () => {
  // lo has no speed: reading it is EINVAL.
  assert.is(linuxHost.readText("/sys/class/net/lo/speed"), null);
});

test("the host's addresses are those of IPv4", () => {
  assert.ok(linuxHost.addresses().includes("127.0.0.1"));
  for (const address of linuxHost.addresses()) assert.match(address, /^[\d.]+$/);
});

test("the names in a directory are sorted, and none if the directory does not exist", () => {
  inTemporaryDirectory((directory) => {
    for (const name of ["b", "a", "c"]) mkdirSync(join(directory, name));
    assert.equal(linuxHost.readdir(directory), ["a", "b", "c"]);
    assert.equal(linuxHost.readdir(join(directory, "none")), []);
  });
});

test("a link is read as it is written; another or missing file is null", () => {
  inTemporaryDirectory((directory) => {
    symlinkSync("../target", join(directory, "link"));
    assert.is(linuxHost.readlink(join(directory, "link")), "../target");
    assert.is(linuxHost.readlink(directory), null);
    assert.is(linuxHost.readlink(join(directory, "none")), null);
  });
});

test.run();
