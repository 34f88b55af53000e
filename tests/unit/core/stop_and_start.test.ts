import { test } from "uvu";
import * as assert from "uvu/assert";
import { NoAnswer } from "../../../modules/core/errors";
import type { HttpRequest, HttpResponse } from "../../../modules/core/host/host";
import { startContainers, stopContainers } from "../../../modules/core/stop_and_start";
import { userErrorLater } from "../support/user_error";

/** Names of the containers that each needs to start. */
type Needs = Readonly<Record<string, readonly string[]>>;

/**
 * Docker's API for containers, as daemon/start.go, pause.go and container_operations_unix.go of moby 20.10 answer: 409 for one
 * that joins the network of another that does not run, 304 for one that runs, 409 for one that is paused. The reason is in English,
 * which no program should read.
 */
function docker(needs: Needs, running: Iterable<string> = [], slow: Readonly<Record<string, number>> = {}) {
  const [runs, paused, asked] = [new Set(running), new Set<string>(), [] as string[]];
  const answer = (status: number, body = ""): HttpResponse => ({ status, body });
  const answerTo = (name: string, what: string): HttpResponse => {
    if (needs[name] === undefined) return answer(404, "No such container");
    if (what === "pause") {
      if (paused.has(name)) return answer(409);
      if (!runs.has(name)) return answer(409, `Container ${name} is not running`);
      paused.add(name);
      return answer(204);
    }
    if (paused.has(name)) return answer(409);
    if (runs.has(name)) return answer(304);
    const missing = needs[name].find((other) => !runs.has(other));
    if (missing !== undefined) return answer(409, `cannot join network of a non running container: ${missing}`);
    runs.add(name);
    return answer(204);
  };
  const send = async ({ path }: HttpRequest): Promise<HttpResponse> => {
    const [, , name = "", what = ""] = path.replace(/\?.*/, "").split("/");
    if (what === "json") return answer(200, JSON.stringify({ State: { Paused: paused.has(name) } }));
    asked.push(`${what} ${name}`);
    const rejection = needs[name]?.some((other) => !runs.has(other));
    if (rejection) return answerTo(name, what);
    await new Promise((resolve) => setTimeout(resolve, slow[name] ?? 0));
    return answerTo(name, what);
  };
  return { send, runs, paused, asked };
}

const named = (...names: string[]) => names.map((name) => ({ id: name, name }));

test("containers that need others start after these, in whatever order they are given", async () => {
  const needs = { a: [], b: ["a"], c: ["b"], d: ["c", "a"] };
  for (const order of ["abcd", "dcba", "cadb"]) {
    const { send, runs } = docker(needs, [], { a: 20, b: 5 });
    await startContainers(named(...order), 5, send);
    assert.equal([...runs], ["a", "b", "c", "d"], order);
  }
});

test("one that another one's start does not help is named with Docker's reason, and is not asked for ever", async () => {
  const { send, runs, asked } = docker({ a: [], b: ["gone"], c: ["b"] });
  const message = await userErrorLater(() => startContainers(named("c", "b", "a"), 5, send));
  assert.is(
    message,
    "Docker: must start each stopped container again (found " +
      "c: the answer 409: cannot join network of a non running container: b; " +
      "b: the answer 409: cannot join network of a non running container: gone). Start them (docker start).",
  );
  assert.equal([...runs], ["a"]);
  assert.equal(asked.length, 5);
});

test("one that does not answer keeps none of the others from being started", async () => {
  const { send, runs } = docker({ a: [], b: ["a"], hung: [] });
  const silent = (request: HttpRequest, seconds = 10): Promise<HttpResponse> =>
    request.path.includes("hung")
      ? new Promise((_, reject) => setTimeout(() => reject(new NoAnswer("POST /", "no answer")), seconds * 1000))
      : send(request);
  assert.match(
    await userErrorLater(() => startContainers(named("hung", "b", "a"), 0.2, silent)),
    "(found hung: no answer)",
  );
  assert.equal([...runs], ["a", "b"]);
});

test("one that was paused is paused again, whether or not it had stopped", async () => {
  const { send, paused, runs } = docker({ a: [], b: [], c: [] }, ["b"]);
  const containers = named("a", "b", "c").map((container) => ({ ...container, paused: container.name !== "c" }));
  await startContainers(containers, 5, send);
  await startContainers(containers, 5, send);
  assert.equal(
    [[...paused].sort(), [...runs].sort()],
    [
      ["a", "b"],
      ["a", "b", "c"],
    ],
  );
});

test("one that was removed is not missed, and one that does not stop is named", async () => {
  const { send } = docker({});
  await startContainers(named("gone"), 5, send);
  await stopContainers(named("gone"), 5, send);
  const broken = async (): Promise<HttpResponse> => ({ status: 500, body: "can't kill\n" });
  assert.is(
    await userErrorLater(() => stopContainers(named("a"), 5, broken)),
    "Docker: must stop each container within 5 s (found a: the answer 500: can't kill). See docker ps; Docker may still stop them.",
  );
});

test("a paused one that does not stop is named, too", async () => {
  const broken = async ({ path }: HttpRequest): Promise<HttpResponse> =>
    path.endsWith("/json")
      ? { status: 200, body: JSON.stringify({ State: { Paused: true } }) }
      : { status: 500, body: "can't kill" };
  assert.match(
    await userErrorLater(() => stopContainers(named("a"), 5, broken)),
    "(found a: the answer 500: can't kill)",
  );
});

test.run();
