import { suite } from "uvu";
import * as assert from "uvu/assert";
import { asked, type Clustered, cluster, FRESH, probed } from "../support/clusters";
import { callPlugin } from "../support/python";

/** roles/weave/filter_plugins/weave_preflight.py, whose function is called as the role calls it. */
const test = suite("the preconditions of a host");

const HEALTHY = {
  host_index: 1,
  keeps_host_index: true,
  address: "",
  nodejs: "/usr/bin/node",
  inventory_nodejs: "",
  docker_uses_bridge: true,
  missing_script: "",
};
const STEADY = cluster({ a: probed(1, true), b: probed(2, true) });

/** Why the role can't go on with a host, `a` by default, of which the probe reported `answer`. */
function preflight(more: object = {}, answer: object = {}, clustered: Clustered = STEADY): string {
  return callPlugin("weave_preflight", "find_unmet_precondition", {
    probed: { ...HEALTHY, ...answer },
    host: "a",
    cluster: clustered.hosts,
    group: "weave_servers",
    uses_bridge: true,
    needs_host_index: true,
    default_peers: true,
    ...more,
  });
}

test("a host of a steady cluster goes on", () => {
  assert.is(preflight(), "");
});

test("every message names a variable, what was found and what to do", () => {
  const vagrant = cluster({ a: { ansible_host: "127.0.0.1" }, b: { ansible_host: "127.0.0.1" } });
  for (const message of [
    preflight({ probed: {}, printed: "?" }),
    preflight({ uses_bridge: false }),
    preflight({}, { inventory_nodejs: "/opt/node", nodejs: "" }),
    preflight({}, { missing_script: "/usr/local/bin/weave" }),
    preflight({ runs_router: true }, { lacks_docker_client: true }),
    preflight({ needs_host_index: false }, {}, vagrant),
  ]) {
    assert.match(message, /^(weave|ansible)_\w+: .+\. [A-Z].+\.$/);
  }
});

test("a host that gave no answer: what it printed is shown, shortened", () => {
  assert.match(
    preflight({ probed: {}, printed: "Please log in:\r\n" }),
    /^ansible_connection: the probe of a must print one line of JSON \(found: Please log in:\)\. /,
  );
  assert.match(preflight({ probed: {}, printed: "" }), "(found: nothing)");
  assert.ok(preflight({ probed: {}, printed: "x".repeat(1000) }).length < 400);
});

test("Docker on the bridge that the router of another mode would recreate", () => {
  assert.match(
    preflight({ uses_bridge: false, mode: "plugin" }),
    /^weave_mode: must be bridge while Docker on a uses the bridge weave, .* \(found plugin\)\. .* set weave_mode: bridge\.$/,
  );
  assert.is(preflight({ uses_bridge: false }, { docker_uses_bridge: false }), "");
});

test("a Node.js of the inventory that is too old or missing; another host may lack Node.js, and gets one", () => {
  const given = { inventory_nodejs: "/opt/node/bin/node", nodejs: "" };
  assert.match(
    preflight({}, { ...given, unsuitable_nodejs: "/opt/node/bin/node 12.22.9" }),
    /^ansible_node_interpreter: \/opt\/node\/bin\/node on a must be Node\.js 16 or newer \(found .*12\.22\.9\)\. Correct /,
  );
  assert.match(preflight({}, given), "(found no program)");
  assert.is(preflight({}, { nodejs: "" }), "");
});

test("a Node.js of the inventory that others than root can change", () => {
  const given = { inventory_nodejs: "/opt/node/bin/node", nodejs: "" };
  assert.match(
    preflight(
      {},
      {
        ...given,
        unsuitable_nodejs: "/opt/node/bin/node could be changed by other users",
        nodejs_problem: "writable",
      },
    ),
    /^ansible_node_interpreter: \/opt\/node\/bin\/node on a must be a program that only root can change, .* \(found .*`namei -l \/opt\/node\/bin\/node` .*\)\. Make root their owner and remove write permission for others \(chown root, chmod go-w\), or remove the path, /,
  );
  assert.match(
    preflight({}, { ...given, nodejs_problem: "not_checked" }),
    "Install util-linux there, or remove the path",
  );
});

test("a weave script that is missing, except for a teardown", () => {
  const missing = { missing_script: "/usr/local/bin/weave" };
  assert.match(
    preflight({}, missing),
    /^weave_bin: must be the weave script on a \(found no file \/usr\/local\/bin\/weave\)\. Set weave_sha256 or /,
  );
  assert.is(preflight({ teardown: true }, missing), "");
});

