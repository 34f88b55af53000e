import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  comparedKeys,
  daemonKeys,
  daemonOptions,
  nonIntegers,
  withDaemonOptions,
} from "../../../modules/formats/daemon_json";
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

test("a key that dockerd does not read is no option, and its right key is added", () => {
  const content = '{"label": ["a=b"], "containerd-plugins-namespace": "x"}';
  assert.equal([...daemonOptions(content)], []);
  assert.is(
    withDaemonOptions(content, desired({ label: ["c=d"] })),
    '{"label": ["a=b"], "containerd-plugins-namespace": "x", "labels": ["c=d"]}',
  );
});

test("a list of gateways is changed in place", () => {
  assert.is(
    withDaemonOptions('{"host-gateway-ips": ["::1"]}', desired({ "host-gateway-ip": ["1.2.3.4"] })),
    '{"host-gateway-ips": ["1.2.3.4"]}',
  );
});

test("dockerd compares its flags with the keys in an object that is no option's value", () => {
  const content =
    '{"proxies": {"http-proxy": "a"}, "log-opts": {"tag": "b"}, "runtimes": {"x": {}}, "builder": {"gc": {}}}';
  assert.equal([...comparedKeys(content).keys()], ["http-proxy", "log-opts", "runtimes", "builder"]);
});

test("only a runtime's own numbers may have a fraction", () => {
  assert.equal([...nonIntegers('{"mtu": 1e3, "runtimes": {"x": {"options": {"a": 1.5}}}}')], [["mtu", "1e3"]]);
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
