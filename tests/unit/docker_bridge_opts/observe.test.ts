import { test } from "uvu";
import * as assert from "uvu/assert";
import { observe } from "../../../modules/docker_bridge_opts/observe";
import { type Contents, memoryHost } from "../support/memory_host";
import { refusalOf } from "../support/refusal";
import { APOLLO, asked, DEFAULT_FILE, FRESH, PATH, usual } from "./hosts";

const SHOW = "systemctl show docker.service -p LoadState,ExecStart,EnvironmentFiles,MainPID";

const EXEC_START =
  "{ path=/usr/sbin/dockerd ; argv[]=/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock $DOCKER_OPTS ; " +
  "ignore_errors=no ; start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }";

const show = (changes: Record<string, string> = {}): string =>
  Object.entries({
    LoadState: "loaded",
    ExecStart: EXEC_START,
    EnvironmentFiles: `${PATH} (ignore_errors=yes)`,
    MainPID: "812",
    ...changes,
  })
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");

const ADDRESSES = String.raw`3: eth0    inet 192.168.50.11/24 scope global eth0\       valid_lft forever preferred_lft forever
4: weave    inet 10.2.0.1/16 brd 10.2.255.255 scope global weave\       valid_lft forever preferred_lft forever
`;

function host(changes: Record<string, string> = {}, more: Partial<Contents> = {}) {
  return memoryHost({
    files: { [PATH]: DEFAULT_FILE },
    kernel: { "/proc/812/cmdline": "/usr/sbin/dockerd\0-H\0fd://\0" },
    programs: { [SHOW]: show(changes), "ip -o -4 addr show": ADDRESSES },
    ...more,
  });
}

test("a host with Debian's docker.io is seen as it is", () => {
  assert.equal(observe(usual(), host()), FRESH);
});

test("the running daemon's options are those on its command line", () => {
  const kernel = {
    "/proc/812/cmdline": "/usr/sbin/dockerd\0-H\0fd://\0--bridge=weave\0--dns\x008.8.8.8\0--label=a b\0",
  };
  assert.equal(Object.fromEntries(observe(usual(), host({}, { kernel })).running ?? []), {
    host: ["fd://"],
    bridge: ["weave"],
    dns: ["8.8.8.8"],
    label: ["a b"],
  });
});

test("a daemon that does not run, or has just ended, has no options", () => {
  assert.is(observe(usual(), host({ MainPID: "0" })).running, null);
  assert.is(observe(usual(), host({}, { kernel: {} })).running, null);
});

test("the file is the one that the unit names", () => {
  const files = { "/etc/sysconfig/docker": "DOCKER_OPTS=\n" };
  const seen = observe(usual(), host({ EnvironmentFiles: "/etc/sysconfig/docker (ignore_errors=no)" }, { files }));
  assert.is(seen.environmentFile, "/etc/sysconfig/docker");
  assert.is(seen.file?.content, "DOCKER_OPTS=\n");
});

test("the bridge's address is looked at where it is not told", () => {
  assert.equal(observe(asked({ bridge: "weave" }), host()).bridgeAddresses, ["10.2.0.1/16"]);
  assert.equal(observe(asked({ bridge: "other" }), host()).bridgeAddresses, []);
  assert.equal(observe(asked({ bridge: "weave", bridge_address: "10.2.0.1/16" }), host()).bridgeAddresses, []);
  assert.equal(observe(asked({ mtu: 1450 }), host()).bridgeAddresses, []);
});

test("the bridge's address is looked at for Apollo's opts too, which name the bridge themselves", () => {
  assert.equal(observe(asked({ opts: APOLLO }), host()).bridgeAddresses, ["10.2.0.1/16"]);
});

test("a host without Docker is refused with what to install", () => {
  const message = refusalOf(() =>
    observe(usual(), host({ LoadState: "not-found", ExecStart: "", EnvironmentFiles: "", MainPID: "0" })),
  );
  assert.match(message, "Docker's unit docker.service is not-found here; install Docker first");
});

test("a unit that does not read DOCKER_OPTS, as docker-ce's, is refused with the drop-in that it needs", () => {
  const plain = EXEC_START.replace(" $DOCKER_OPTS", "");
  for (const changes of [{ ExecStart: plain }, { EnvironmentFiles: "" }, { ExecStart: plain, EnvironmentFiles: "" }]) {
    const message = refusalOf(() => observe(usual(), host(changes)));
    assert.match(message, "docker.service does not read DOCKER_OPTS from a file");
    assert.match(message, "EnvironmentFile=-/etc/default/docker and $DOCKER_OPTS behind dockerd");
  }
});

test("a variable whose name only begins with DOCKER_OPTS is another", () => {
  const ExecStart = EXEC_START.replace("$DOCKER_OPTS", "$DOCKER_OPTS_EXTRA");
  assert.match(
    refusalOf(() => observe(usual(), host({ ExecStart }))),
    "does not read DOCKER_OPTS",
  );
});

test.run();
