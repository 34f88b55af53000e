import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { PlaybookRun } from "../../e2e/playbook";
import { assertRejected, PREFLIGHT, type Rejections, rejectionsInventory } from "../../e2e/rejections";
import { playWithoutHosts } from "../support/playbook";

/** What the role's own tasks reject. It is one check, on this machine, so nothing would change if they did not. */
const test = suite("the role's rejections");

const SECRET = "hush-of-the-role";
const KEY = `${SECRET.replaceAll("-", "+").padEnd(43, "A")}=`;
const REJECTIONS: Rejections = {
  "an unknown mode": {
    vars: { weave_mode: "brigde" },
    says: /^weave_mode: must be bridge, proxy or plugin \(found "brigde" for \S+\)\. Did you mean bridge\?$/,
  },
  "a number that is not a number": {
    vars: { weave_host_index: "first" },
    says: /^weave_host_index: must be a whole number \(found "first" for \S+\)\. Set a whole number\.$/,
  },
  "a key that a list's entry lacks": {
    vars: { weave_image_archives: [{ image: "a:1", file: "a.tar" }, { file: "b.tar" }] },
    says: /^weave_image_archives\[2\]: must have the key image \(found none for \S+\)\. Set it\.$/,
  },
  "a password beside a wrong value": {
    vars: { weave_password: SECRET, weave_timeout: "soon", weave_datapath: "router" },
    says: /^weave_timeout: must be a whole number \(found "soon" for \S+\)\. /,
  },
  "a password beside a wrong list": {
    vars: {
      weave_password: SECRET,
      weave_image_archives: [{ image: "a:1", pasword: SECRET }],
      weave_datapath: "router",
    },
    says: /^weave_image_archives\[1\]: must have only the keys image, file, url, sha256 \(found pasword for \S+\)\. Remove it\.$/,
  },
  "a password that is a list, beside a wrong value": {
    vars: { weave_password: [SECRET], weave_vxlan_id: { id: 1 } },
    says: /^weave_vxlan_id: must be a whole number \(found a dictionary for \S+\)\. .*weave_password: must be a string \(found a list for \S+\)/,
  },
  "variables of the script that are a string": {
    vars: { weave_env: `WEAVE_PASSWORD ${SECRET}`, weave_datapath: "router" },
    says: /^weave_env: must be a dictionary \(found another text for \S+\)\. /,
  },
  "a number that is not a number, of a host outside the limit": {
    vars: {},
    others: { far1: { weave_host_index: "second" } },
    says: /weave_host_index: must be a number \(found "second" for far1\)\. Correct it/,
  },
  "two hosts of one number": {
    vars: { weave_host_index: 1 },
    others: { far2: { weave_host_index: 1 } },
    says: /^weave_host_index: must be different .* \(found 1 for \S+, 1 for \S+\)\. Set another/s,
  },
  "one WireGuard key for two hosts": {
    vars: { weave_wireguard_key: KEY },
    others: { far3: { weave_wireguard_key: KEY } },
    says: /^weave_wireguard_key: must be different .* \(found one key for \S+, \S+, which is not shown\)\. Set what `wg genkey`/s,
  },
  "an identity that is another host's underlay address": {
    vars: { weave_wireguard_identity: "203.0.113.7", weave_password: "a password of 16 characters" },
    others: { far4: { ansible_host: "203.0.113.7" } },
    says: /^weave_wireguard_identity: .* \(found 203\.0\.113\.7 as the identity or the underlay address of \S+, \S+\)\. Set /,
  },
  "values that the modules would reject": {
    vars: { weave_docker_network: "a/b", weave_vxlan_port: 70000, weave_password: SECRET.slice(0, 9), weave_mac: "zz" },
    says: /^weave_mac: must be a MAC address \(found "zz" for \S+\)\. Write it as \S+\. weave_vxlan_port: must be from 1 to 65535 \(found 70000 for \S+\)\. Set a number in this range\. weave_docker_network: must be "bridge" or .* \(found "a\/b" for \S+\)\. [^:]*\.$/,
  },
  "a socket that is a number, which is no socket, and a network without a value": {
    vars: { docker_host: 5, weave_network: null },
    says: /^weave_network: must be an IPv4 network \(found "" for \S+\)\. Write it as 10\.2\.0\.0\/16\.$/,
  },
  "a short password with the VXLAN": {
    vars: { weave_password: SECRET.slice(0, 9) },
    says: /^weave_password: must have at least 16 characters .* \(found 9, which are not shown, for \S+\)\. Set a random one/,
  },
  "a prefix length that no network has, where the weave script is missing, too": {
    vars: { weave_network: "10.2.0.0/99", weave_datapath: "router" },
    says: /^weave_network: must be an IPv4 network \(found "10\.2\.0\.0\/99" for \S+\)\. Write it as 10\.2\.0\.0\/16\.$/,
  },
  "a peer that is neither address nor name": {
    vars: { weave_launch_peers: ["192.168.50.12", "192.168.50.300"] },
    says: /^weave_launch_peers: must be an IPv4 address or a host name \(found "192\.168\.50\.300" for \S+\)\. Write it as /,
  },
  "a subnet outside the bridge's network": {
    vars: { weave_docker_subnet: "10.3.1.0/24" },
    says: /^weave_docker_subnet: must be in the bridge's network 10\.2\.0\.0\/16 \(found 10\.3\.1\.0\/24 for \S+\)\. Set a subnet of that network\.$/,
  },
  "an index that does not fit": {
    vars: { weave_host_index: 300 },
    says: /^weave_host_index: must be at most 254 in 10\.2\.0\.0\/16 with a \/24 each \(found 300\b.*such as 10\.2\.0\.0\/15\.$/,
  },
  "an option of Docker's beside ones that name the bridge": {
    vars: {
      weave_docker_opts:
        "--bridge=weave --fixed-cidr={{ weave_docker_subnet }} --dns {{ weave_bridge.split('/')[0] }} --mtu=12",
    },
    says: /^weave_docker_opts: --mtu must be a number from 68 to 65535 \(found "12" for \S+\)\. Correct it\.$/,
  },
  "a host outside the group": {
    vars: { weave_server_group: "nobodys" },
    says: /^weave_server_group: .* \(found \S+, which is not in the group nobodys\)\. Add it to the group/,
  },
  "an underlay interface that does not exist": {
    vars: { weave_underlay_interface: "eth7" },
    says: /^weave_underlay_interface: .* \(found none on eth7 of \S+\)\. Set each host's own interface/,
  },
  "a weave script that does not exist": {
    vars: { weave_datapath: "router", weave_bin: "/nowhere/weave" },
    says: /^weave_bin: must be the weave script on \S+ \(found no file \/nowhere\/weave\)\. Set weave_sha256 or weave_script_file to install it/,
  },
  "a scope script that does not exist": {
    vars: { weave_scope_enabled: true, weave_scope_dest: "/nowhere/scope" },
    says: /^weave_scope_dest: must be the scope script on \S+ \(found no file \/nowhere\/scope\)\. Set weave_scope_sha256 or /,
  },
  "a weave script that the controller does not have": {
    vars: { weave_datapath: "router", weave_script_file: "/nowhere/weave" },
    says: /^weave_script_file: must be a file on the controller \(found none at \/nowhere\/weave\)\. Correct the path\.$/,
  },
  "a scope script and an image by a relative path, which the controller does not have": {
    vars: {
      weave_scope_enabled: true,
      weave_scope_script_file: "no-scope",
      weave_image_archives: [{ image: "a:1", file: "no/a" }],
    },
    says: /^weave_scope_script_file: must be a file on the controller \(found none at no-scope, which is .*weave_image_archives: must be a file on the controller \(found none at no\/a,/,
  },
  "a download without a checksum": {
    vars: { weave_datapath: "router", weave_download: true, weave_url: "http://192.0.2.1/weave" },
    says: /^weave_sha256: needs the SHA-256 checksum of http:\/\/192\.0\.2\.1\/weave, .* \(found none\)\. Set /,
  },
  "a Node.js that does not exist": {
    vars: { ansible_node_interpreter: "/nowhere/bin/node" },
    says: /^ansible_node_interpreter: \/nowhere\/bin\/node on \S+ must be Node\.js 16 or newer \(found no program\)\. Correct the path/,
  },
};

let run: PlaybookRun;
test.before(async () => {
  const ofAll = { ansible_connection: "local", ansible_become: false, weave_datapath: "vxlan" };
  const args = ["--check", "--diff", "-vvv"];
  run = await playWithoutHosts("tests/e2e/plays/rejections.yml", rejectionsInventory(REJECTIONS, ofAll), ...args);
});

for (const [name, rejection] of Object.entries(REJECTIONS)) {
  test(`${name}: rejected before any module of the project runs`, () =>
    assertRejected(run, name, rejection, PREFLIGHT));
}

test("a password is in none of it, though Ansible prints all that it can", () => {
  assert.match(run.output, "brigde");
  assert.not.match(run.output, SECRET);
});

test.run();
