import { test } from "uvu";
import * as assert from "uvu/assert";
import { parsePrevious, savePrevious } from "../../../modules/docker_bridge_opts/rollback";

const parse = (content: string) => parsePrevious({ content, mode: 0o600 });

test("the saved configuration is read back as it was saved", () => {
  const files = new Map([
    ["/etc/default/docker", { content: "A=\xfc\n", mode: 0o600 }],
    ["/etc/docker/daemon.json", null],
  ]);
  for (const daemon of ["boot 812 500", null]) {
    const action = savePrevious(daemon, files);
    assert.ok(action.do === "write");
    assert.equal(parse(action.content), {
      daemon,
      files: [
        { path: "/etc/default/docker", content: "A=\xfc\n", mode: 0o600 },
        { path: "/etc/docker/daemon.json", content: null, mode: 0o644 },
      ],
    });
  }
});

test("a missing file, and one that this module did not write, is no saved configuration", () => {
  assert.is(parsePrevious(null), null);
  const file = { path: "/etc/default/docker", content: "", mode: 0o644 };
  const wrong = [
    null,
    [],
    {},
    { daemon: null },
    { daemon: 1, files: [] },
    { files: [file] },
    ...["path", "content", "mode"].map((key) => ({ daemon: null, files: [{ ...file, [key]: [] }] })),
    { daemon: null, files: [null] },
  ];
  for (const content of ["", "{", ...wrong.map((value) => JSON.stringify(value))])
    assert.is(parse(content), null, content);
});

test.run();
