import { test } from "uvu";
import * as assert from "uvu/assert";
import { restorePreviousCommand } from "../../../modules/docker_bridge_opts/restart/previous_command";
import { PATH, STEADY, savedOf } from "./fixtures";
import { DAEMON, DROP_IN } from "./restarts";

test("an init script gets the command line from before as DOCKER_OPTS, without what it gives itself", () => {
  const command = ["/usr/bin/dockerd", "-p", "/var/run/docker.pid", "--label=a=b", "-H", "fd://"];
  const files = [{ path: PATH, content: 'A=1\nDOCKER_OPTS="--nope"', mode: 0o640 }];
  const byScript = (words: readonly string[]) =>
    restorePreviousCommand({ ...STEADY.service, init: "script" }, savedOf(DAEMON, { command: words, files }));
  assert.equal(byScript(command), {
    path: PATH,
    actions: [
      {
        do: "write",
        path: PATH,
        content: 'A=1\nDOCKER_OPTS="--nope"\nDOCKER_OPTS="--label=a=b --host=fd://"\n',
        mode: 0o640,
      },
    ],
  });
  assert.is(byScript(["/usr/bin/dockerd", "--label=a b"]), null, "it would be split");
  assert.is(byScript([]), null);
});

test("the next run still knows that this module's drop-in has Docker read DOCKER_OPTS", () => {
  const content =
    "[Service]\nEnvironmentFile=-/etc/default/docker\nExecStart=\nExecStart=/usr/bin/dockerd $DOCKER_OPTS\n";
  const saved = savedOf(DAEMON, { files: [{ path: DROP_IN, content, mode: 0o644 }] });
  const [write] = restorePreviousCommand(STEADY.service, saved)?.actions ?? [];
  assert.ok(write?.do === "write");
  assert.match(
    write.content,
    /\n# It replaces: ExecStart=\/usr\/bin\/dockerd \$DOCKER_OPTS\n\[Service\]\nEnvironmentFile=-\/etc\/default\/docker\nExecStart=\nExecStart=\/usr\/sbin\/dockerd -H fd:/,
  );
});

test("systemd gets the words of that command line as they were", () => {
  const words = [
    "/usr/bin/dockerd",
    "--label=a b",
    '--label="\\x"',
    "--label=$HOME 100%",
    "--label=\t'",
    "--label=caf\xc3\xa9",
  ];
  const [write] = restorePreviousCommand(STEADY.service, savedOf(DAEMON, { command: words }))?.actions ?? [];
  assert.ok(write?.do === "write");
  assert.match(
    write.content,
    'ExecStart=\nExecStart=/usr/bin/dockerd "--label=a b" "--label=\\"\\\\x\\"" "--label=$$HOME 100%%" "--label=\\x09\'" "--label=caf\xc3\xa9"\n',
  );
});

test("a program whose path systemd does not take gives no such command line", () => {
  for (const path of ['/opt/do"cker/dockerd', "/opt/do\\cker/dockerd", "/opt/do\ncker/dockerd", "dockerd"]) {
    assert.is(restorePreviousCommand(STEADY.service, savedOf(DAEMON, { command: [path, "-H", "fd://"] })), null, path);
  }
  const command = ["/opt/a b/docker%d$", "--label=one\ntwo"];
  const [write] = restorePreviousCommand(STEADY.service, savedOf(DAEMON, { command }))?.actions ?? [];
  assert.match(write?.do === "write" ? write.content : "", 'ExecStart="/opt/a b/docker%%d$" "--label=one\\x0atwo"\n');
});

test.run();
