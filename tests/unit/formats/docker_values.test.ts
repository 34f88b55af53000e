import { test } from "uvu";
import * as assert from "uvu/assert";
import { expectedType } from "../../../modules/formats/daemon_json_types";
import { expectedInstead } from "../../../modules/formats/docker_values";

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
    ["host", "192.168.1.1"],
    ["host", "[::1]:2375"],
    ["host", ""],
    ["host", "unix://"],
    ["host", "unix://var/run/docker.sock"],
    ["host", "tcp://:2375"],
    ["insecure-registry", "registry.example:5000"],
    ["insecure-registry", "http://registry.example:5000"],
    ["insecure-registry", "10.0.0.0/8"],
    ["insecure-registry", "[::1]:5000"],
    ["max-download-attempts", "1"],
    ["label", "a="],
    ["debug", "T"],
    ["registry-mirror", "https://mirror.example/"],
    ["storage-driver", "overlay2"],
    ["log-driver", "anything"],
    ["unknown", "anything"],
    ["dns-search", "service.consul"],
    ["dns-search", "."],
    ["dns-search", "x."],
    ["exec-opt", "native.cgroupdriver=systemd"],
    ["exec-opt", "a=b"],
    ["default-ulimit", "nofile=1024:2048"],
    ["default-ulimit", "nofile=-1"],
    ["default-address-pool", "base=10.0.0.0/8,size=24"],
    ["default-address-pool", "base=fd00::/48,size=64"],
    ["default-shm-size", "1.5G"],
    ["default-shm-size", "64mib"],
    ["default-shm-size", "64"],
    ["add-runtime", "x=/y"],
    ["host-gateway-ip", "1.2.3.4"],
    ["bridge", "fifteen-letters"],
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
    ["host", "no where"],
    ["host", "ssh://root@a"],
    ["host", "npipe:////./pipe/docker_engine"],
    ["host", "tcp://127.0.0.1:2375/x"],
    ["host", "http://127.0.0.1"],
    ["insecure-registry", ""],
    ["insecure-registry", "http://a_b:5000"],
    ["insecure-registry", "registry.example:5000/"],
    ["insecure-registry", "*.example"],
    ["registry-mirror", ""],
    ["registry-mirror", "https://mirror.example/path"],
    ["registry-mirror", "https://user:word@mirror.example"],
    ["dns", ""],
    ["dns", "fe80::1%eth0"],
    ["default-gateway", "fd00::1"],
    ["default-gateway-v6", "10.0.0.1"],
    ["fixed-cidr", "fd00::/64"],
    ["fixed-cidr-v6", "10.2.1.0/24"],
    ["label", "com.docker.a=b"],
    ["default-ipc-mode", "Private"],
    ["max-download-attempts", "0"],
    ["default-address-pool", "base=10.0.0.0/8"],
    ["default-address-pool", "base=10.0.0.0/16,size=8"],
    ["label", "a"],
    ["debug", "yes"],
    ["max-concurrent-downloads", "-1"],
    ["storage-driver", "nope"],
    ["mtu", "01500"],
    ["dns-search", "a_b.c"],
    ["dns-search", "a..c"],
    ["dns-search", "1.2"],
    ["exec-opt", "native.cgroupdriver=foo"],
    ["default-ulimit", "nofile=abc"],
    ["default-ulimit", "nofile=2048:1024"],
    ["default-ulimit", "foo=1"],
    ["default-address-pool", "base=nope,size=24"],
    ["default-address-pool", "base=10.0.0.0/16,size=x"],
    ["default-address-pool", "size=24"],
    ["default-shm-size", "12x"],
    ["default-shm-size", "-1"],
    ["add-runtime", "x"],
    ["add-runtime", "runc=/y"],
    ["host-gateway-ip", "x"],
    ["bridge", "toolonginterfacename"],
  ] as const) {
    assert.is.not(expectedInstead(flag, value, "20.10.24"), null, `--${flag}=${value}`);
  }
});

test("newer versions accept a mirror with a path, and no limit of attempts", () => {
  assert.is(expectedInstead("registry-mirror", "https://mirror.example/path", "28.5.2"), null);
  assert.is(expectedInstead("registry-mirror", "https://mirror.example/path", null), null);
  assert.is.not(expectedInstead("registry-mirror", "https://mirror.example/path?a", "28.5.2"), null);
  assert.is(expectedInstead("max-download-attempts", "0", "28.5.2"), null);
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
    ["default-shm-size", "64M"],
    ["features", { buildkit: true, other: null }],
    ["runtimes", { x: { path: "/x", runtimeArgs: ["-v"] } }],
    ["default-address-pools", [{ base: "10.0.0.0/8", size: 24 }]],
    ["default-ulimits", { nofile: { Name: "nofile", Hard: 2, Soft: 1 } }],
    ["default-address-pools", [{ Base: "10.0.0.0/8", Size: 24 }]],
    ["host-gateway-ip", "1.2.3.4"],
    ["host-gateway-ips", ["1.2.3.4", "::1"]],
    ["label", 1],
    ["builder", { gc: { enabled: true, defaultKeepStorage: "1G" } }],
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
    ["default-shm-size", 1],
    ["features", { buildkit: "true" }],
    ["features", []],
    ["runtimes", { x: { path: 1 } }],
    ["runtimes", { x: { path: "/x", runtimeArgs: "-v" } }],
    ["runtimes", { runc: { path: "/x" } }],
    ["default-address-pools", { base: "10.0.0.0/8" }],
    ["default-address-pools", [{ base: "10.0.0.0/8", size: "24" }]],
    ["default-address-pools", [{ base: "nope", size: 24 }]],
    ["default-address-pools", [{ base: "10.0.0.0/8" }]],
    ["host-gateway-ip", ["1.2.3.4"]],
    ["default-ulimits", { nofile: { Name: "nofile", Hard: "1" } }],
    ["default-ulimits", { nofile: 1 }],
    ["builder", { gc: { enabled: "true" } }],
  ] as const) {
    assert.is.not(expectedType(key, value), null, key);
  }
});

test.run();
