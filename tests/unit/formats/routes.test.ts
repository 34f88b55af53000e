import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseRoutes } from "../../../modules/formats/routes";

const HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT";

test("routes are read with their network and device", () => {
  const table = [
    HEAD,
    "eth0\t00000000\t0132A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0                                       ",
    "weave\t0000020A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0",
    "eth0\t0032A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
    "tun0\t00000080\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0",
    "eth9\t00000000\t00000000\t0001\t0\t0\t0\t000000FE\t0\t0\t0",
    "eth0\t0532A8C0\t00000000\t0005\t0\t0\t0\tFFFFFFFF\t0\t0\t0",
  ].join("\n");
  assert.equal(parseRoutes(table), [
    { device: "eth0", network: "0.0.0.0/0" },
    { device: "weave", network: "10.2.0.0/16" },
    { device: "eth0", network: "192.168.50.0/24" },
    { device: "tun0", network: "128.0.0.0/1" },
    { device: "eth9", network: "0.0.0.0/7" },
    { device: "eth0", network: "192.168.50.5/32" },
  ]);
});

test("a host without routes, or without the table, has none", () => {
  assert.equal(parseRoutes(HEAD), []);
  assert.equal(parseRoutes(`${HEAD}\n`), []);
  assert.equal(parseRoutes(""), []);
});

test.run();
