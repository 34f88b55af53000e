import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { apply } from "../../../modules/core/apply";
import type { Action } from "../../../modules/core/change";
import { fileError } from "../../../modules/core/errno";
import { UserError } from "../../../modules/core/errors";
import { linuxHost } from "../../../modules/core/host/linux";
import { run } from "../../../modules/core/host/run";
import { inTemporaryDirectoryUntilDone } from "../support/temporary_directory";
import { userErrorLater, userErrorOf } from "../support/user_error";

/** Why an action fails that this process really makes. */
const failureOf = (action: Action): Promise<string> =>
  userErrorLater(() => apply({ subject: "it", before: "", after: "", actions: [action] }));

test("a directory in the way, a file as a directory, a name that is too long: what is there and what to do", async () => {
  await inTemporaryDirectoryUntilDone(async (directory) => {
    const [existing, file] = [join(directory, "directory"), join(directory, "file")];
    mkdirSync(existing);
    writeFileSync(file, "");
    const write = (path: string): Action => ({ do: "write", path, content: "", mode: 0o600 });
    assert.is(
      await failureOf(write(existing)),
      `it: ${existing}: can't be written (found EISDIR: illegal operation on a directory; it is unchanged). It is a directory: move it away and run again.`,
    );
    assert.match(
      await failureOf(write(join(file, "in"))),
      /ENOTDIR: not a directory; it is unchanged\)\. A part of its path is not a directory: move that away and run again\.$/,
    );
    const long = join(directory, "x".repeat(300));
    assert.match(
      await failureOf(write(long)),
      /ENAMETOOLONG: name too long; it is unchanged\)\. Its name is too long for its file system: choose a shorter one\.$/,
    );
    assert.is(
      await failureOf({ do: "remove", path: existing }),
      `it: ${existing}: can't be removed (found EISDIR; it is unchanged). It is a directory: move it away and run again.`,
    );
    symlinkSync("loop", join(directory, "loop"));
    for (const action of [
      write(join(directory, "loop")),
      { do: "chmod", path: join(directory, "loop"), mode: 0o600 },
    ] as const) {
      assert.match(
        await failureOf(action),
        /ELOOP: .*; it is unchanged\)\. Its links form a loop: remove them and run again\.$/,
      );
    }
    assert.match(
      await failureOf({ do: "set", path: join(directory, "none/setting"), value: "1" }),
      /: can't be set \(found ENOENT: no such file or directory; it is unchanged\)\. It or its directory is missing: /,
    );
    assert.match(
      userErrorOf(() => linuxHost.readText(directory)),
      /: can't be read \(found EISDIR: illegal operation on a directory\)\. It is a directory: move it away and run again\.$/,
    );
  });
});

test("a file larger than this process may write is an error with the limit, not its end", async () => {
  await inTemporaryDirectoryUntilDone(async (directory) => {
    const code = `
      const { apply } = require(${JSON.stringify(join(__dirname, "../../../modules/core/apply.ts"))});
      const write = { do: "write", path: ${JSON.stringify(join(directory, "file"))}, content: "x".repeat(1e5), mode: 0o600 };
      apply({ subject: "it", before: "", after: "", actions: [write] }).catch(({ message }) => console.log(message));`;
    const tsx = require.resolve("tsx/cjs");
    const limited = 'ulimit -f 8; exec "$@" | cat';
    const { stdout } = run(["bash", "-c", limited, "bash", process.execPath, "-r", tsx, "-e", code]);
    assert.match(
      stdout,
      /EFBIG: file too large; it is unchanged\)\. It would be larger than this process may write .*\(ulimit -f\)/,
    );
  });
});

const CODES =
  "EACCES EBUSY EDQUOT EEXIST EFBIG EINVAL EIO EISDIR ELOOP EMFILE EMLINK ENAMETOOLONG ENFILE ENODEV ENOENT ENOMEM " +
  "ENOSPC ENOTDIR ENXIO EOPNOTSUPP EOVERFLOW EPERM EROFS ESTALE ETIMEDOUT ETXTBSY EXDEV EUNKNOWN";

test("every error of the kernel's has a remedy, in one sentence after what was found", () => {
  for (const code of CODES.split(" ")) {
    const error = Object.assign(new Error(`${code}: some words, open '/etc/x'`), { code });
    const { message } = fileError("/etc/x", "can't be written", error, "it is unchanged") as Error;
    assert.match(
      message,
      new RegExp(`^/etc/x: can't be written \\(found ${code}: some words; it is unchanged\\)\\. [A-Z].+\\.$`),
    );
  }
});

test("an error that is not the kernel's is kept", () => {
  for (const error of [new UserError("no power"), new TypeError("x is not a function")]) {
    assert.is(fileError("/etc/x", "can't be written", error), error);
  }
});

test.run();
