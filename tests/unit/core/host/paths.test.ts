import { chmodSync, chownSync, lchownSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { writableByOthers } from "../../../../modules/core/host/paths";
import { inTemporaryDirectory } from "../../support/temporary_directory";
import { userErrorOf } from "../../support/user_error";

/** A directory `state` with a file `saved` in it, which nobody else can change. */
function inStateDirectory(use: (directory: string, saved: string) => void): void {
  inTemporaryDirectory((directory) => {
    mkdirSync(join(directory, "state"), { mode: 0o700 });
    writeFileSync(join(directory, "state/saved"), "", { mode: 0o600 });
    use(directory, join(directory, "state/saved"));
  });
}
const ROOT = process.getuid?.() === 0;

test("a file that only its owner can change is trusted, and so is one that does not exist", () => {
  inStateDirectory((directory, saved) => {
    assert.is(writableByOthers(saved), null);
    assert.is(writableByOthers(join(directory, "state/none")), null);
    assert.is(writableByOthers(join(directory, "none/none")), null);
    chmodSync(join(directory, "state"), 0o755);
    chmodSync(saved, 0o644);
    assert.is(writableByOthers(saved), null, "others may read it");
  });
});

test("a file or a directory above it that others may write to is not", () => {
  for (const mode of [0o777, 0o770, 0o707, 0o722]) {
    inStateDirectory((directory, saved) => {
      const shown = `0${mode.toString(8)}`;
      chmodSync(saved, mode);
      assert.is(writableByOthers(saved), `${saved} may be written by others (mode ${shown})`);
      chmodSync(saved, 0o600);
      chmodSync(join(directory, "state"), mode);
      assert.is(writableByOthers(saved), `${directory}/state may be written by others (mode ${shown})`);
      assert.is(
        writableByOthers(join(directory, "state/none")),
        `${directory}/state may be written by others (mode ${shown})`,
      );
      chmodSync(join(directory, "state"), 0o700);
      chmodSync(directory, mode);
      assert.is(writableByOthers(saved), `${directory} may be written by others (mode ${shown})`);
    });
  }
});

test("in a directory such as /tmp others can't replace what they don't own", () => {
  inStateDirectory((directory, saved) => {
    chmodSync(directory, 0o1777);
    assert.is(writableByOthers(saved), null);
  });
});

test("a link is trusted if where it leads is", () => {
  inStateDirectory((directory, saved) => {
    mkdirSync(join(directory, "open"), { mode: 0o700 });
    symlinkSync("../state/saved", join(directory, "open/link"));
    symlinkSync(join(directory, "state"), join(directory, "directory"));
    symlinkSync("loop", join(directory, "loop"));
    for (const path of ["open/link", "directory/saved"]) assert.is(writableByOthers(join(directory, path)), null);
    assert.is(
      userErrorOf(() => writableByOthers(join(directory, "loop"))),
      `${directory}/loop: can't be read (found more than 40 links). Its links form a loop: remove them and run again.`,
    );
    chmodSync(join(directory, "open"), 0o777);
    assert.match(writableByOthers(join(directory, "open/link")) ?? "", `${directory}/open may be written by others`);
    chmodSync(join(directory, "open"), 0o700);
    chmodSync(join(directory, "state"), 0o777);
    for (const path of ["open/link", "directory/saved"])
      assert.match(writableByOthers(join(directory, path)) ?? "", `${directory}/state may be written by others`);
    chmodSync(saved, 0o666);
  });
});

test("a file, a directory or a link of another user is not trusted", () => {
  if (!ROOT) return;
  inStateDirectory((directory, saved) => {
    const owners: [path: string, own: (path: string, uid: number, gid: number) => void][] = [
      [saved, chownSync],
      [join(directory, "state"), chownSync],
    ];
    for (const [path, own] of owners) {
      own(path, 12345, 0);
      assert.is(writableByOthers(saved), `${path} belongs to the user 12345`);
      own(path, 0, 0);
    }
    symlinkSync("state", join(directory, "link"));
    lchownSync(join(directory, "link"), 12345, 0);
    assert.is(writableByOthers(join(directory, "link/saved")), `${directory}/link belongs to the user 12345`);
  });
});

test.run();
