import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  flagOf,
  flagValues,
  isRejected,
  jsonValue,
  keyOf,
  meansTheSame,
} from "../../../modules/formats/docker_options";

test("a list is the same under its flag and its key", () => {
  for (const [flag, key] of [
    ["insecure-registry", "insecure-registries"],
    ["label", "labels"],
    ["log-opt", "log-opts"],
    ["dns", "dns"],
    ["bridge", "bridge"],
  ] as const) {
    assert.equal([keyOf(flag), flagOf(key)], [key, flag]);
  }
});

test("a value has the same meaning in both forms", () => {
  for (const [key, json, values] of [
    ["mtu", 1450, ["1450"]],
    ["bridge", "weave", ["weave"]],
    ["debug", false, ["false"]],
    ["labels", ["a=b"], ["a=b"]],
    ["log-opts", { "max-size": "1m", tag: "a=b" }, ["max-size=1m", "tag=a=b"]],
  ] as const) {
    assert.equal(flagValues(key, json), [...values]);
    assert.equal(jsonValue(key, values), json);
  }
  assert.is(flagValues("default-ulimits", { nofile: { Hard: 1 } }), null);
  assert.is(flagValues("debug", "true"), null);
  assert.is(jsonValue("default-ulimits", ["nofile=1"]), undefined);
});

test("host-gateway-ip is one address, and since 28.0 a list under another key", () => {
  assert.equal([keyOf("host-gateway-ip", ["::1"]), jsonValue("host-gateway-ip", ["::1"])], ["host-gateway-ip", "::1"]);
  assert.is(keyOf("host-gateway-ip", ["::1", "1.2.3.4"]), "host-gateway-ips");
  assert.equal(flagValues("host-gateway-ips", ["::1", "1.2.3.4"]), ["::1", "1.2.3.4"]);
});

test("what a version rejects is known from 18.09 to 22 only", () => {
  for (const [flag, version, rejected] of [
    ["brige", "20.10.24", true],
    ["signature-verification", "1.13.1", false],
    ["brige", null, false],
    ["brige", "28.5.2", false],
    ["bip6", "20.10.24", true],
    ["ip6tables", "19.03.15", true],
    ["ip6tables", "20.10.24", false],
    ["disable-legacy-registry", "18.09.9", false],
    ["disable-legacy-registry", "20.10.24", true],
    ["restart", "20.10.24", false],
  ] as const) {
    assert.is(isRejected(flag, version), rejected, `${flag} ${version}`);
  }
});

test("order counts only for lists that Docker tries in turn; of single values the last one counts", () => {
  assert.not.ok(meansTheSame("dns", ["1.1.1.1", "8.8.8.8"], ["8.8.8.8", "1.1.1.1"]));
  assert.ok(meansTheSame("label", ["a", "b"], ["b", "a"]));
  assert.ok(meansTheSame("mtu", ["9000", "1450"], ["1450"]));
  assert.ok(meansTheSame("bridge", [""], undefined));
});

test("a switch is read as dockerd reads it, and its default is not a difference", () => {
  assert.ok(meansTheSame("debug", ["1"], ["true"]));
  assert.ok(meansTheSame("debug", ["F"], undefined));
  assert.ok(meansTheSame("icc", ["true"], undefined));
  assert.not.ok(meansTheSame("icc", ["false"], undefined));
  assert.not.ok(meansTheSame("ip6tables", ["true"], undefined), "by itself it depends on the version");
});

test.run();
