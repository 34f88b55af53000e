import { test } from "uvu";
import * as assert from "uvu/assert";
import { NoAnswer, RequestError } from "../../../modules/core/errors";
import {
  DEFAULT_CONTROL as CONTROL,
  connect as connectAt,
  controlOf,
  forget as forgetAt,
  observeRouter,
  parseControl,
  parseReport as parseReportOf,
  status,
} from "../../../modules/weave_service/router_api";
import { fakeHost } from "../support/fake_host/fake_host";
import { userErrorLater, userErrorOf } from "../support/user_error";

const parseReport = (text: string) => parseReportOf(text, CONTROL);
const connect = (peers: readonly string[]) => connectAt(CONTROL, peers);
const forget = (peers: readonly string[]) => forgetAt(CONTROL, peers);

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

test("a report with a part of another type is rejected", () => {
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

test("an answer that is not a report is rejected, and only its beginning is shown", () => {
  for (const text of ["", "404 page not found", "null", "[]", '{"Router": null}', "{}", "x".repeat(100_000)]) {
    const message = userErrorOf(() => parseReport(text));
    assert.match(message, "weave_service: the answer to GET 127.0.0.1:6784/report must be a router's report (found ");
    assert.ok(message.length < 300);
  }
});

test("a running router is asked for its report", async () => {
  const host = fakeHost({ services: { "GET 127.0.0.1:6784/report": { status: 200, body: REPORT } } });
  assert.equal(await observeRouter(host, CONTROL), parseReport(REPORT));
});

test("no answer is null, and an error status is an error", async () => {
  assert.is(await observeRouter(fakeHost({}), CONTROL), null);
  const host = fakeHost({ services: { "GET 127.0.0.1:6784/report": { status: 500, body: "out of order\n" } } });
  assert.match(
    await userErrorLater(() => observeRouter(host, CONTROL)),
    "GET 127.0.0.1:6784/report: must be answered with 200 (found 500: out of order). Check which program listens",
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
  assert.equal(status(CONTROL), { to: CONTROL, method: "GET", path: "/status" });
});

test("a router that is starting or stuck has no answer; an answer that no router gives is an error that names the port", async () => {
  const answering = (error: Error) =>
    fakeHost({}).with({
      request: () => {
        throw error;
      },
    });
  assert.is(await observeRouter(answering(new NoAnswer("GET …", "no answer within 10 s")), CONTROL), null);
  const control = { address: "10.2.1.0", port: 7000 };
  assert.is(
    await userErrorLater(() =>
      observeRouter(answering(new RequestError("GET …", "an answer that is not HTTP")), control),
    ),
    "GET …: must be answered (found an answer that is not HTTP). Check which program listens on port 7000 (ss -ltnp), and restart the router.",
  );
  for (const body of ["null", "[]", "1", '"Router"', '{"Router":[]}', `${"[".repeat(100_000)}`]) {
    const host = fakeHost({ services: { "GET 127.0.0.1:6784/report": { status: 200, body } } });
    assert.match(await userErrorLater(() => observeRouter(host, CONTROL)), "must be a router's report (found ");
  }
});

// The arguments of containers that the releases' scripts start (weaveworks/weave, the script weave at the tags).
const CONTAINERS: readonly (readonly [what: string, args: string, address: string | null, control: string])[] = [
  ["1.2.1 in bridge mode", "--iface ethwe --ipalloc-range 10.32.0.0/12", "10.2.1.3", "10.2.1.3:6784"],
  ["1.4.6 in bridge mode", "--iface ethwe --no-dns --http-addr :6784", "10.2.1.3", "10.2.1.3:6784"],
  ["1.4.6 with the fast datapath", "--datapath datapath --http-addr 127.0.0.1:6784", null, "127.0.0.1:6784"],
  ["1.2.1 with the fast datapath", "--datapath weave", null, "127.0.0.1:6784"],
  ["2.8.1", "--no-fastdp --http-addr 127.0.0.1:6784 --status-addr 127.0.0.1:6782", null, "127.0.0.1:6784"],
  ["2.8.1 with WEAVE_HTTP_ADDR", "--http-addr 192.168.50.11:7000", null, "192.168.50.11:7000"],
  ["2.8.1 on all addresses", "--http-addr 0.0.0.0:6790", null, "127.0.0.1:6790"],
  ["one launched by hand, twice told", "--http-addr 127.0.0.1:6784 --http-addr=:6791", null, "127.0.0.1:6791"],
  ["one with a path", "--http-addr /var/run/weave.sock", null, "127.0.0.1:6784"],
  ["one whose last argument is cut off", "--http-addr", null, "127.0.0.1:6784"],
];

for (const [what, args, own, control] of CONTAINERS) {
  test(`the API of ${what} is at ${control}`, () => {
    const { address, port } = controlOf({ args: args.split(" "), address: own });
    assert.is(`${address}:${port}`, control);
  });
}

test("a value of WEAVE_HTTP_ADDR is an IPv4 address, or none, and a port", () => {
  assert.equal(parseControl("127.0.0.1:6784"), CONTROL);
  assert.equal(parseControl(":6784"), { address: "", port: 6784 });
  for (const text of [
    "",
    "6784",
    "127.0.0.1",
    "127.0.0.1:",
    "127.0.0.1:0",
    "1:65536",
    "localhost:6784",
    "[::1]:6784",
    "a:1",
  ]) {
    assert.is(parseControl(text), null, text);
  }
});

test.run();
