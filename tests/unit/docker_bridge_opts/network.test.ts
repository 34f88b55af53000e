import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Action } from "../../../modules/core/change";
import type { ObservedDocker, ObservedNetwork, RunningDaemon } from "../../../modules/docker_bridge_opts/observed";
import { plan } from "../../../modules/docker_bridge_opts/plan";
import { inWords, subjects } from "../support/changes";
import { userErrorOf } from "../support/user_error";
import { asked, FRESH, runningWith, STEADY, savedOf, USUAL_LINE } from "./fixtures";

const MINE = { network: "weave", bridge: "weave", fixed_cidr: "10.2.1.0/24", mtu: 1450 };
const DEFAULT: ObservedNetwork = {
  id: "37c6",
  name: "bridge",
  driver: "bridge",
  internal: false,
  options: { "com.docker.network.bridge.name": "docker0" },
  pools: [{ subnet: "172.17.0.0/16", range: "", gateway: "" }],
  members: null,
};
const WEAVE: ObservedNetwork = {
  id: "530b",
  name: "weave",
  driver: "bridge",
  internal: false,
  options: { "com.docker.network.bridge.name": "weave", "com.docker.network.driver.mtu": "1450" },
  pools: [{ subnet: "10.2.0.0/16", range: "10.2.1.0/24", gateway: "10.2.0.1" }],
  members: [],
};
const DRIFTED: ObservedNetwork = {
  ...WEAVE,
  options: { ...WEAVE.options, "com.docker.network.driver.mtu": "1500" },
};
const APP: ObservedNetwork = {
  ...WEAVE,
  id: "app",
  name: "app",
  options: {},
  pools: [{ subnet: "172.18.0.0/16", range: "", gateway: "172.18.0.1" }],
};
const LINES = "bridge weave\nsubnet 10.2.0.0/16\naddresses of containers 10.2.1.0/24\ngateway 10.2.0.1\nmtu 1450\n";
const RECORD = "/var/lib/apollo-weave/docker-network";
const AFTER_RESTART = { pending: "a restart of Docker", steps: [] };

const daemonWith = (...networks: ObservedNetwork[]): RunningDaemon => ({
  ...runningWith(""),
  defaultNetwork: new Map([["bridge", ["docker0"]]]),
  networks: [DEFAULT, ...networks],
});
const RECORDED = {
  networkRecord: { content: `# Docker network created by docker_bridge_opts.\nname weave\n${LINES}`, mode: 0o600 },
};
const withNetworks = (...networks: ObservedNetwork[]): ObservedDocker => ({
  ...FRESH,
  daemon: daemonWith(...networks),
});
/** The default network is on the bridge, as Apollo had it. */
const APOLLOS: ObservedDocker = {
  ...STEADY,
  daemon: {
    ...runningWith(USUAL_LINE),
    defaultNetwork: new Map([
      ["bridge", ["weave"]],
      ["fixed-cidr", ["10.2.1.0/24"]],
      ["mtu", ["1450"]],
    ]),
    networks: [{ ...WEAVE, id: "37c6", name: "bridge" }],
  },
};
const rejection = (options: object, observed: ObservedDocker): string =>
  userErrorOf(() => plan(asked({ ...MINE, ...options }), observed));

test("on a fresh host only the network is created, after the bridge is seen, and nothing has to restart", () => {
  const { changes, returns } = plan(asked(MINE), withNetworks(APP));
  const [made, ...others] = inWords(changes);
  assert.equal([others, made?.subject, made?.before, made?.after], [[], "Docker network weave", "", LINES]);
  assert.match(made?.steps[0] ?? "", /^ip link show dev weave/);
  const body = JSON.parse((made?.steps[1] ?? "").replace("POST /networks/create ", ""));
  assert.equal(body, {
    Name: "weave",
    CheckDuplicate: true,
    Driver: "bridge",
    IPAM: {
      Driver: "default",
      Config: [
        {
          Subnet: "10.2.0.0/16",
          IPRange: "10.2.1.0/24",
          Gateway: "10.2.0.1",
          AuxiliaryAddresses: { "apollo-weave": "10.2.1.0" },
        },
      ],
    },
    Options: {
      "com.docker.network.bridge.name": "weave",
      "com.docker.network.bridge.enable_icc": "true",
      "com.docker.network.driver.mtu": "1450",
    },
  });
  assert.equal([returns["network"], returns["restart_required"], returns["docker_opts"]], ["weave", false, ""]);
});

test("only an address that is the subnet's own or the bridge's is not reserved", () => {
  const reserved = (options: object): unknown => {
    const [change] = plan(asked({ ...MINE, ...options }), withNetworks()).changes;
    const request = change?.actions.find((action): action is Action & { do: "request" } => action.do === "request");
    return JSON.parse(request?.request.body ?? "").IPAM.Config[0].AuxiliaryAddresses?.["apollo-weave"];
  };
  assert.is(reserved({ fixed_cidr: "10.2.1.64/26" }), "10.2.1.64");
  assert.is(reserved({ fixed_cidr: "10.2.0.0/24" }), undefined);
  assert.is(reserved({ bridge_address: "10.2.1.0/16" }), undefined);
  assert.is(reserved({ fixed_cidr: "10.2.1.7/32" }), undefined);
});

