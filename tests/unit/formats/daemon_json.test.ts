import { test } from "uvu";
import * as assert from "uvu/assert";
import { daemonKeys, daemonOptions, withDaemonOptions } from "../../../modules/formats/daemon_json";
import { userErrorOf } from "../support/user_error";

const desired = (options: Record<string, readonly string[]>) => new Map(Object.entries(options));

test("braces, commas and quotes within values belong to them", () => {
  const content = '{"a,}": "{\\"b\\": [", "proxies": {"x": [1, {"bridge": "no"}]}, "bridge" :"yes" }';
  assert.equal([...daemonKeys(content).keys()], ["a,}", "proxies", "bridge"]);
  assert.is(withDaemonOptions(content, desired({ bridge: ["weave"] })), content.replace('"yes"', '"weave"'));
});

test("of a repeated key the last one counts, and both are removed", () => {
  const content = '{"mtu": 1400, "debug": true, "mtu": 1500}';
  assert.equal(daemonOptions(content).get("mtu"), ["1500"]);
  assert.is(withDaemonOptions(content, desired({ mtu: [] })), '{"debug": true}');
});

test("an empty file has no keys, and gets an object", () => {
  for (const content of ["", " \n"]) {
    assert.equal([...daemonKeys(content)], []);
    assert.is(withDaemonOptions(content, desired({ debug: ["true"] })), '{\n  "debug": true\n}\n');
  }
});

test("an option that daemon.json can't express is rejected, and a file that is not an object", () => {
  assert.match(
    userErrorOf(() => withDaemonOptions("{}", desired({ "http-proxy": ["http://p"] }))),
    "can't be written in daemon.json by this module",
  );
  for (const content of ["[]", "1"]) {
    assert.match(
      userErrorOf(() => daemonKeys(content)),
      /^must be one JSON object \(found another value\)\. /,
    );
  }
  for (const content of ["{", '{"a": }']) {
    assert.match(
      userErrorOf(() => daemonKeys(content)),
      /^must be one JSON object \(found (an error in line \d+|text that is not JSON)\)\. Correct it/,
    );
  }
  assert.is(
    userErrorOf(() => daemonKeys('{"a": 1}\n\n{"b": 2}\n')),
    "must be one JSON object (found more text after it, in line 3). Correct it and run again.",
  );
});

test.run();
