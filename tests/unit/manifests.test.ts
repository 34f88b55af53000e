import { test } from "uvu";
import * as assert from "uvu/assert";
import { manifests } from "../../build/manifests";

const info = (places: object): Record<string, unknown> => {
  const made = manifests("namespace: apollo\nname: weave\n", { version: "1.2.3", ...places }, new Map());
  return JSON.parse(made.get("MANIFEST.json")?.content.toString() ?? "").collection_info;
};

test("the manifest has the places of package.json, in either form", () => {
  for (const places of [
    {
      homepage: "https://example.org/weave",
      repository: { type: "git", url: "git+https://example.org/weave.git" },
      bugs: { url: "https://example.org/weave/issues" },
    },
    {
      homepage: "https://example.org/weave",
      repository: "https://example.org/weave",
      bugs: "https://example.org/weave/issues",
    },
  ]) {
    const { repository, homepage, documentation, issues, version } = info(places);
    assert.equal(
      { repository, homepage, documentation, issues, version },
      {
        repository: "https://example.org/weave",
        homepage: "https://example.org/weave",
        documentation: "https://example.org/weave",
        issues: "https://example.org/weave/issues",
        version: "1.2.3",
      },
    );
  }
});

test("without them it has none", () => {
  const { repository, homepage, documentation, issues } = info({});
  assert.equal([repository, homepage, documentation, issues], [null, null, null, null]);
});

test.run();
