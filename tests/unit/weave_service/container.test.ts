import { test } from "uvu";
import * as assert from "uvu/assert";
import { observeContainer } from "../../../modules/weave_service/container";
import { fakeHost } from "../support/fake_host/fake_host";

test("a container's environment is read by name, with one character a byte", async () => {
  const body = JSON.stringify({
    Args: null,
    State: { Running: true },
    Config: { Image: "weaveworks/weave:2.8.1", Env: ["WEAVE_PASSWORD=a=b für alle", "EMPTY="] },
    HostConfig: { RestartPolicy: { Name: "always" } },
  });
  const services = { "GET /var/run/docker.sock/containers/weave/json": { status: 200, body } };
  const container = await observeContainer("weave", fakeHost({ services }));
  assert.equal(
    container?.environment,
    new Map([
      ["WEAVE_PASSWORD", Buffer.from("a=b für alle").toString("latin1")],
      ["EMPTY", ""],
    ]),
  );
  const none = { "GET /var/run/docker.sock/containers/weave/json": { status: 404, body: "No such container" } };
  assert.is(await observeContainer("weave", fakeHost({ services: none })), null);
});

test.run();
