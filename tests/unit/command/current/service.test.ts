import { test } from "uvu";
import * as assert from "uvu/assert";
import { currentService } from "../../../../modules/command/current/service";
import { COMPONENTS, EXPOSE } from "../../../../modules/weave_service/components";
import { INIT_SYSTEMS } from "../../../../modules/weave_service/init/detect";
import type { ObservedService } from "../../../../modules/weave_service/observed";
import { options, type ServiceOptions } from "../../../../modules/weave_service/options";
import { plan } from "../../../../modules/weave_service/plan";
import { scriptOfVersion } from "../../../../modules/weave_service/script";
import { fakeHost } from "../../support/fake_host/fake_host";
import { optionsOf } from "../../support/options";
import { userErrorOf } from "../../support/user_error";
import { FRESH, serviceOptions, steady } from "../../weave_service/fixtures";

const optionsOfGiven = (typed: ServiceOptions, given: Record<string, unknown>): Partial<ServiceOptions> =>
  Object.fromEntries(Object.entries(typed).filter(([name]) => name in given));

/** The options that a run with just `given` gets on a host with these files. */
function completed({ environment, unit, exposeUnit, init }: ObservedService, given: Record<string, unknown> = {}) {
  const typed = optionsOf(options, given);
  const path = (component: (typeof COMPONENTS)["router"]): string => INIT_SYSTEMS[init].pathOf(component);
  const component = COMPONENTS[typed.component];
  const files = [
    [component.environmentPath, environment],
    [path(component), unit.file],
    [path(EXPOSE), exposeUnit?.file],
  ].filter(([, file]) => file);
  const host = fakeHost({ files: Object.fromEntries(files), kernel: { "/proc/1/comm": "systemd" } });
  const present = currentService(typed, new Set(Object.keys(given)), host);
  return { ...typed, ...present, ...optionsOfGiven(typed, given) };
}

test("the router is rejected if there is a VXLAN, with which it would make a loop; its removal is not", () => {
  const host = fakeHost({ kernel: { "/proc/1/comm": "systemd", "/sys/class/net/weave-vx/mtu": "1450" } });
  const call = (given: Record<string, unknown>): unknown => currentService(optionsOf(options, given), new Set(), host);
  assert.match(
    userErrorOf(() => call({})),
    /^component: the router must not run next to a VXLAN, .* \(found weave-vx on this host\)\. The VXLAN needs no router; /,
  );
  assert.equal(call({ state: "absent" }), {});
  assert.equal(call({ component: "scope" }), {});
});

const CASES: Readonly<Record<string, Record<string, unknown>>> = {
  "the peers alone": {},
  "all that the mode bridge takes": {
    ...{ args: ["--ipalloc-range=10.2.0.0/16", "--log-level=debug"], password: 'h\u00fc "n\\ter', bridge: "other" },
    mtu: 1400,
    ...{ env: { WEAVE_DEBUG: "a b", WEAVE_DOCKER_ARGS: "-e A=b" }, iptables_backend: "nft", script: "/opt/weave" },
  },
  "the mode proxy": { mode: "proxy", dns: true, expose: true, env: { WEAVE_NO_FASTDP: "1" } },
  "the mode plugin": { mode: "plugin", password: "hunter2" },
  "variables of the API's version": { env: { DOCKER_API_VERSION: "1.24", CHECKPOINT_DISABLE: "" } },
  "Weave Scope": { component: "scope", args: ["--probe.docker=true"] },
};

for (const [name, given] of Object.entries(CASES)) {
  for (const oldestDockerApi of ["1.12", "1.44"]) {
    test(`a run without options changes nothing after one with ${name}, Docker's oldest API being ${oldestDockerApi}`, () => {
      const applied = serviceOptions(given);
      const running = steady(applied, { ...FRESH, oldestDockerApi });
      const host = given["component"] === undefined ? running : { ...running, container: null };
      const again = completed(host, given["component"] === undefined ? {} : { component: given["component"] });
      assert.equal(plan(again as ServiceOptions, host).changes, plan(applied, host).changes);
      assert.equal(again.peers, applied.peers);
      assert.equal(again.password, applied.password);
      assert.equal(again.args, applied.args);
    });
  }
}

test("with a script of Weave 1.x a run without options changes nothing", () => {
  const applied = serviceOptions({ mode: "proxy", dns: true });
  const host = steady(applied, { ...FRESH, script: scriptOfVersion("1.9.7") });
  assert.equal(plan(completed(host) as ServiceOptions, host).changes, plan(applied, host).changes);
});

test("an option that is given counts, and the others stay", () => {
  const host = steady(serviceOptions({ password: "hunter2" }));
  const { peers, password } = completed(host, { peers: ["192.168.50.99"] });
  assert.equal([peers, password], [["192.168.50.99"], "hunter2"]);
});

test("of a file that something else wrote, peers and password stay", () => {
  const environment = { content: 'WEAVE_PEERS="192.168.50.12"\nWEAVE_PASSWORD=hunter2\nFOO=1\n', mode: 0o600 };
  const { peers, password, env } = completed({ ...FRESH, environment });
  assert.equal([peers, password, env], [["192.168.50.12"], "hunter2", {}]);
});

test("on a fresh host, and for an end, nothing is known", () => {
  assert.equal(completed(FRESH), optionsOf(options, {}));
  assert.equal(completed(steady(), { state: "stopped" }), optionsOf(options, { state: "stopped" }));
});

test.run();
