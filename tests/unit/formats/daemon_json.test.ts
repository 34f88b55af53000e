import { test } from "uvu";
import * as assert from "uvu/assert";
import { daemonKeys, daemonOptions, usesBridge, withDaemonOptions } from "../../../modules/formats/daemon_json";
import { parseDockerWords } from "../../../modules/formats/docker_flags";
import { refusalOf } from "../support/refusal";

const wanted = (options: Record<string, readonly string[]>) => new Map(Object.entries(options));

test("braces, commas and quotes within values are theirs", () => {
  const content = '{"a,}": "{\\"b\\": [", "proxies": {"x": [1, {"bridge": "no"}]}, "bridge" :"yes" }';
  assert.equal([...daemonKeys(content).keys()], ["a,}", "proxies", "bridge"]);
  assert.is(withDaemonOptions(content, wanted({ bridge: ["weave"] })), content.replace('"yes"', '"weave"'));
});

test("of a key that is there twice the last counts, and both go", () => {
  const content = '{"mtu": 1400, "debug": true, "mtu": 1500}';
  assert.equal(daemonOptions(content).get("mtu"), ["1500"]);
  assert.is(withDaemonOptions(content, wanted({ mtu: [] })), '{"debug": true}');
});

test("an empty file has no keys, and gets an object", () => {
  for (const content of ["", " \n"]) {
    assert.equal([...daemonKeys(content)], []);
    assert.is(withDaemonOptions(content, wanted({ debug: ["true"] })), '{\n  "debug": true\n}\n');
  }
});

test("an option that has no form there is refused, and a file that is no object", () => {
  assert.match(
    refusalOf(() => withDaemonOptions("{}", wanted({ "http-proxy": ["http://p"] }))),
    "can't be written in daemon.json by this module",
  );
  for (const content of ["[]", "1", "{", '{"a": }'])
    assert.match(
      refusalOf(() => daemonKeys(content)),
      /^it is not (JSON|a JSON object)/,
    );
});

test("Docker uses the bridge of its flags or of its daemon.json", () => {
  const flags = (...words: string[]) => parseDockerWords(words);
  assert.is(usesBridge("weave", flags("--bridge=weave"), ""), true);
  assert.is(usesBridge("weave", flags("-b", "br0", "-b", "weave"), ""), true, "the last one counts");
  assert.is(usesBridge("weave", flags("--bridge=weave-2"), ""), false);
  assert.is(usesBridge("weave", flags("-D"), '{ "bridge" : "weave" }'), true);
  assert.is(usesBridge("weave", flags(), '{"labels": ["bridge"], "log-opts": {"bridge": "weave"}}'), false);
  for (const content of ["", "{", "[]"]) assert.is(usesBridge("weave", flags(), content), false, content);
});

test.run();
