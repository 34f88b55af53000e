import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  dockerPid,
  hasLiveRestore,
  isDockerInstalled,
  oldestApiOfInstalled,
  oldestApiVersion,
} from "../../../modules/core/docker";
import { inspectContainer, listContainers } from "../../../modules/core/docker_containers";
import { NoAnswer } from "../../../modules/core/errors";
import type { Host } from "../../../modules/core/host/host";
import { programsOf } from "../../../modules/core/programs";
import { fakeHost } from "../support/fake_host/fake_host";
import { userErrorLater } from "../support/user_error";

const INSPECTED = {
  Args: ["--port", "6783"],
  State: { Running: true, Status: "running" },
  Config: { Image: "weaveworks/weave:2.8.1", Env: ["WEAVE_PASSWORD=a=b", "EMPTY="] },
  HostConfig: { RestartPolicy: { Name: "always", MaximumRetryCount: 0 } },
};
const INSPECT = "/containers/weave/json";

const answering = (path: string, body: string, status = 200): Host =>
  fakeHost({
    services: { [`GET /var/run/docker.sock${path}`]: { status, body, server: "Docker/20.10.24 (linux)" } },
  });

const silent = fakeHost({}).with({
  request: () => {
    throw new NoAnswer("GET /var/run/docker.sock", "no answer within 10 s");
  },
});

test("a daemon runs if its pid file names a Docker process", () => {
  const host = (comm: string): Host =>
    fakeHost({ kernel: { "/var/run/docker.pid": "77", "/proc/77/comm": comm, "/proc/78/comm": "dockerd" } });
  assert.is(dockerPid(host("dockerd")), 77);
  assert.is(dockerPid(host("docker")), 77, "the program's name up to Docker 1.11");
  assert.is(dockerPid(host("node")), null, "the pid file is a dead daemon's, its id another process's");
  assert.is(dockerPid(host("docker-proxy")), null, "another program of Docker's has its id");
  assert.is(dockerPid(fakeHost({})), null);
});

test("a daemon with another pid file is found by systemd", () => {
  const host = (pid: number, comm: string): Host =>
    fakeHost({
      names: { "/run/systemd": ["system"] },
      kernel: { "/proc/78/comm": comm },
      programs: { "systemctl show docker.service -p MainPID": `MainPID=${pid}\n` },
    });
  assert.is(dockerPid(host(78, "dockerd")), 78);
  assert.is(dockerPid(host(78, "sh")), null);
  assert.is(dockerPid(host(0, "dockerd")), null);
});

test("without systemd, it is found among the processes that are in no container", () => {
  const host = (processes: Readonly<Record<string, readonly [comm: string, line: string, namespace: string]>>): Host =>
    fakeHost({
      names: { "/proc": ["1", ...Object.keys(processes), "self", "uptime"] },
      kernel: Object.fromEntries(
        Object.entries(processes).flatMap(([pid, [comm, line]]) => [
          [`/proc/${pid}/comm`, comm],
          [`/proc/${pid}/cmdline`, line.replaceAll(" ", "\0")],
        ]),
      ),
      links: {
        "/proc/self/ns/pid": "pid:[1]",
        "/proc/self/ns/user": "user:[1]",
        ...Object.fromEntries(
          Object.entries(processes).flatMap(([pid, [, , namespace]]) => [
            [`/proc/${pid}/ns/pid`, namespace],
            [`/proc/${pid}/ns/user`, "user:[1]"],
          ]),
        ),
      },
    });
  const client = ["docker", "docker run -it busybox", "pid:[1]"] as const;
  const inside = ["dockerd", "dockerd -H tcp://0.0.0.0", "pid:[9]"] as const;
  assert.is(dockerPid(host({ 5: client, 6: inside, 7: ["dockerd", "/usr/bin/dockerd -p /run/d2.pid", "pid:[1]"] })), 7);
  assert.is(dockerPid(host({ 5: client, 8: ["docker", "/usr/bin/docker -d -p /run/d2.pid", "pid:[1]"] })), 8);
  assert.is(dockerPid(host({ 5: client, 6: inside })), null);
});

test("a container is read as Docker reports it", async () => {
  assert.equal(await inspectContainer("weave", answering(INSPECT, JSON.stringify(INSPECTED))), {
    running: true,
    image: "weaveworks/weave:2.8.1",
    restartPolicy: "always",
    args: ["--port", "6783"],
    environment: ["WEAVE_PASSWORD=a=b", "EMPTY="],
    address: null,
  });
});

test("a container's own address is that of the default network, or since API 1.52 of any", async () => {
  for (const [settings, address] of [
    [{ IPAddress: "10.2.1.3", Networks: null }, "10.2.1.3"],
    [{ IPAddress: "", Networks: { host: { IPAddress: "" } } }, null],
    [{ Networks: { bridge: { IPAddress: "10.2.1.4" }, other: null } }, "10.2.1.4"],
    [null, null],
  ] as const) {
    const body = JSON.stringify({ ...INSPECTED, NetworkSettings: settings });
    assert.is((await inspectContainer("weave", answering(INSPECT, body)))?.address, address);
  }
});

test("lists that are null are empty, and a policy without a name is none", async () => {
  const container = await inspectContainer(
    "weave",
    answering(
      INSPECT,
      '{"Args":null,"State":{"Running":false},"Config":{"Image":"x","Env":null},"HostConfig":{"RestartPolicy":{"Name":""}}}',
    ),
  );
  assert.equal([container?.args, container?.environment, container?.restartPolicy], [[], [], "no"]);
});