test("a teardown needs a running Docker, or none, to find Weave's containers", () => {
  const teardown = (docker: string): string => preflight({ teardown: true, needs_running_docker: true }, { docker });
  const must = "Docker: must run on a, or Weave's containers can't be found and removed";
  assert.is(
    teardown("stopped"),
    `${must} (found it stopped). Start it (systemctl start docker), or run site.yml first if it does not start without the bridge.`,
  );
  assert.is(
    teardown("masked"),
    `${must} (found docker.service masked). Run \`systemctl unmask docker.service && systemctl start docker\` there.`,
  );
  for (const docker of ["missing", "running"]) assert.is(teardown(docker), "");
});

test("Docker that is missing, masked or stopped where the role does not start it, except for a teardown", () => {
  assert.match(
    preflight({}, { docker: "missing" }),
    /^Docker: must be installed on a \(found no docker\.service\)\. Install it there/,
  );
  assert.match(
    preflight({}, { docker: "missing", missing_docker: "/usr/sbin/dockerd" }),
    /^Docker: must be installed on a \(found no \/usr\/sbin\/dockerd, which docker\.service starts\)\. Install it there \(apt install docker\.io\)/,
  );
  assert.match(preflight({}, { docker: "masked" }), "Run `systemctl unmask docker.service` there, or");
  assert.match(
    preflight({ needs_running_docker: true }, { docker: "stopped" }),
    /^weave_datapath: router needs a running Docker \(found it stopped on a\)\. /,
  );
  assert.is(preflight({}, { docker: "stopped" }), "");
  assert.is(preflight({ needs_running_docker: true }, { docker: "running" }), "");
  assert.is(preflight({ teardown: true }, { docker: "missing" }), "");
});

test("a missing ethtool or scope script", () => {
  assert.match(
    preflight({}, { missing_program: "ethtool" }),
    /^weave_mode: bridge with the router needs ethtool on a \(found no such program\)\. Install it \(apt install ethtool\), or set/,
  );
  assert.match(
    preflight({}, { missing_scope_script: "/usr/local/bin/scope" }),
    /^weave_scope_dest: must be the scope script on a \(found no file \/usr\/local\/bin\/scope\)\. Set weave_scope_sha256 or /,
  );
});

test("a host that can't be reached is kept as a peer, stops the others, or needs an address in the inventory", () => {
  const off = { __weave_probe: { unreachable: true }, ansible_host: "192.0.2.9", weave_host_index: 2 };
  const kept = cluster({ a: probed(1, true), b: off });
  assert.is(preflight({}, {}, kept), "");
  assert.match(kept.peers, "192.0.2.9");
  assert.match(
    preflight({ unreachable: "stop" }, {}, kept),
    /^weave_unreachable: stop needs all hosts of the run \(found no answer from b\)\. Correct what is wrong there, .* or set weave_unreachable: keep,/,
  );
  assert.is(preflight({ unreachable: "stop" }), "");
  const failed = {
    ...kept,
    hosts: JSON.stringify({ ...JSON.parse(kept.hosts), unreachable: [], failed_before_probe: ["b"] }),
  };
  assert.match(preflight({ unreachable: "stop" }, {}, failed), "(found an earlier failure of b)");
  const lost = cluster({ a: probed(1, true, { address: "192.0.2.1" }), b: off }, { interface: "eth1" });
  assert.match(
    preflight({}, {}, lost),
    /^weave_underlay_address: must be set in the inventory for hosts that can't be reached, .* \(found none for b, whose eth1 could not be read\)\. /,
  );
});

test("a host outside this run whose interface can't be read, as it can't be reached", () => {
  const hosts = { a: { ...probed(1, true), ...asked({ b: null }) }, b: { weave_underlay_interface: "eth1" } };
  assert.match(
    preflight({}, {}, cluster(hosts, { interfaceOf: "a" })),
    /^weave_underlay_address: must be set in the inventory for hosts that can't be reached, .* \(found none for b, whose eth1 could not be read\)\. /,
  );
});

test("a host that can't be reached, whose address is a template of its facts, unless the peers are given or for a teardown", () => {
  const off = { __weave_probe: { unreachable: true }, weave_host_index: 2 };
  for (const variable of ["weave_underlay_address", "ansible_host"]) {
    const lost = cluster({ a: probed(1, true), b: { ...off, [variable]: "{{ ansible_facts.eth1.ipv4.address }}" } });
    assert.is(
      preflight({}, {}, lost),
      `${variable}: must be known for hosts that are not reached, too, or the others would lose them as peers (found a template that can't be rendered for b, such as one with facts). Set their addresses in the inventory, gather or cache the facts, make the hosts reachable, or remove them from the group weave_servers.`,
    );
    assert.match(preflight({ unreachable: "stop" }, {}, lost), /^weave_unreachable: stop needs all hosts of the run/);
    assert.is(preflight({ default_peers: false }, {}, lost), "");
    assert.is(preflight({ teardown: true }, {}, lost), "");
  }
});

