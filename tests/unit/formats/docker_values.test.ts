import { test } from "uvu";
import * as assert from "uvu/assert";
import { expectedInstead, expectedType } from "../../../modules/formats/docker_values";

test("values that dockerd accepts", () => {
  for (const [flag, value] of [
    ["mtu", "68"],
    ["mtu", "65535"],
    ["mtu", ""],
    ["log-level", "WARN"],
    ["dns", "::1"],
    ["bip", "10.0.0.1/24"],
    ["host", "fd://"],
    ["host", "127.0.0.1:2375"],
    ["label", "a="],
    ["debug", "T"],
    ["registry-mirror", "https://mirror.example/"],
    ["storage-driver", "overlay2"],
    ["log-driver", "anything"],
    ["unknown", "anything"],
  ] as const) {
    assert.is(expectedInstead(flag, value, "20.10.24"), null, `--${flag}=${value}`);
  }
});

test("values that it does not accept", () => {
  for (const [flag, value] of [
    ["mtu", "67"],
    ["mtu", "65536"],
    ["mtu", "1e3"],
    ["log-level", "loud"],
    ["dns", "dns.example"],
    ["bip", "10.0.0.1"],
    ["host", "nowhere"],
    ["label", "a"],
    ["debug", "yes"],
    ["max-concurrent-downloads", "-1"],
    ["storage-driver", "nope"],
  ] as const) {
    assert.is.not(expectedInstead(flag, value, "20.10.24"), null, `--${flag}=${value}`);
  }
});

test("newer versions have storage drivers of other names", () => {
  assert.is(expectedInstead("storage-driver", "overlayfs", "28.5.2"), null);
  assert.is.not(expectedInstead("storage-driver", "overlayfs", null), null);
});

test("types of daemon.json's keys; null, and keys that are not known, are left to dockerd", () => {
  for (const [key, value] of [
    ["mtu", 1450],
    ["debug", false],
    ["hosts", ["fd://"]],
    ["log-opts", { "max-size": "1m" }],
    ["bridge", null],
    ["unknown", 1],
    ["default-shm-size", 1],
  ] as const) {
    assert.is(expectedType(key, value), null, key);
  }
  for (const [key, value] of [
    ["mtu", "1450"],
    ["mtu", 1.5],
    ["debug", "true"],
    ["hosts", "fd://"],
    ["hosts", [1]],
    ["log-opts", { "max-file": 3 }],
    ["bridge", 1],
  ] as const) {
    assert.is.not(expectedType(key, value), null, key);
  }
});

test.run();
