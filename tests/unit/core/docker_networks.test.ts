import { test } from "uvu";
import * as assert from "uvu/assert";
import { createNetwork, listMembers, listNetworks, removeNetwork } from "../../../modules/core/docker_networks";
import { NoAnswer } from "../../../modules/core/errors";
import type { HttpRequest } from "../../../modules/core/host/host";
import { type FakeHost, fakeHost } from "../support/fake_host/fake_host";
import { userErrorLater } from "../support/user_error";

const answering = (path: string, answer: unknown, status = 200): FakeHost =>
  fakeHost({}).with({
    request: (request: HttpRequest) => {
      assert.is(request.path, path);
      const body = typeof answer === "string" ? answer : JSON.stringify(answer);
      return { status, body, server: "Docker/20.10.24 (linux)" };
    },
  });
const silent = fakeHost({}).with({
  request: () => {
    throw new NoAnswer("GET /", "no answer");
  },
});

// As Docker 20.10.24 lists them, shortened.
const LISTED = [
  { Name: "none", Id: "f90f", Driver: "null", IPAM: { Driver: "default", Options: null, Config: [] }, Options: {} },
  {
    Name: "weave",
    Id: "530b",
    Driver: "bridge",
    EnableIPv6: false,
    IPAM: {
      Driver: "default",
      Options: null,
      Config: [
        {
          Subnet: "10.2.0.0/16",
          IPRange: "10.2.1.0/24",
          Gateway: "10.2.0.1",
          AuxiliaryAddresses: { first: "10.2.1.0" },
        },
      ],
    },
    Internal: true,
    Options: { "com.docker.network.bridge.name": "weave" },
  },
];

test("networks are listed with their addresses and options, and the daemon's version", async () => {
  assert.equal(await listNetworks(answering("/networks", LISTED)), {
    networks: [
      { id: "f90f", name: "none", driver: "null", internal: false, options: {}, pools: [] },
      {
        id: "530b",
        name: "weave",
        driver: "bridge",
        internal: true,
        options: { "com.docker.network.bridge.name": "weave" },
        pools: [{ subnet: "10.2.0.0/16", range: "10.2.1.0/24", gateway: "10.2.0.1" }],
      },
    ],
    version: "20.10.24",
  });
});

test("what Go leaves out or writes as null is empty", async () => {
  const bare = [{ Name: "a", Id: "1", Driver: "overlay", IPAM: { Config: null }, Options: null }];
  const { networks } = await listNetworks(answering("/networks", bare));
  assert.equal(networks, [{ id: "1", name: "a", driver: "overlay", internal: false, options: {}, pools: [] }]);
});

test("the version is known whatever the answer about networks; a daemon that does not answer reports neither", async () => {
  assert.equal(await listNetworks(answering("/networks", "no", 500)), { networks: null, version: "20.10.24" });
  assert.equal(await listNetworks(silent), { networks: null, version: null });
});

test("an unexpected answer is an error that names the request", async () => {
  for (const answer of ["{}", [{ Name: "a" }], [{ ...LISTED[0], Options: { mtu: 1 } }]]) {
    assert.match(
      await userErrorLater(() => listNetworks(answering("/networks", answer))),
      /^Docker: must answer GET \/var\/run\/docker\.sock\/networks as its API does \(found \d+ characters of another form\)\. Check/,
    );
  }
});

test("the containers of a network are those that have its id or its name, also if they do not run or never ran", async () => {
  const on = (name: string, networks: object) => ({ Names: [`/${name}`], NetworkSettings: { Networks: networks } });
  const host = answering("/containers/json?all=true", [
    on("stopped", { weave: { NetworkID: "530b" }, bridge: { NetworkID: "37c6" } }),
    on("by-id", { "530b": { NetworkID: "" } }),
    on("created", { weave: { NetworkID: "" } }),
    on("odd", { weave2: null, bridge: {} }),
    { Names: null, NetworkSettings: null },
  ]);
  const members = await listMembers(
    [
      { id: "530b", name: "weave" },
      { id: "1", name: "flat" },
    ],
    host,
  );
  assert.equal(
    [...(members ?? [])],
    [
      ["530b", ["by-id", "created", "stopped"]],
      ["1", []],
    ],
  );
  assert.is(await listMembers([], silent), null);
});

test("the requests are those of the Engine API", () => {
  assert.equal(removeNetwork("530b"), {
    to: { socket: "/var/run/docker.sock" },
    method: "DELETE",
    path: "/networks/530b",
  });
  const { path, headers, body } = createNetwork({ Name: "weave" });
  assert.equal([path, headers, body], ["/networks/create", { "content-type": "application/json" }, '{"Name":"weave"}']);
});

test.run();
