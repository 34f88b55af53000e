import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  configurationToSave,
  parseSavedConfiguration,
  readSavedConfiguration,
  saveConfiguration,
} from "../../../modules/docker_bridge_opts/restart/rollback";
import { fakeHost } from "../support/fake_host/fake_host";
import { userErrorOf } from "../support/user_error";
import { FRESH } from "./fixtures";

const parse = (content: string) => parseSavedConfiguration({ content, mode: 0o600 });

test("the saved configuration is read back as it was saved", () => {
  for (const daemon of [FRESH.daemon, null]) {
    const optionsFile = { content: "A=\xfc\n", mode: 0o600 };
    const action = saveConfiguration(configurationToSave({ ...FRESH, daemon, optionsFile }));
    assert.ok(action.do === "write");
    assert.equal(parse(action.content), {
      daemon: daemon === null ? null : "boot 812 500",
      command: daemon === null ? [] : ["/usr/sbin/dockerd", "-H", "fd://"],
      files: [
        { path: "/etc/docker/daemon.json", content: null, mode: 0o644 },
        { path: "/etc/default/docker", content: "A=\xfc\n", mode: 0o600 },
        { path: "/etc/systemd/system/docker.service.d/zz-weave.conf", content: null, mode: 0o644 },
      ],
      configWasRead: daemon !== null,
      stopped: [],
    });
  }
});

test("a missing file, and one that this module did not write, is no saved configuration", () => {
  assert.is(parseSavedConfiguration(null), null);
  const file = { path: "/etc/default/docker", content: "", mode: 0o644 };
  const whole = { daemon: null, command: [], files: [file], configWasRead: true, stopped: [] };
  assert.ok(parse(JSON.stringify(whole)));
  const wrong = [
    null,
    [],
    {},
    ...Object.keys(whole).map((key) => ({ ...whole, [key]: 1 })),
    ...["path", "content", "mode"].map((key) => ({ ...whole, files: [{ ...file, [key]: [] }] })),
    { ...whole, files: [null] },
    { ...whole, stopped: [{ id: "a" }] },
  ];
  for (const content of ["", "{", ...wrong.map((value) => JSON.stringify(value))])
    assert.is(parse(content), null, content);
});

test("a saved configuration that another user could have put there is rejected, with what to do", () => {
  const path = "/var/lib/apollo-weave/docker-previous.json";
  const files = [{ path: "/etc/shadow", content: "", mode: 0o644 }];
  const content = JSON.stringify({ daemon: null, command: [], files, configWasRead: true, stopped: [] });
  const host = fakeHost({ files: { [path]: content } });
  assert.ok(readSavedConfiguration(host));
  const open = host.with({
    writableByOthers: (asked) => (asked === path ? "/var/lib may be written by others" : undefined),
  });
  assert.is(
    userErrorOf(() => readSavedConfiguration(open)),
    `${path}: must be writable by root only, as its files are restored as root (found that /var/lib may be written by others). ` +
      "Remove /var/lib/apollo-weave, make root the owner of the directories above it and remove write permission for others (chown root, chmod go-w), and run again.",
  );
});

test.run();