test("the other hosts' addresses and indexes do not stop a teardown, however its variables are set", () => {
  const off = { __weave_probe: { unreachable: true } };
  const hosts = { a: probed(1, true, { address: "192.0.2.1" }), b: off, c: { weave_host_index: 1 } };
  const lost = cluster(hosts, { interface: "eth1" });
  assert.is.not(preflight({}, {}, lost), "");
  assert.is(preflight({ teardown: true }, {}, lost), "");
});

test("Ansible that does not become root, before anything that follows from it", () => {
  assert.is(
    preflight({}, { user_id: 1000, docker: "missing" }),
    "ansible_become: the role must become root on a (found that it becomes the user with the id 1000). Remove ansible_become and ansible_become_user from the inventory, or set them to true and root.",
  );
  assert.match(preflight({ teardown: true }, { user_id: 1000 }), /^ansible_become: /);
  assert.is(preflight({}, { user_id: 0 }), "");
});

test("what an encrypted VXLAN needs, and a kernel that has no VXLAN, except for a teardown", () => {
  const encrypted = "weave_datapath: vxlan with weave_password or weave_wireguard_key needs";
  for (const [answer, says] of [
    [
      { missing_program: "wg" },
      `${encrypted} wireguard-tools on a (found no program wg). Install it (apt install wireguard-tools).`,
    ],
    [
      { missing_module: "wireguard" },
      `${encrypted} a kernel with WireGuard, or the program wireguard-go, on a (found neither). Install a kernel that has the module wireguard (Linux 5.6 or newer), or wireguard-go (apt install wireguard-go).`,
    ],
    [
      { missing_module: "vxlan" },
      "weave_datapath: vxlan needs the kernel module vxlan on a (found that the kernel can't load it). Install or allow it (modprobe vxlan), or set weave_datapath: router.",
    ],
  ] as const) {
    assert.is(preflight({}, answer), says);
    assert.is(preflight({ teardown: true }, answer), "");
  }
});

test("a probe that fails: sudo that wants a password, no sudo, or what the shell printed", () => {
  const failed = (result: object): string => callPlugin("weave_preflight", "describe_failed_probe", [result, "a"]);
  const password =
    "Run with -K, which asks for the sudo password, or correct ansible_user and sudo's configuration there (ansible -i INVENTORY a --become -K -m raw -a id).";
  for (const [result, found] of [
    [{ msg: "Missing sudo password" }, "Missing sudo password"],
    [
      { stderr: "sudo: a terminal is required\r\nsudo: a password is required\r\n", msg: "non-zero return code" },
      "sudo: a password is required",
    ],
    [{ stdout: "app is not in the sudoers file.\n" }, "app is not in the sudoers file."],
    [
      { msg: "Task failed: Timeout (12s) waiting for privilege escalation prompt: " },
      "Task failed: Timeout (12s) waiting for privilege escalation prompt:",
    ],
  ] as const)
    assert.is(failed(result), `ansible_become_password: the role must become root on a (found: ${found}). ${password}`);
  for (const found of ["sh: 1: sudo: not found", "bash: line 1: sudo: command not found", "sudo: Command not found."])
    assert.is(
      failed({ stderr: `${found}\n`, msg: "non-zero return code" }),
      `ansible_become: the role must become root on a (found: ${found}). Install sudo there, or if Ansible logs in as root, set ansible_user: root or ansible_become: false.`,
    );
  for (const [result, found] of [
    [
      { stderr: "sh: 1: cannot create /tmp/x: No space left on device\n" },
      "sh: 1: cannot create /tmp/x: No space left on device",
    ],
    [{ msg: "non-zero return code" }, "non-zero return code"],
    [{}, "nothing"],
  ] as const)
    assert.is(
      failed(result),
      `ansible_connection: the shell of a must run the role's probe (found: ${found}). Correct this, and try it with a command such as \`ansible -i INVENTORY a --become -m raw -a id\`.`,
    );
});

