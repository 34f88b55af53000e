import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { callPlugin } from "../support/python";

/** roles/weave/filter_plugins/weave_invalid_sources.py: the script, Scope's script and the image archives, which the role puts on hosts. */
const test = suite("the files that the role puts on hosts");

const findInvalid = (...items: readonly object[]): string =>
  callPlugin("weave_invalid_sources", "find_invalid_sources", [items]);
const SHA256 = "0123456789abcdef".repeat(4);
const script = { variable: "weave_sha256", url: "https://example.com/weave", file: "" };

test("a download by its checksum, and a copy on the controller without one", () => {
  assert.is(findInvalid({ ...script, sha256: SHA256 }, { image: "busybox:1.36", file: "busybox.tar" }), "");
  assert.is(findInvalid({ ...script, sha256: "", file: "weave" }), "");
  assert.is(findInvalid({ ...script, file: __filename }, { image: "a:1", file: "files/a.tar" }), "");
});

test("a URL without a checksum, or with one of another form, by its variable", () => {
  assert.match(
    findInvalid({ ...script, sha256: "" }),
    /^weave_sha256: needs the SHA-256 checksum of https:\/\/example\.com\/weave, .* \(found none\)\. Set /,
  );
  assert.match(findInvalid({ ...script, sha256: `${SHA256}\n` }), "(found 0123456789abcdef");
  assert.match(findInvalid({ ...script, sha256: SHA256.toUpperCase() }), "(found 0123456789ABCDEF");
  assert.match(
    findInvalid({ image: "a:1", url: "https://example.com/a.tar" }),
    /^weave_image_archives: needs the SHA-256 checksum of https:\/\/example\.com\/a\.tar, .* \(found none\)/,
  );
});

test("an image without a source, by its name, and a file that the controller does not have", () => {
  assert.match(
    findInvalid({ image: "busybox:1.36" }),
    /^weave_image_archives: must have a url or a file for busybox:1\.36 \(found neither\)\. Set url and sha256, or file\.$/,
  );
  assert.is(
    findInvalid({ variable: "weave_sha256", file: "/nowhere/weave", path: "/usr/local/bin/weave" }),
    "weave_script_file: must be a file on the controller (found none at /nowhere/weave). Correct the path.",
  );
  assert.match(
    findInvalid({ image: "a:1", file: "/nowhere/a.tar" }),
    "weave_image_archives: must be a file on the controller",
  );
});

test("a relative path that Ansible finds nowhere", () => {
  const missing = (items: readonly object[], ...files: string[]): string =>
    callPlugin("weave_invalid_sources", "find_invalid_sources", [items, files]);
  const image = { image: "a:1", file: "files/a.tar" };
  assert.is(
    missing([{ ...script, file: "weave-2.8.1" }, image], "weave-2.8.1", ""),
    "weave_script_file: must be a file on the controller (found none at weave-2.8.1, which is looked for beside the playbook). Correct the path.",
  );
  assert.match(
    missing([image], "files/a.tar"),
    "weave_image_archives: must be a file on the controller (found none at ",
  );
});

test("a number for a text is judged like others", () => {
  const archive = { image: "a:1", url: "https://example.com/a.tar", sha256: 12 };
  assert.match(findInvalid(archive), "lower-case hexadecimal digits (found 12)");
  assert.is(findInvalid({ image: "a:1", file: 5 }), "");
});

test("a copy that is not what the checksum says, if both are set", () => {
  const sha256 = createHash("sha256").update(readFileSync(__filename)).digest("hex");
  assert.is(findInvalid({ ...script, sha256, file: __filename }), "");
  assert.is(
    findInvalid({ ...script, sha256: SHA256, file: __filename }),
    `weave_sha256: must be the checksum of ${__filename}, if both are set (found ${SHA256}; the file has ${sha256}). Correct or remove it.`,
  );
});

test("an image by Docker's grammar for names, with a tag", () => {
  const said = (image: unknown): string => findInvalid({ image, file: "a.tar" });
  for (const image of [
    "a:1",
    "weaveworks/weave:2.8.1",
    "registry.example.com:5000/team:v1",
    "Host/a:1",
    "a__b/c-d:X_1",
  ])
    assert.is(said(image), "", image);
  for (const image of [
    "busybox",
    "busy box:1",
    "Busybox:1",
    "a:",
    "a:-1",
    "a:1 ",
    "-a:1",
    "a//b:1",
    "a:1:2",
    `a:${"1".repeat(129)}`,
    "a@sha256:1",
    "*:1",
    5,
  ])
    assert.is(
      said(image),
      `weave_image_archives: must have images by name and tag (found "${image}"). Write each as Docker has it, such as weaveworks/weave:2.8.1.`,
    );
});

test("archives that contradict one another", () => {
  assert.match(
    findInvalid({ image: "a:1", file: "x/a.tar" }, { image: "a:1", file: "b.tar" }),
    "must have each image once (found a:1 twice)",
  );
  assert.match(
    findInvalid({ image: "a:1", file: "x/a.tar" }, { image: "b:1", file: "y/a.tar" }),
    "must have files of different names, as all are copied to weave_image_directory (found a.tar twice)",
  );
  assert.match(
    findInvalid({ image: "a:1", file: "a.tar", url: "https://example.com/a.tar", sha256: SHA256 }),
    "must have a url or a file for a:1 (found both)",
  );
});

test.run();
