import { test } from "uvu";
import * as assert from "uvu/assert";
import { connect, forget, observeRouter, parseReport, STATUS } from "../../../modules/weave_service/router_api";
import { fakeHost } from "../support/fake_host/fake_host";
import { userErrorLater, userErrorOf } from "../support/user_error";

const CONTROL = { address: "127.0.0.1", port: 6784 };

// A router of 2.8.1, in short.
const REPORT = `{
    "Ready": true,
    "Version": "2.8.1",
    "Router": {
        "Protocol": "weave",
        "Name": "0e:5f:33:00:00:01",
        "NickName": "host1",
        "Port": 6783,
        "Peers": [{"Name": "0e:5f:33:00:00:02", "NickName": "host2", "Connections": []}],
        "Encryption": true,
        "Interface": "vethwe-pcap (via pcap)",
        "Connections": [
            {"Address": "192.168.50.12:6783", "Outbound": true, "State": "established",
             "Info": "encrypted   sleeve 0e:5f:33:00:00:02(host2)", "Attrs": {"encrypted": true, "mtu": 1438, "name": "sleeve"}},
            {"Address": "192.168.50.13:6783", "Outbound": true, "State": "connecting", "Info": "", "Attrs": null}
        ],
        "Targets": ["192.168.50.13", "192.168.50.12"],
        "TrustedSubnets": []
    },
    "IPAM": {"Range": "10.32.0.0/12"}
}`;

test("the targets are read from the report", () => {
  assert.equal(parseReport(REPORT).targets, ["192.168.50.13", "192.168.50.12"]);
});

test("a report is parsed", () => {
  assert.equal(parseReport(REPORT), {
    version: "2.8.1",
    name: "0e:5f:33:00:00:01",
    nickname: "host1",
    encryption: true,
    targets: ["192.168.50.13", "192.168.50.12"],
    peers: ["0e:5f:33:00:00:02"],
    connections: [
      {
        address: "192.168.50.12:6783",
        state: "established",
        datapath: "sleeve",
        info: "encrypted   sleeve 0e:5f:33:00:00:02(host2)",
      },
      { address: "192.168.50.13:6783", state: "connecting", datapath: null, info: "" },
    ],
    datapath: "sleeve",
  });
  assert.is(parseReport(REPORT.replace("vethwe-pcap (via pcap)", "datapath (via ODP)")).datapath, "fastdp");
});

const REPORT_OF = (router: Record<string, unknown>): string =>
  JSON.stringify({ Version: "2.8.1", Router: { Name: "a", NickName: "b", Encryption: false, ...router } });

test("a router without targets has none, in each form of an empty list", () => {
  for (const router of [{ Targets: null }, { Targets: [] }, {}]) {
    assert.equal(parseReport(REPORT_OF(router)).targets, []);
  }
});

test("a report with a part of another type is refused", () => {
  const connection = { Address: "192.168.50.12:6783", State: "established", Info: "" };
  assert.equal(parseReport(REPORT_OF({ Connections: [connection] })).connections.length, 1);
  const wrong = [
    { Name: 1 },
    { NickName: null },
    { Encryption: "no" },
    { Interface: 1 },
    { Targets: "192.168.50.12" },
    { Targets: [1] },
    { Peers: ["0e:5f:33:00:00:02"] },
    { Connections: {} },
    { Connections: [{ ...connection, State: null }] },
    { Connections: [{ ...connection, Attrs: "sleeve" }] },
    { Connections: [{ ...connection, Attrs: { name: 1 } }] },
  ];
  for (const router of wrong) {
    assert.match(
      userErrorOf(() => parseReport(REPORT_OF(router))),
      "must be a router's report (found ",
    );
  }
});

test("an answer that is not a report is refused, and only its beginning is shown", () => {
  for (const text of ["", "404 page not found", "null", "[]", '{"Router": null}', "{}", "x".repeat(100_000)]) {
    const message = userErrorOf(() => parseReport(text));
    assert.match(message, "weave_service: the answer to GET 127.0.0.1:6784/report must be a router's report (found ");
    assert.ok(message.length < 300);
  }
});

test("a running router is asked for its report", async () => {
  const host = fakeHost({ services: { "GET 127.0.0.1:6784/report": { status: 200, body: REPORT } } });
  assert.equal(await observeRouter(host), parseReport(REPORT));
});

test("no answer is null, and an error status is an error", async () => {
  assert.is(await observeRouter(fakeHost({})), null);
  const host = fakeHost({ services: { "GET 127.0.0.1:6784/report": { status: 500, body: "out of order\n" } } });
  assert.match(
    await userErrorLater(() => observeRouter(host)),
    "(found status 500 for GET 127.0.0.1:6784/report: out of order). Check which program listens",
  );
});

test("peers are connected and forgotten by one form request each", () => {
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const post = { to: CONTROL, method: "POST" as const, headers };
  assert.equal(connect(["192.168.50.12", "host3"]), {
    ...post,
    path: "/connect",
    body: "peer=192.168.50.12&peer=host3",
  });
  assert.equal(forget(["192.168.50.12"]), { ...post, path: "/forget", body: "peer=192.168.50.12" });
  assert.is(connect(["a&b=c d"]).body, "peer=a%26b%3Dc%20d");
});

test("the router is ready when its status answers", () => {
  assert.equal(STATUS, { to: CONTROL, method: "GET", path: "/status" });
});

test.run();
