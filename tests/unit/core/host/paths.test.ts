import { chmodSync, chownSync, lchownSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { writableByOthers } from "../../../../modules/core/host/paths";
import { inTemporaryFolder } from "../../support/temporary_folder";
import { userErrorOf } from "../../support/user_error";

/** A folder `state` with a file `saved` in it, which nobody else can change. */
function inStateFolder(use: (folder: string, saved: string) => void): void {
  inTemporaryFolder((folder) => {
    mkdirSync(join(folder, "state"), { mode: 0o700 });
    writeFileSync(join(folder, "state/saved"), "", { mode: 0o600 });
    use(folder, join(folder, "state/saved"));
  });
}
const ROOT = process.getuid?.() === 0;

test("a file that only its owner can change is trusted, and so is one that does not exist", () => {
  inStateFolder((folder, saved) => {
    assert.is(writableByOthers(saved), null);
    assert.is(writableByOthers(join(folder, "state/none")), null);
    assert.is(writableByOthers(join(folder, "none/none")), null);
    chmodSync(join(folder, "state"), 0o755);
    chmodSync(saved, 0o644);
    assert.is(writableByOthers(saved), null, "others may read it");
  });
});

test("a file or a folder above it that others may write to is not", () => {
  for (const mode of [0o777, 0o770, 0o707, 0o722]) {
    inStateFolder((folder, saved) => {
      const shown = `0${mode.toString(8)}`;
      chmodSync(saved, mode);
      assert.is(writableByOthers(saved), `${saved} may be written by others (mode ${shown})`);
      chmodSync(saved, 0o600);
      chmodSync(join(folder, "state"), mode);
      assert.is(writableByOthers(saved), `${folder}/state may be written by others (mode ${shown})`);
      assert.is(
        writableByOthers(join(folder, "state/none")),
        `${folder}/state may be written by others (mode ${shown})`,
      );
      chmodSync(join(folder, "state"), 0o700);
      chmodSync(folder, mode);
      assert.is(writableByOthers(saved), `${folder} may be written by others (mode ${shown})`);
    });
  }
});

test("in a folder such as /tmp others can't replace what they don't own", () => {
  inStateFolder((folder, saved) => {
    chmodSync(folder, 0o1777);
    assert.is(writableByOthers(saved), null);
  });
});

test("a link is trusted if where it leads is", () => {
  inStateFolder((folder, saved) => {
    mkdirSync(join(folder, "open"), { mode: 0o700 });
    symlinkSync("../state/saved", join(folder, "open/link"));
    symlinkSync(join(folder, "state"), join(folder, "folder"));
    symlinkSync("loop", join(folder, "loop"));
    for (const path of ["open/link", "folder/saved"]) assert.is(writableByOthers(join(folder, path)), null);
    assert.is(
      userErrorOf(() => writableByOthers(join(folder, "loop"))),
      `${folder}/loop: can't be read (found more than 40 links). Its links form a loop: remove them and run again.`,
    );
    chmodSync(join(folder, "open"), 0o777);
    assert.match(writableByOthers(join(folder, "open/link")) ?? "", `${folder}/open may be written by others`);
    chmodSync(join(folder, "open"), 0o700);
    chmodSync(join(folder, "state"), 0o777);
    for (const path of ["open/link", "folder/saved"])
      assert.match(writableByOthers(join(folder, path)) ?? "", `${folder}/state may be written by others`);
    chmodSync(saved, 0o666);
  });
});

test("a file, a folder or a link of another user is not trusted", () => {
  if (!ROOT) return;
  inStateFolder((folder, saved) => {
    const owners: [path: string, own: (path: string, uid: number, gid: number) => void][] = [
      [saved, chownSync],
      [join(folder, "state"), chownSync],
    ];
    for (const [path, own] of owners) {
      own(path, 12345, 0);
      assert.is(writableByOthers(saved), `${path} belongs to the user 12345`);
      own(path, 0, 0);
    }
    symlinkSync("state", join(folder, "link"));
    lchownSync(join(folder, "link"), 12345, 0);
    assert.is(writableByOthers(join(folder, "link/saved")), `${folder}/link belongs to the user 12345`);
  });
});

test.run();