test("a Docker without its client where the router is to run, except for a teardown", () => {
  const lacking = { lacks_docker_client: true };
  assert.match(
    preflight({ runs_router: true }, lacking),
    /^weave_datapath: router needs Docker's client on a, .* \(found no program docker\)\. Install it \(apt install docker-cli\), or set weave_datapath: vxlan, /,
  );
  assert.is(preflight({ runs_router: true, teardown: true }, lacking), "");
  assert.is(
    preflight({ scope: true }, lacking),
    "weave_scope_enabled: Scope needs Docker's client on a, which its script runs (found no program docker). Install it (apt install docker-cli), or set weave_scope_enabled: false.",
  );
  assert.is(preflight({ scope: true, teardown: true }, lacking), "");
  assert.is(preflight({}, lacking), "");
});

test("a host without a number while another that may have any can't be reached; a host that has one goes on", () => {
  const clustered = cluster({ a: {}, b: { ...FRESH, ...asked({ a: null }) }, c: probed(3, true) });
  assert.match(
    preflight({ host: "b" }, {}, clustered),
    /^weave_host_index: must be set for b as long as .* \(found no answer from a\)\. .* or set weave_host_index in the inventory\.$/,
  );
  assert.is(preflight({ host: "c" }, {}, clustered), "");
});

test("two hosts of one number, unless hosts have no numbers", () => {
  const clustered = cluster({ a: probed(2, true), b: { weave_host_index: 2 }, c: probed(3, true) });
  assert.match(
    preflight({ host: "c" }, {}, clustered),
    /^weave_host_index: must be different for each host of the group weave_servers, .*\(found 2 for a, 2 for b, 3 for c\)\. /,
  );
  assert.is(preflight({ host: "c", needs_host_index: false }, {}, clustered), "");
});

const ID = "0123456789abcdef0123456789abcdef";
const clones = (more: object = {}): Clustered =>
  cluster({ a: probed(0, false, { machine_id: ID, ...more }), b: probed(0, false, { machine_id: ID, ...more }) });

test("clones, by their machine-id, with the ways to repair them, before anything that follows from it", () => {
  assert.match(
    preflight({}, {}, clones()),
    /^weave_mac: must be different for each host of the group weave_servers, .* \(found (..:){5}.. for a, b, derived from the machine-id 0123456789abcdef0123456789abcdef of each\)\. If they are clones, run `rm -f \/etc\/machine-id \/var\/lib\/dbus\/machine-id && systemd-machine-id-setup` on all but one of them, or set weave_mac for each in the inventory\. /,
  );
  const provisioned = cluster({ a: probed(1, true, { machine_id: ID }), b: probed(1, true, { machine_id: ID }) });
  assert.match(preflight({}, {}, provisioned), /^weave_mac: /);
});

test("clones whose routers have no bridge of ours to take their name from", () => {
  const message = preflight({ uses_bridge: false, needs_host_index: false }, { docker_uses_bridge: false }, clones());
  assert.match(
    message,
    /^weave_server_group: .* different machine-ids, .* \(found 0123456789abcdef0123456789abcdef on a, b\)\. If they are clones, run /,
  );
  assert.not.match(message, "weave_mac");
});

test("a MAC, a bridge address or a subnet that the inventory sets twice; nothing of it stops a teardown", () => {
  for (const [key, variable] of [
    ["set_mac", "weave_mac"],
    ["set_bridge", "weave_bridge"],
    ["set_docker_subnet", "weave_docker_subnet"],
  ] as const) {
    const same = clones({ [key]: "0e:00:00:00:00:01", ...(key !== "set_mac" && { machine_id: "" }) });
    const message = preflight({}, {}, same);
    assert.match(
      message,
      new RegExp(`^${variable}: must be different for each host .* \\(found 0e:.* for a, b\\)\\. Set `),
    );
    assert.is(preflight({ teardown: true, needs_host_index: false }, {}, same), "");
    assert.is(preflight({ uses_bridge: false }, { docker_uses_bridge: false }, same), "", variable);
  }
});

test("one identity or one key of WireGuard for two hosts; nothing of it stops a teardown or the router", () => {
  for (const [option, message] of [
    [
      "set_wireguard_identity",
      /^weave_wireguard_identity: .* only this host \(found 203\.0\.113\.7 .* of a, b\)\. Set /,
    ],
    ["set_wireguard_key", /^weave_wireguard_key: .* \(found one key for a, b, which is not shown\)\. Set /],
  ] as const) {
    const host = (number: number) => probed(number, true, { [option]: "203.0.113.7" });
    const same = cluster({ a: host(1), b: host(2) });
    assert.match(preflight({}, {}, same), message);
    assert.is(preflight({ teardown: true }, {}, same), "");
    assert.is(preflight({ runs_router: true }, {}, same), "");
  }
});