test("a missing container is not an error, another answer from Docker is", async () => {
  assert.is(await inspectContainer("weave", answering(INSPECT, '{"message":"No such container"}', 404)), null);
  assert.match(
    await userErrorLater(() => inspectContainer("weave", fakeHost({}))),
    /^Docker: must listen on \/var\/run\/docker\.sock \(found that Docker runs, and nothing listens there\)\. /,
  );
  assert.is(
    await userErrorLater(() => inspectContainer("weave", answering(INSPECT, "broken\n", 500))),
    "Docker: must report the container weave (found the answer 500: broken). See why (journalctl -u docker), and run again.",
  );
});

test("an unexpected answer is an error that names the request, without secrets", async () => {
  const { Args, Config, State } = INSPECTED;
  for (const body of [
    "<html>",
    "[]",
    "null",
    '"a"',
    JSON.stringify({ Args, Config, State: { ...State, Running: 1 } }),
  ]) {
    const message = await userErrorLater(() => inspectContainer("weave", answering(INSPECT, body)));
    assert.is(
      message,
      `Docker: must answer GET /var/run/docker.sock/containers/weave/json as its API does (found ${body.length} characters of ` +
        "another form). Check what listens there (docker version).",
    );
    assert.not.match(message, "WEAVE_PASSWORD");
  }
  for (const [path, ask, body] of [
    ["/containers/json", listContainers, '[{"Id":7}]'],
    ["/info", hasLiveRestore, "nonsense"],
    ["/version", oldestApiVersion, '{"MinAPIVersion":1.12}'],
  ] as const) {
    assert.match(
      await userErrorLater(async () => ask(answering(path, body))),
      `Docker: must answer GET /var/run/docker.sock${path} as its API does (found ${body.length} characters of another form)`,
    );
  }
});

test("a daemon that does not answer in time is an error if its answer is needed, and unknown otherwise", async () => {
  assert.is(
    await userErrorLater(() => inspectContainer("weave", silent)),
    "GET /var/run/docker.sock: must be answered (found no answer within 10 s). See why Docker does not answer (systemctl status " +
      "docker), or restart it.",
  );
  assert.match(await userErrorLater(() => oldestApiVersion(silent)), "no answer within 10 s");
  assert.is(await listContainers(silent), null);
  assert.is(await hasLiveRestore(silent), false);
});

// docker/cli prints "Docker version VERSION, build COMMIT".
const VERSIONS: readonly (readonly [version: string, oldest: string])[] = [
  ["1.6.2", "1.12"],
  ["20.10.24+dfsg1", "1.12"],
  ["24.0.9", "1.12"],
  ["25.0.0", "1.24"],
  ["28.5.2+dfsg3", "1.24"],
  ["29.0.0", "1.44"],
  ["29.2.1", "1.44"],
  ["29.3.0", "1.40"],
  ["v30.1.0-rc.1", "1.40"],
];

/** A host whose dockerd prints this as its version. */
function printing(version: string): Host {
  return fakeHost({ names: { "/usr/sbin": ["dockerd"] }, programs: { "dockerd --version": version } });
}

test("the oldest API that a stopped daemon would accept is that of its version", () => {
  for (const [version, oldest] of VERSIONS)
    assert.is(oldestApiOfInstalled(printing(`Docker version ${version}, build 297e128\n`)), oldest);
  assert.is(oldestApiOfInstalled(printing("dockerd: not today\n")), null);
  const host = (directory: string): Host =>
    fakeHost({
      names: { [directory]: ["dockerd"] },
      programs: { "dockerd --version": "Docker version 29.1.3, build f52814d\n" },
    });
  assert.is(oldestApiOfInstalled(host("/usr/bin")), "1.44");
  assert.is(oldestApiOfInstalled(host("/usr/sbin")), "1.44");
  const client = fakeHost({ names: { "/usr/bin": ["docker"] } });
  assert.is(oldestApiOfInstalled(client), null, "the client alone");
});

test("a daemon is installed if there is dockerd, or a client of the time when both were one program", () => {
  const installed = (...names: string[]): boolean => {
    const host = fakeHost({ names: { "/usr/bin": names } });
    return isDockerInstalled(programsOf(host), host);
  };
  assert.equal([installed("dockerd", "docker"), installed("dockerd"), installed()], [true, true, false]);
  const client = (version: string): boolean => {
    const programs = { "docker --version": `Docker version ${version}, build 297e128\n` };
    const host = fakeHost({ names: { "/usr/bin": ["docker"] }, programs });
    return isDockerInstalled(programsOf(host), host);
  };
  for (const version of ["0.9.1", "1.6.2", "1.11.2"]) assert.ok(client(version), version);
  for (const version of ["1.12.0", "1.13.1", "17.05.0-ce", "20.10.24+dfsg1", "26.1.5+dfsg1", "28.5.2+dfsg3"])
    assert.not(client(version), version);
});

test("the oldest API that a daemon accepts is what it reports, or unknown", async () => {
  assert.is(await oldestApiVersion(answering("/version", '{"ApiVersion":"1.52","MinAPIVersion":"1.44"}')), "1.44");
  assert.is(await oldestApiVersion(answering("/version", '{"ApiVersion":"1.18"}')), null);
  assert.is(await oldestApiVersion(fakeHost({})), null);
});

test.run();
