import { test } from "uvu";
import * as assert from "uvu/assert";
import { parsePrevious, readPrevious, savePrevious } from "../../../modules/docker_bridge_opts/rollback";
import { fakeHost } from "../support/fake_host/fake_host";
import { userErrorOf } from "../support/user_error";

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

test("a saved configuration that another user could have put there is rejected, with what to do", () => {
  const path = "/var/lib/apollo-weave/docker-previous.json";
  const content = JSON.stringify({ daemon: null, files: [{ path: "/etc/shadow", content: "", mode: 0o644 }] });
  const host = fakeHost({ files: { [path]: content } });
  assert.ok(readPrevious(host));
  const open = host.with({
    foreignPart: (asked) => (asked === path ? "/var/lib may be written by others" : undefined),
  });
  assert.is(
    userErrorOf(() => readPrevious(open)),
    `${path}: it could be another user's (/var/lib may be written by others). Remove /var/lib/apollo-weave with all that is in it, ` +
      "make what is above it root's and writable by root alone, and run again.",
  );
});

test.run();
