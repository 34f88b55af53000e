import { suite } from "uvu";
import * as assert from "uvu/assert";
import { callPlugin } from "../support/role_plugin";

/** roles/weave/filter_plugins/weave_fetch.py, whose function is called as the role calls it. */
const test = suite("what the role may bring");

const unverifiable = (...items: readonly object[]): string => callPlugin("weave_fetch", "unverifiable", [items]);

const SHA256 = "0123456789abcdef".repeat(4);
const script = { variable: "weave_sha256", url: "https://example.com/weave", file: "" };

test("a file by its checksum, and a copy on the controller without one", () => {
  assert.is(unverifiable(), "");
  assert.is(unverifiable({ ...script, sha256: SHA256 }, { image: "busybox", file: "busybox.tar" }), "");
  assert.is(unverifiable({ ...script, sha256: "", file: "weave" }), "");
});

test("a URL without a checksum, or with one of another form, is refused by its variable", () => {
  assert.match(
    unverifiable({ ...script, sha256: "" }),
    /^weave_sha256: https:\/\/example\.com\/weave is not fetched by the checksum \(none\); give the file's sha256, /,
  );
  assert.match(unverifiable({ ...script, sha256: `${SHA256}\n` }), "is not fetched by the checksum 0123456789abcdef");
  assert.match(unverifiable({ ...script, sha256: SHA256.toUpperCase() }), "is not fetched by the checksum 0123");
  assert.match(
    unverifiable({ image: "a", url: "https://example.com/a.tar" }),
    /^weave_image_archives: https:\/\/example\.com\/a\.tar is not fetched by the checksum \(none\)/,
  );
});

test("an image that comes from nowhere is refused by its name", () => {
  assert.match(
    unverifiable({ image: "busybox:1.36" }),
    /^weave_image_archives: busybox:1\.36 has neither url nor file/,
  );
});

test.run();
