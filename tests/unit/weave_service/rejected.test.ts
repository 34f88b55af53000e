import { test } from "uvu";
import * as assert from "uvu/assert";
import type { ObservedService } from "../../../modules/weave_service/observed";
import { plan } from "../../../modules/weave_service/plan";
import { scriptOfVersion } from "../../../modules/weave_service/script";
import { subjects } from "../support/changes";
import { userErrorOf } from "../support/user_error";
import { CONTAINER, down, ENABLED, FRESH, serviceOptions } from "./fixtures";

test("without Docker running, a container is not said to be removed; one that is only stopped is warned about", () => {
  const unseen = { ...down("stopped"), docker: "stopped" as const };
  assert.is(
    userErrorOf(() => plan(serviceOptions({ state: "absent" }), unseen)),
    "Docker: must run to show the container weave (found it stopped). Start it (systemctl start docker) and run again.",
  );
  const { warnings, changes } = plan(serviceOptions({ state: "stopped" }), unseen);
  assert.equal(subjects(changes), [ENABLED]);
  assert.match(String(warnings), "so that container may have a restart policy. Run again when Docker runs.");
  for (const docker of ["running", "not installed"] as const) {
    assert.ok(plan(serviceOptions({ state: "absent" }), { ...unseen, docker }).changes.length > 0);
    assert.equal(plan(serviceOptions({ state: "stopped" }), { ...unseen, docker }).warnings, []);
  }
  assert.equal(plan(serviceOptions(), unseen).warnings, []);
});

test("a WEAVE_HTTP_ADDR that is not honoured is rejected", () => {
  const rejected = (value: string, version = "2.8.1"): string =>
    userErrorOf(() =>
      plan(serviceOptions({ env: { WEAVE_HTTP_ADDR: value } }), { ...FRESH, script: scriptOfVersion(version) }),
    );
  for (const value of ["", ":6784", "6784", "localhost:6784", "/var/run/weave.sock", "127.0.0.1:99999"]) {
    assert.is(
      rejected(value),
      `env: WEAVE_HTTP_ADDR must be an IPv4 address and a port (found "${value}"). Write it as 127.0.0.1:6784.`,
    );
  }
  for (const version of ["1.0.3", "1.2.1", "1.4.6"]) {
    assert.match(
      rejected("127.0.0.1:7000", version),
      `needs the weave script 1.5 or newer on this host (found ${version}).`,
    );
  }
});

test("a container of the same name and another image is rejected, and not changed", () => {
  const having = (image: string): ObservedService => ({ ...FRESH, container: { ...CONTAINER, image } });
  for (const image of ["nginx", "nginx:1.27", "example.com:5000/weave/web", "weaveworks/weavedb:latest"]) {
    for (const state of ["started", "stopped", "absent"]) {
      assert.match(
        userErrorOf(() => plan(serviceOptions({ state }), having(image))),
        `component: the container weave must have the image weave (found ${image}). Rename or remove`,
      );
    }
  }
  for (const image of [
    "weave",
    "example.com:5000/rajchaudhuri/weave:2.9.0",
    "weaveworks/weave@sha256:0a",
    "sha256:0a1b",
  ]) {
    assert.ok(plan(serviceOptions({ state: "absent" }), having(image)).changes.length > 0, image);
  }
});

test("arguments that contradict other options are rejected", () => {
  const rejected = (options: Record<string, unknown>): string =>
    userErrorOf(() => plan(serviceOptions(options), FRESH));
  assert.match(
    rejected({ args: ["--name=0e:00:00:00:00:01"] }),
    /^args: must not have --name with mode: bridge, .* \(found --name=.*\)\. Remove it, and set the bridge's mac\.$/,
  );
  assert.match(rejected({ args: ["--no-dns"], dns: true }), /^args: must not have --no-dns with dns /);
  assert.match(
    rejected({ dns: true }),
    /^dns: must be off with mode: bridge, .* Remove dns, or set mode: proxy or plugin\.$/,
  );
  assert.match(rejected({ env: { WEAVE_NO_FASTDP: "1" } }), /^env: must not have WEAVE_NO_FASTDP with mode: bridge/);
});

test("a component that the script's version can't run is rejected", () => {
  assert.match(
    userErrorOf(() => plan(serviceOptions({ component: "proxy" }), FRESH)),
    /^component: the proxy runs within the router since Weave 2\.0 /,
  );
  assert.match(
    userErrorOf(() => plan(serviceOptions({ component: "plugin" }), { ...FRESH, script: scriptOfVersion("1.0.3") })),
    /^component: the plugin needs the weave script 1\.4 or newer /,
  );
  assert.match(
    userErrorOf(() =>
      plan(serviceOptions({ dns: true, mode: "proxy" }), { ...FRESH, script: scriptOfVersion("1.0.3") }),
    ),
    /^dns: /,
  );
});

test.run();
