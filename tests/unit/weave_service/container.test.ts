import { test } from "uvu";
import * as assert from "uvu/assert";
import { observeContainer, observeOldestApi, parseContainer } from "../../../modules/weave_service/container";
import { memoryHost } from "../support/memory_host";
import { refusalLater } from "../support/refusal";

const INSPECTED = JSON.stringify({
  Args: ["--port", "6783"],
  State: { Running: true, Status: "running" },
  Config: { Image: "weaveworks/weave:2.8.1", Env: ["WEAVE_PASSWORD=a=b für alle", "EMPTY="] },
  HostConfig: { RestartPolicy: { Name: "always", MaximumRetryCount: 0 } },
});

test("a container is read as Docker shows it, texts with one character a byte", () => {
  assert.equal(parseContainer(INSPECTED), {
    running: true,
    image: "weaveworks/weave:2.8.1",
    restartPolicy: "always",
    args: ["--port", "6783"],
    environment: new Map([
      ["WEAVE_PASSWORD", Buffer.from("a=b für alle").toString("latin1")],
      ["EMPTY", ""],
    ]),
  });
});

test("lists that are null are empty, and a policy without a name is none", () => {
  const { args, environment, restartPolicy } = parseContainer(
    '{"Args":null,"State":{"Running":false},"Config":{"Image":"x","Env":null},"HostConfig":{"RestartPolicy":{"Name":""}}}',
  );
  assert.equal([args, environment.size, restartPolicy], [[], 0, "no"]);
});

const answering = (path: string, status: number, body: string) =>
  memoryHost({ services: { [`GET /var/run/docker.sock${path}`]: { status, body } } });

test("no container is no error, another answer of Docker's is", async () => {
  const path = "/containers/weave/json";
  assert.is(await observeContainer("weave", answering(path, 404, '{"message":"No such container"}')), null);
  assert.is(await observeContainer("weave", memoryHost({})), null);
  assert.is(
    await refusalLater(() => observeContainer("weave", answering(path, 500, "broken\n"))),
    "Docker answered 500 when asked for the container weave: broken",
  );
});

test("the oldest API that a daemon accepts is its own word, where it gives one", async () => {
  assert.is(await observeOldestApi(answering("/version", 200, '{"ApiVersion":"1.52","MinAPIVersion":"1.44"}')), "1.44");
  assert.is(await observeOldestApi(answering("/version", 200, '{"ApiVersion":"1.18"}')), null);
  assert.is(await observeOldestApi(memoryHost({})), null);
});

test.run();
