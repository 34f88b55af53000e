import { test } from "uvu";
import * as assert from "uvu/assert";
import { redactSecrets } from "../../../modules/core/redact";

test("passwords in URLs and values with the names of secrets are redacted, all else is kept", () => {
  for (const [text, shown] of [
    ["--http-proxy=http://me:hush@proxy:3128 -D", "--http-proxy=http://me:********@proxy:3128 -D"],
    ["--log-opt splunk-token=hush --mtu=1450", "--log-opt splunk-token=******** --mtu=1450"],
    ['{"log-opts": {"splunk-token": "hush", "tag": "x"}}', '{"log-opts": {"splunk-token": "********", "tag": "x"}}'],
    ["weave launch --password='hush hush' host2", "weave launch --password='********' host2"],
    ["weave launch --password hush host2", "weave launch --password ******** host2"],
    ['WEAVE_PASSWORD="hush \\"hush\\" hush"\nA=1', 'WEAVE_PASSWORD="********"\nA=1'],
    [
      'DOCKER_OPTS="--log-opt splunk-token=\\"hush hush\\" -D"',
      'DOCKER_OPTS="--log-opt splunk-token=\\"********\\" -D"',
    ],
    ['{"splunk-token": "hush \\" hush"}', '{"splunk-token": "********"}'],
    ["PASSWORD='hush", "PASSWORD='********"],
    ['{"dns": ["8.8.8.8"], "hosts": ["tcp://0.0.0.0:2375"]}', '{"dns": ["8.8.8.8"], "hosts": ["tcp://0.0.0.0:2375"]}'],
  ] as const) {
    assert.is(redactSecrets(text), shown);
  }
});

// If the time grew with the square of the length, this would not end.
test("a megabyte in one word, even of secrets' names, is searched", () => {
  for (const word of ["x", "token", "://", ":"]) {
    const text = word.repeat(2 ** 20 / word.length);
    assert.ok(redactSecrets(text) === text, word);
  }
  redactSecrets("--password".repeat(2 ** 20 / 10));
});

test.run();
