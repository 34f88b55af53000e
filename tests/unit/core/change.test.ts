import { test } from "uvu";
import * as assert from "uvu/assert";
import { fileChanges, runAction } from "../../../modules/core/change";

const path = "/etc/thing";
const reload = runAction(["systemctl", "daemon-reload"]);

test("a missing file is written, with mode 0644 by default", () => {
  assert.equal(fileChanges(null, { path, content: "new\n" }), [
    {
      subject: path,
      before: "",
      after: "new\n",
      actions: [{ do: "write", path, content: "new\n", mode: 0o644 }],
    },
  ]);
  const [change] = fileChanges(null, { path, content: "new\n", mode: 0o600 });
  assert.equal(change?.actions, [{ do: "write", path, content: "new\n", mode: 0o600 }]);
});

test("an empty file is not the same as a missing one", () => {
  assert.is(fileChanges(null, { path, content: "" }).length, 1);
  assert.is(fileChanges({ content: "", mode: 0o644 }, { path, content: null }).length, 1);
});

test("other content is one change, which keeps the file's mode unless one is given", () => {
  const observed = { content: "old\n", mode: 0o640 };
  assert.equal(fileChanges(observed, { path, content: "new\n" }), [
    {
      subject: path,
      before: "old\n",
      after: "new\n",
      actions: [{ do: "write", path, content: "new\n", mode: 0o640 }],
    },
  ]);
  const [change, ...others] = fileChanges(observed, { path, content: "new\n", mode: 0o600 });
  assert.equal(change?.actions, [{ do: "write", path, content: "new\n", mode: 0o600 }]);
  assert.equal(others, []);
});

test("a file with the desired content is not changed, whatever its mode if none is given", () => {
  const observed = { content: "same\n", mode: 0o640 };
  assert.equal(fileChanges(observed, { path, content: "same\n" }), []);
  assert.equal(fileChanges(observed, { path, content: "same\n", mode: 0o640, afterwards: [reload] }), []);
});

test("only another mode is a change of the mode, shown in octal with four digits", () => {
  assert.equal(fileChanges({ content: "same\n", mode: 0o644 }, { path, content: "same\n", mode: 0o600 }), [
    {
      subject: `${path}: mode`,
      before: "0644\n",
      after: "0600\n",
      actions: [{ do: "chmod", path, mode: 0o600 }],
    },
  ]);
  const [setuid] = fileChanges({ content: "", mode: 0o4755 }, { path, content: "", mode: 0o755 });
  assert.is(setuid?.before, "4755\n");
});

test("a file that must not exist is removed, and is not a change if it is missing", () => {
  assert.equal(fileChanges({ content: "old\n", mode: 0o644 }, { path, content: null }), [
    { subject: path, before: "old\n", after: "", actions: [{ do: "remove", path }] },
  ]);
  assert.equal(fileChanges(null, { path, content: null }), []);
});

test("the steps afterwards follow a write and a removal", () => {
  const [written] = fileChanges(null, { path, content: "x", afterwards: [reload] });
  assert.equal(written?.actions.at(-1), reload);
  const [removed] = fileChanges({ content: "x", mode: 0o644 }, { path, content: null, afterwards: [reload] });
  assert.equal(removed?.actions, [{ do: "remove", path }, reload]);
});

test("the diff of a file is redacted by its own function, the written content is not", () => {
  const redact = (content: string): string => content.replace(/secret\d/, "hidden");
  const [written] = fileChanges({ content: "secret1", mode: 0o600 }, { path, content: "secret2", redact });
  assert.is(written?.before, "hidden");
  assert.is(written?.after, "hidden");
  assert.equal(written?.actions, [{ do: "write", path, content: "secret2", mode: 0o600 }]);
  const [removed] = fileChanges({ content: "secret1", mode: 0o600 }, { path, content: null, redact });
  assert.is(removed?.before, "hidden");
});

test("a program's step has a time limit only if one is given", () => {
  assert.equal(runAction(["ifup", "weave"]), { do: "run", argv: ["ifup", "weave"] });
  assert.equal(runAction(["ifup", "weave"], 60), { do: "run", argv: ["ifup", "weave"], timeout: 60 });
});

test.run();