test("variables that hosts have differently, by name and with the hosts; a password is not shown; nothing of it stops a teardown", () => {
  const host = (values: string, more: object = {}) => ({ ...probed(1, true, { set_cluster_wide: values }), ...more });
  const group = "must be the same on all hosts of the group weave_servers, or they do not reach each other";
  const ids = cluster({ a: host("vxlan 10.2.0.0/16 6783 4789 -"), b: host("vxlan 10.2.0.0/16 99 4789 -") });
  assert.is(
    preflight({}, {}, ids),
    `weave_vxlan_id: ${group} (found 6783 for a and 99 for b). Set it for the whole group.`,
  );
  assert.is(preflight({ teardown: true, needs_host_index: false }, {}, ids), "");
  const kinds = cluster({ a: host("vxlan 10.2.0.0/16 6783 4789 -"), b: host("router 10.2.0.0/16 - - -") });
  assert.is(
    preflight({}, {}, kinds),
    `weave_datapath: what carries the traffic, encrypted or not, ${group} (found vxlan for a and router for b). Set it for the ` +
      "whole group.",
  );
  const usual = "encrypted 10.2.0.0/16 6783 4789 51820";
  const passwords = cluster({
    a: host(usual, { weave_password: "correct horse battery" }),
    b: host(usual, { weave_password: "staple correct horse" }),
  });
  assert.is(
    preflight({}, {}, passwords),
    `weave_password: ${group} (found different ones, which are not shown, for a and b). Set it for the whole group.`,
  );
  assert.not.match(passwords.hosts, "horse");
});

test("a host without a machine-id, unless its MAC is set; nothing of it stops a teardown", () => {
  const none = { machine_id: "" };
  assert.match(
    preflight({}, none),
    /^weave_mac: .* \(found none in \/etc\/machine-id of a\)\. Run systemd-machine-id-setup /,
  );
  const proxy = preflight({ uses_bridge: false }, { ...none, docker_uses_bridge: false });
  assert.match(
    proxy,
    /^weave_mode: .* \(found none in \/etc\/machine-id of a\)\. Run systemd-machine-id-setup there\.$/,
  );
  assert.is(preflight({}, { ...none, set_mac: "0e:00:00:00:00:01" }), "");
  assert.is(preflight({ teardown: true }, none), "");
});

test("an address that several hosts are connected to by, or a loopback one, unless peers are given", () => {
  const vagrant = cluster(
    { a: { ansible_host: "127.0.0.1" }, b: { ansible_host: "127.0.0.1" } },
    { needsHostIndex: false },
  );
  assert.match(
    preflight({ needs_host_index: false }, {}, vagrant),
    /^weave_underlay_address: .* \(found 127\.0\.0\.1 for a, b\)\. Set each host's own /,
  );
  assert.is(preflight({ needs_host_index: false, default_peers: false }, {}, vagrant), "");
});

test("a host that Ansible reaches by IPv6, unless peers are given", () => {
  const six = cluster({ a: probed(1, true), b: { ...probed(2, true), ansible_host: "fd00::2" } });
  assert.match(
    preflight({}, {}, six),
    /^weave_underlay_address: must be set for a host that Ansible reaches by IPv6, .* \(found fd00::2 for b\)\. Set its IPv4 address/,
  );
  assert.is(preflight({ default_peers: false }, {}, six), "");
});

test("an address that the inventory sets for several hosts, or their interfaces have, even if peers are given", () => {
  const nat = probed(1, true, { address: "10.0.2.15" });
  const shared = cluster({ a: nat, b: { ...nat, weave_host_index: 2 } });
  assert.match(
    preflight({ default_peers: false, needs_host_index: false }, {}, shared),
    /^weave_underlay_address: .* \(found 10\.0\.2\.15 for a, b\)\. Set each host's own /,
  );
  assert.is(preflight({ default_peers: false, needs_host_index: false, teardown: true }, {}, shared), "");
});

test("an interface without a known address", () => {
  const hosts = { a: probed(1, true, { address: "192.168.60.1" }), b: { weave_host_index: 2 } };
  assert.match(
    preflight({}, {}, cluster(hosts, { interface: "br-lan" })),
    /^weave_underlay_interface: .* \(found none on br-lan of b\)\. Set each host's own interface, /,
  );
  const c = { weave_host_index: 3, weave_underlay_interface: "eth1" };
  const d = { weave_host_index: 4, weave_underlay_interface: "eth2" };
  const different = cluster({ ...hosts, c, d, e: { ...d, weave_host_index: 5 } }, { interfaceOf: "a" });
  assert.match(preflight({}, {}, different), "(found none on eth1 of c and eth2 of d, e). ");
});

test.run();
