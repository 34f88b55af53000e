import { test } from "uvu";
import * as assert from "uvu/assert";
import { environmentValue } from "../../../modules/formats/environment_file";
import {
  inOrder,
  RESTART_VARIABLES,
  renderRouterEnvironment,
  routerEnvironment,
  withoutPassword,
} from "../../../modules/weave_service/environment";
import { matchesGolden } from "../support/golden";
import { asked, golden, SCRIPT } from "./hosts";

const SECRET = "correct horse";

test("the router's environment is the file beside this test", () => {
  matchesGolden(renderRouterEnvironment(asked(), SCRIPT), golden("weave.env"));
});

test("the environment has what the script reads, and the password only where there is one", () => {
  const environment = routerEnvironment(asked({ args: ["--no-dns", "--ipalloc-range=10.32.0.0/12"] }), SCRIPT);
  assert.equal(Object.fromEntries(environment), {
    WEAVE_PEERS: "192.168.50.12 192.168.50.13",
    WEAVE_ARGS: "--no-restart --no-dns --ipalloc-range=10.32.0.0/12",
    WEAVE_NO_FASTDP: "1",
    DOCKER_BRIDGE: "weave",
    WEAVE_MTU: "1500",
    CHECKPOINT_DISABLE: "1",
  });
  assert.is(routerEnvironment(asked({ password: SECRET }), SCRIPT).get("WEAVE_PASSWORD"), SECRET);
});

test("a script that does not know of --no-restart is not told", () => {
  assert.is(routerEnvironment(asked({ args: ["--no-dns"] }), "#!/bin/sh\n").get("WEAVE_ARGS"), "--no-dns");
});

test("bridge and MTU are what is asked", () => {
  const environment = routerEnvironment(asked({ bridge: "br0", mtu: 1400 }), SCRIPT);
  assert.equal([environment.get("DOCKER_BRIDGE"), environment.get("WEAVE_MTU")], ["br0", "1400"]);
});

test("every variable but the peers, which are told live, is one of those that need a restart", () => {
  const names = [...routerEnvironment(asked({ password: SECRET }), SCRIPT).keys()];
  assert.equal([...RESTART_VARIABLES, "WEAVE_PEERS"].sort(), names.sort());
});

test("peers come once each, in an order of their own", () => {
  assert.equal(inOrder(["host2", "192.168.50.9", "host2", "192.168.50.12"]), [
    "192.168.50.12",
    "192.168.50.9",
    "host2",
  ]);
  const one = renderRouterEnvironment(asked({ peers: ["a", "b"] }), SCRIPT);
  assert.is(renderRouterEnvironment(asked({ peers: ["b", "a", "b"] }), SCRIPT), one);
});

test("a password with all that is special in the file reads back", () => {
  const password = `a "b" \\ $HOME \`id\` 'c' #;`;
  const content = renderRouterEnvironment(asked({ password }), SCRIPT);
  assert.is(environmentValue(content, "WEAVE_PASSWORD"), password);
});

test("a password that is not ASCII is written as UTF-8, one character of the content a byte", () => {
  for (const password of ["Geheimnis für alle", "пароль 日本", "🔑 key"]) {
    const content = renderRouterEnvironment(asked({ password }), SCRIPT);
    assert.match(Buffer.from(content, "latin1").toString("utf8"), `WEAVE_PASSWORD="${password}"`);
  }
});

const shown = (content: string, wanted = ""): string => withoutPassword(content, wanted);

test("what is shown of the file tells whether the password is the wanted one, and not the password", () => {
  const wanted = renderRouterEnvironment(asked({ password: SECRET }), SCRIPT);
  const other = renderRouterEnvironment(asked({ password: "battery staple" }), SCRIPT);
  assert.match(shown(wanted, wanted), "WEAVE_PASSWORD=(the wanted one, not shown)\n");
  assert.match(shown(other, wanted), "WEAVE_PASSWORD=(another one, not shown)\n");
  assert.is.not(shown(other, wanted), shown(wanted, wanted));
  for (const text of [shown(wanted, wanted), shown(other, wanted)]) assert.not.match(text, /horse|staple/);
});

test("a file without a password is shown whole", () => {
  const content = renderRouterEnvironment(asked(), SCRIPT);
  assert.is(shown(content, content), content);
});

test("a password in a file that another wrote is not shown, however it is written", () => {
  const files = [
    "WEAVE_PASSWORD=hunter2\n",
    "WEAVE_PASSWORD='hunter2'",
    "  WEAVE_PASSWORD=hunter2\n",
    "WEAVE_PASSWORD =hunter2\n",
    "export WEAVE_PASSWORD=hunter2\n",
    "#WEAVE_PASSWORD=hunter2\n",
    "WEAVE_PASSWORD=old\nWEAVE_PASSWORD=hunter2\n",
    "WEAVE_PASSWORD=a\\\nhunter2\n",
    'WEAVE_PASSWORD="a\nhunter2"\n',
    "WEAVE_PASSWORD=a\rhunter2\n",
    "WEAVE_ARGS=--password=hunter2\n",
    'WEAVE_ARGS="--no-dns --password hunter2"\n',
  ];
  const leaks = files.filter((content) => shown(`WEAVE_PEERS=a\n${content}`).includes("hunter2"));
  assert.equal(leaks, []);
});

test("a password with a line separator in it is not shown in part", () => {
  for (const separator of ["\u2028", "\u2029"]) {
    const content = renderRouterEnvironment(asked({ password: `first${separator}hunter2` }), SCRIPT);
    assert.not.match(shown(content, content), "hunter2");
  }
});

test.run();