test("a network that is as desired is found again, also with other settings", () => {
  const labelled = {
    ...WEAVE,
    options: { ...WEAVE.options, "com.docker.network.bridge.enable_ip_masquerade": "false" },
  };
  const withIpv6 = { ...WEAVE, pools: [...WEAVE.pools, { subnet: "fd00::/64", range: "", gateway: "" }] };
  for (const network of [WEAVE, labelled, withIpv6, { ...WEAVE, members: null }]) {
    assert.equal(plan(asked(MINE), { ...withNetworks(network), ...RECORDED }).changes, []);
  }
  const { changes } = plan(asked({ ...MINE, mtu: null }), withNetworks(DRIFTED));
  assert.equal(subjects(changes), [RECORD], "an MTU that is not given");
});

test("whatever has drifted, the network is replaced", () => {
  const pool = WEAVE.pools[0] as ObservedNetwork["pools"][number];
  const icc = "com.docker.network.bridge.enable_icc";
  for (const [drifted, before] of [
    [DRIFTED, /^mtu 1500$/m],
    [{ ...WEAVE, pools: [{ ...pool, subnet: "10.3.0.0/16" }] }, /^subnet 10\.3/m],
    [{ ...WEAVE, pools: [{ ...pool, range: "" }] }, /^addresses of containers 10\.2\.0\.0\/16$/m],
    [{ ...WEAVE, pools: [{ ...pool, gateway: "10.2.0.9" }] }, /^gateway 10\.2\.0\.9$/m],
    [{ ...WEAVE, internal: true }, /isolated/],
    [{ ...WEAVE, options: { ...WEAVE.options, [icc]: "false" } }, /isolated/],
  ] as const) {
    const [change, ...more] = inWords(plan(asked(MINE), withNetworks(drifted)).changes);
    assert.equal([more, change?.subject, change?.after], [[], "Docker network weave", LINES]);
    assert.match(change?.before ?? "", before);
    assert.match(change?.steps.join("\n") ?? "", /^DELETE \/networks\/530b\nip link show dev weave.*\nPOST /);
  }
});

test("a network of another name on the bridge is removed, as a bridge takes one only", () => {
  const { changes } = plan(asked({ ...MINE, network: "flat" }), withNetworks(WEAVE, APP));
  assert.equal(subjects(changes), ["Docker network weave", "Docker network flat"]);
  assert.equal(inWords(changes)[0]?.steps, ["DELETE /networks/530b"]);
});

test("a network with containers is neither replaced nor removed: they are named", () => {
  const used = { ...DRIFTED, members: ["db", "web"] };
  const wrong = /^network: Docker's network weave must have no containers .* \(found db, web\)/;
  assert.match(rejection({}, withNetworks(used)), wrong);
  assert.match(rejection({ network: "flat" }, withNetworks(used)), wrong);
  assert.match(rejection({ network: "bridge" }, withNetworks(used)), wrong);
  assert.match(rejection({ state: "absent" }, withNetworks(used)), wrong);
  assert.match(rejection({ state: "absent", network: "bridge" }, withNetworks(used)), wrong);
  assert.match(rejection({}, withNetworks({ ...DRIFTED, members: null })), "no answer about its containers");
});

test("another's network of this name, and one with overlapping addresses, are rejected", () => {
  const mesh = { ...WEAVE, driver: "weavemesh", options: {} };
  assert.match(rejection({}, withNetworks(mesh)), 'another network "weave" (found one of the driver weavemesh)');
  const elsewhere = { ...WEAVE, options: { "com.docker.network.bridge.name": "br-1" } };
  assert.match(rejection({}, withNetworks(elsewhere)), "found one on the bridge br-1");
  const inside = { ...APP, pools: [{ subnet: "10.2.128.0/20", range: "", gateway: "" }] };
  assert.match(rejection({}, withNetworks(inside)), "found Docker network app with 10.2.128.0/20");
  const around = { ...APP, pools: [{ subnet: "10.0.0.0/8", range: "", gateway: "" }] };
  assert.match(rejection({}, withNetworks(around)), "found Docker network app with 10.0.0.0/8");
});

test("what is missing or does not fit is rejected", () => {
  assert.match(rejection({ bridge: null }, withNetworks()), "needs bridge and fixed_cidr (found no bridge)");
  assert.match(rejection({ fixed_cidr: null }, withNetworks()), "(found no fixed_cidr)");
  assert.match(
    rejection({ fixed_cidr: "10.3.1.0/24" }, withNetworks()),
    "fixed_cidr: must be in the bridge's network 10.2.0.0/16",
  );
  assert.match(rejection({}, { ...withNetworks(), bridgeAddresses: [] }), /^bridge_address: must be set/);
  assert.match(rejection({ opts: "-b weave" }, withNetworks()), /^opts: must not have --bridge=weave with network/);
  for (const network of ["host", "none", "default", "a b", "-a", ""]) {
    assert.match(
      userErrorOf(() => asked({ network })),
      "must be",
      network,
    );
  }
});

