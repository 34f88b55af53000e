import { test } from "uvu";
import * as assert from "uvu/assert";
import { masked } from "../../../modules/formats/secrets";

test("passwords in URLs and values named for what they are, are not shown; all else is", () => {
  for (const [text, shown] of [
    ["--http-proxy=http://me:hush@proxy:3128 -D", "--http-proxy=http://me:********@proxy:3128 -D"],
    ["--log-opt splunk-token=hush --mtu=1450", "--log-opt splunk-token=******** --mtu=1450"],
    ['{"log-opts": {"splunk-token": "hush", "tag": "x"}}', '{"log-opts": {"splunk-token": "********", "tag": "x"}}'],
    ['{"dns": ["8.8.8.8"], "hosts": ["tcp://0.0.0.0:2375"]}', '{"dns": ["8.8.8.8"], "hosts": ["tcp://0.0.0.0:2375"]}'],
  ] as const) {
    assert.is(masked(text), shown);
  }
});

test.run();
