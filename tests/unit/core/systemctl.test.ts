import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseProperties } from "../../../modules/core/systemctl";

test("each line is a property, whose value may have = and spaces in it", () => {
  const output = `LoadState=loaded
ExecStart={ path=/usr/sbin/dockerd ; argv[]=/usr/sbin/dockerd -H fd:// $DOCKER_OPTS ; ignore_errors=no ; pid=812 }
EnvironmentFiles=/etc/default/docker (ignore_errors=yes)
MainPID=812
`;
  const properties = parseProperties(output);
  assert.is(properties.get("LoadState"), "loaded");
  assert.is(
    properties.get("ExecStart"),
    "{ path=/usr/sbin/dockerd ; argv[]=/usr/sbin/dockerd -H fd:// $DOCKER_OPTS ; ignore_errors=no ; pid=812 }",
  );
  assert.is(properties.get("EnvironmentFiles"), "/etc/default/docker (ignore_errors=yes)");
  assert.is(properties.get("MainPID"), "812");
});

test("an empty property is the empty text, one that is not printed is missing", () => {
  const properties = parseProperties("EnvironmentFiles=\n");
  assert.is(properties.get("EnvironmentFiles"), "");
  assert.is(properties.get("ExecStart"), undefined);
});

// As systemd 252 shows a socket with two ListenStream=.
test("a property that is printed twice has both values", () => {
  const properties = parseProperties("Listen=/run/docker.sock (Stream)\nListen=[::]:2375 (Stream)\n");
  assert.is(properties.get("Listen"), "/run/docker.sock (Stream)\n[::]:2375 (Stream)");
});

test.run();