test("from the default network to a separate one: the options are removed, a restart is pending, and the network waits for it", () => {
  const { changes, returns } = plan(asked(MINE), APOLLOS);
  assert.equal(subjects(changes), ["/etc/default/docker", "running dockerd", "Docker network weave"]);
  const [file, daemon, network] = inWords(changes);
  assert.match(
    file?.after ?? "",
    /^DOCKER_OPTS="--dns=172\.17\.42\.1 --dns=8\.8\.8\.8 --dns-search=service\.consul"$/m,
  );
  assert.equal(
    [daemon?.before, daemon?.after],
    ["--bridge=weave\n--fixed-cidr=10.2.1.0/24\n--mtu=1450\n", "none of these options\n"],
  );
  assert.equal({ pending: changes[2]?.pending, steps: network?.steps }, AFTER_RESTART);
  assert.is(returns["restart_required"], true);
});

test("the handler's restart creates the network after it, where Docker was on the bridge or is stopped", () => {
  const restarted = asked({ ...MINE, state: "restarted" });
  const saved = savedOf(APOLLOS.daemon ?? runningWith(""));
  const { changes } = plan(restarted, { ...APOLLOS, saved });
  assert.equal(subjects(changes), ["Docker", "Docker network weave"]);
  assert.match(inWords(changes)[1]?.steps.at(-2) ?? "", "POST /networks/create");

  const stopped = plan(restarted, { ...FRESH, daemon: null }).changes;
  assert.equal(subjects(stopped), ["Docker", "Docker network weave"]);
  assert.is(stopped[1]?.before, "unknown, as Docker does not run\n");
  const made = stopped[1]?.actions.at(-2);
  assert.equal(made?.do === "request" && made.acceptedStatuses, [409]);
});

test("while Docker is stopped, the network waits for its start; it can't be removed", () => {
  const { changes, returns } = plan(asked(MINE), { ...FRESH, daemon: null });
  assert.equal(
    changes.map(({ subject, before, after, pending }) => [subject, before, after, pending]),
    [
      ["running dockerd", "stopped\n", "running\n", "a restart of Docker"],
      ["Docker network weave", "unknown, as Docker does not run\n", LINES, "a restart of Docker"],
    ],
  );
  assert.is(returns["restart_required"], true);
  assert.match(rejection({ state: "absent" }, { ...FRESH, daemon: null }), "(found it stopped). Start it");
  assert.equal(plan(asked({ state: "absent" }), { ...FRESH, daemon: null }).changes, []);
});

test("while Docker is stopped, the network that was created for it is neither replaced nor removed unseen", () => {
  const stopped = { ...FRESH, daemon: null, ...RECORDED };
  const wrong =
    /^network: Docker must run before its network on the bridge weave can be replaced or removed \(found it stopped\)/;
  for (const options of [
    { mtu: 1370 },
    { fixed_cidr: "10.2.2.0/24" },
    { network: "flat" },
    { network: "bridge" },
    { state: "absent" },
    { state: "absent", network: "bridge" },
    { state: "absent", network: "bridge", bridge: null },
    { state: "restarted", mtu: 1370 },
  ]) {
    assert.match(rejection(options, stopped), wrong, JSON.stringify(options));
  }
  assert.equal(subjects(plan(asked(MINE), stopped).changes), ["running dockerd", "Docker network weave"]);
  const other = { ...MINE, network: "bridge", bridge: "br9", bridge_address: "10.9.0.1/16", fixed_cidr: "10.9.1.0/24" };
  assert.equal(subjects(plan(asked({ ...other, state: "absent" }), stopped).changes), []);
});

test("the record is removed with the network, or by itself if the network is gone", () => {
  const absent = asked({ state: "absent" });
  const [removal, ...more] = inWords(plan(absent, { ...withNetworks(WEAVE), ...RECORDED }).changes);
  assert.equal(more, []);
  assert.equal(removal?.steps, ["DELETE /networks/530b", `remove ${RECORD}`]);
  assert.equal(subjects(plan(absent, { ...withNetworks(), ...RECORDED }).changes), [RECORD]);
});

test("a daemon that does not say which networks it has is an error only if one is to be made, or to go", () => {
  assert.match(rejection({}, FRESH), "found no answer");
  assert.equal(plan(asked({ state: "absent" }), FRESH).changes, []);
  assert.match(rejection({ state: "absent", network: "bridge" }, { ...FRESH, ...RECORDED }), "found no answer");
});

test("back to the default network: the network goes before Docker gets its options", () => {
  const { changes } = plan(asked({ ...MINE, network: "bridge" }), withNetworks(WEAVE));
  assert.equal(subjects(changes), ["Docker network weave", "/etc/default/docker", "running dockerd"]);
});

test("state: absent removes the networks on the bridge, and others stay", () => {
  const { changes } = plan(asked({ state: "absent" }), withNetworks(WEAVE, APP));
  assert.equal(inWords(changes), [
    { subject: "Docker network weave", before: LINES, after: "", steps: ["DELETE /networks/530b"] },
  ]);
});

test.run();
