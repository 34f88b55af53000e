import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Reader, ROUTER, wrong } from "../support/invalid_values";
import { type ModuleName, rejectedValues, withoutHost } from "../support/role_variables";

/** roles/weave/filter_plugins/weave_invalid_values.py, which rejects on the controller what the modules would reject on the hosts. */
const test = suite("wrong values of the role's variables");

/** Each variable with wrong values, the module and the option that it is passed as, and what is said. */
const WRONG: readonly (readonly [
  variable: string,
  value: unknown,
  by: `${ModuleName}.${string}` | null,
  says: string,
  reader?: Reader,
])[] = [
  [
    "weave_host_index",
    0,
    "weave_bridge.host_index",
    "must be from 1 to 16777216 (found 0). Set a number in this range.",
  ],
  [
    "weave_host_index",
    "-1",
    "weave_bridge.host_index",
    "must be from 1 to 16777216 (found -1). Set a number in this range.",
  ],
  [
    "weave_underlay_address",
    "192.168.50.300",
    null,
    'must be an IPv4 address or a host name (found "192.168.50.300"). Write it as 192.168.50.12.',
  ],
  [
    "weave_underlay_address",
    "127.0.0.1",
    null,
    'must be an address of a host on a network (found "127.0.0.1"). Set one such as 192.168.50.11.',
  ],
  [
    "weave_underlay_interface",
    "weave",
    null,
    "must be an interface by which other hosts reach this one (found weave). Set one such as eth1.",
  ],
  [
    "weave_bin",
    "/usr/local/bin/",
    null,
    'must be an absolute path of letters, digits and "_.+@:/-" (found "/usr/local/bin/"). Write it as /usr/local/bin/weave.',
    ROUTER,
  ],
  ["weave_nodejs_directory", "cache", null, 'must be an absolute path (found "cache"). Write it as /var/cache/weave.'],
  ["weave_nodejs_directory", "", null, 'must be an absolute path (found ""). Write it as /var/cache/weave.'],
  [
    "proxy_env",
    "http_proxy=http://192.168.50.1:3128",
    null,
    "must be a dictionary (found a value of another type). Write it as {https_proxy: http://192.168.50.1:3128}.",
  ],
  [
    "weave_env",
    { DOCKERHUB_USER: "Weave works" },
    null,
    'DOCKERHUB_USER must be the first part of an image\'s name (found "Weave works"). Write it in lower case, such as weaveworks.',
    ROUTER,
  ],
  ["weave_underlay_interface", "eth0/1", null, 'must be the name of an interface (found "eth0/1"). Write it as eth1.'],
  [
    "weave_launch_peers",
    ["192.168.50.12", "192.168.50.300"],
    "weave_bridge.peers",
    'must be an IPv4 address or a host name (found "192.168.50.300"). Write it as 192.168.50.12.',
  ],
  [
    "weave_launch_peers",
    "192.168.50.12,host2:6783",
    "weave_bridge.peers",
    'must be an IPv4 address or a host name (found "host2:6783"). Write it as 192.168.50.12.',
  ],
  [
    "weave_launch_peers",
    "host2:70000",
    "weave_service.peers",
    'must have a port from 1 to 65535 (found "host2:70000"). Correct the port, or remove it.',
    ROUTER,
  ],
  [
    "weave_network",
    "10.2.0.0/99",
    "weave_bridge.network",
    'must be an IPv4 network (found "10.2.0.0/99"). Write it as 10.2.0.0/16.',
  ],
  [
    "weave_network",
    "10.2.0.1/16",
    "weave_bridge.network",
    'must begin with the network\'s first address (found "10.2.0.1/16"). Set 10.2.0.0/16.',
  ],
  ["weave_network", "", "weave_bridge.network", 'must be an IPv4 network (found ""). Write it as 10.2.0.0/16.'],
  [
    "weave_docker_prefix",
    31,
    "weave_bridge.docker_prefix",
    "must be from 9 to 30 (found 31). Set a number in this range.",
  ],
  [
    "weave_bridge",
    "weave",
    "weave_bridge.address",
    'must be an IPv4 address with a prefix length (found "weave"). Write it as 10.2.0.1/16.',
  ],
  [
    "weave_bridge",
    "10.2.0.1/32",
    "weave_bridge.address",
    'must have room for containers in its network (found "10.2.0.1/32"). Set its network\'s prefix length, as in 10.2.0.1/16.',
  ],
  [
    "weave_bridge",
    "10.2.255.255/16",
    "weave_bridge.address",
    'must not be the first or last address of its network (found "10.2.255.255/16"). Set another address of 10.2.0.0/16.',
  ],
  [
    "weave_docker_subnet",
    "10.2.1.0/31",
    "weave_bridge.docker_subnet",
    'must have room for containers (found "10.2.1.0/31"). Set a prefix length of 30 at most.',
  ],
  ["weave_mac", "zz", "weave_bridge.mac", 'must be a MAC address (found "zz"). Write it as 0e:5f:33:00:00:01.'],
  [
    "weave_mac",
    "0F:00:00:00:00:01",
    "weave_bridge.mac",
    'must not be a multicast address (found "0F:00:00:00:00:01"). Make its first octet even, such as 0e.',
  ],
  [
    "weave_vxlan_id",
    16777216,
    "weave_bridge.vxlan_id",
    "must be from 1 to 16777215 (found 16777216). Set a number in this range.",
  ],
  [
    "weave_vxlan_port",
    70000,
    "weave_bridge.vxlan_port",
    "must be from 1 to 65535 (found 70000). Set a number in this range.",
  ],
  [
    "weave_wireguard_port",
    "0",
    "weave_bridge.wireguard_port",
    "must be from 1 to 65535 (found 0). Set a number in this range.",
  ],
  [
    "weave_wireguard_key",
    "hush",
    "weave_bridge.wireguard_key",
    "must be a WireGuard key (found a value of another form, not shown). Set it in base64, 44 characters, as wg genkey prints it.",
  ],
  [
    "weave_wireguard_peer_keys",
    { host2: "x" },
    "weave_bridge.wireguard_peer_keys",
    'must be an IPv4 address (found "host2"). Write it as 192.168.50.11.',
  ],
  [
    "weave_wireguard_peer_keys",
    { "192.168.50.12": "x" },
    "weave_bridge.wireguard_peer_keys",
    'must be a WireGuard key (found "x"). Set it in base64, 44 characters, as wg pubkey prints it.',
  ],
  [
    "weave_wireguard_identity",
    "host2",
    "weave_bridge.wireguard_identity",
    'must be an IPv4 address (found "host2"). Write it as 192.168.50.11.',
  ],
  [
    "weave_password",
    "",
    "weave_bridge.password",
    "must be one line of text (found an empty text, or control characters; not shown). Set another password.",
  ],
  [
    "weave_password",
    "two\nlines",
    "weave_service.password",
    "must be one line of text (found an empty text, or control characters; not shown). Set another password.",
    ROUTER,
  ],
  [
    "weave_docker_network",
    "a/b",
    "docker_bridge_opts.network",
    'must be "bridge" or the name of a network to create (found "a/b"). Use letters, digits, "-", "_" and ".", and not host, none or default.',
  ],
  [
    "weave_docker_network",
    "host",
    "docker_bridge_opts.network",
    'must be "bridge" or the name of a network to create (found "host"). Use letters, digits, "-", "_" and ".", and not host, none or default.',
  ],
  [
    "weave_bin",
    "bin/weave",
    "weave_service.script",
    'must be an absolute path of letters, digits and "_.+@:/-" (found "bin/weave"). Write it as /usr/local/bin/weave.',
    ROUTER,
  ],
  [
    "weave_version",
    "latest",
    "weave_service.script_version",
    'must be a version (found "latest"). Write it as 2.8.1.',
    ROUTER,
  ],
  ["weave_url", "weave", null, 'must be a URL (found "weave"). Write it as https://example.com/weave.', ROUTER],
  [
    "weave_launch_args",
    "--ipalloc-range=10.2.0.0/16 now",
    "weave_service.args",
    'must be arguments of weave launch (found "now"). Write each as --name=value.',
    ROUTER,
  ],
  [
    "weave_launch_args",
    ["--password=hush"],
    "weave_service.args",
    "must not have --password, which the process list would show (found it). Set weave_password instead.",
    ROUTER,
  ],
  [
    "weave_launch_args",
    "--http-addr=:1",
    "weave_service.args",
    'must not have --http-addr, as the script would ask the router elsewhere (found "--http-addr=:1"). Set WEAVE_HTTP_ADDR in weave_env instead.',
    ROUTER,
  ],
  [
    "weave_dns_domain",
    "a_b",
    "docker_bridge_opts.dns_search",
    'must be a domain name of letters, digits, hyphens and dots (found "a_b"). Write it as service.consul.',
    ROUTER,
  ],
  [
    "consul_domain",
    "a b",
    null,
    'must be a domain name of letters, digits, hyphens and dots (found "a b"). Write it as service.consul.',
  ],
  [
    "weave_env",
    { WEAVE_PASSWORD: "hush" },
    "weave_service.env",
    "must not have a variable of another option (found WEAVE_PASSWORD). Set weave_password instead.",
    ROUTER,
  ],
  [
    "weave_env",
    { DOCKER_BRIDGE: "weave" },
    null,
    "must not have DOCKER_BRIDGE (found it). Remove it: the role sets it.",
    ROUTER,
  ],
  ["weave_env", { WEAVE_MTU: 1400 }, null, "must not have WEAVE_MTU (found it). Remove it: the role sets it.", ROUTER],
  [
    "weave_env",
    { DOCKER_HOST: "tcp://a" },
    "weave_service.env",
    "must not have DOCKER_HOST (found it). Remove it: weave_service asks Docker on /var/run/docker.sock for a container of the default name.",
    ROUTER,
  ],
  [
    "weave_env",
    { "A B": "c" },
    "weave_service.env",
    'must have names of variables (found "A B"). Use letters, digits and "_".',
    ROUTER,
  ],
  [
    "weave_env",
    { A: "b\nC=d" },
    "weave_service.env",
    "must not contain control characters (found some). Remove them.",
    ROUTER,
  ],
  [
    "weave_timeout",
    0,
    "weave_service.timeout",
    "must be from 1 to 3600 (found 0). Set a number in this range.",
    ROUTER,
  ],
  [
    "weave_scope_dest",
    "scope",
    "weave_service.script",
    'must be an absolute path of letters, digits and "_.+@:/-" (found "scope"). Write it as /usr/local/bin/weave.',
  ],
  ["weave_scope_url", "x y", null, 'must be a URL (found "x y"). Write it as https://example.com/weave.'],
  ["weave_verify_containers", -1, null, "must be from 0 to 2147483647 (found -1). Set a number in this range."],
  ["weave_verify_timeout", 0, null, "must be from 1 to 3600 (found 0). Set a number in this range."],
];

for (const [variable, value, by, says, reader] of WRONG) {
  test(`${variable}: ${JSON.stringify(value)} is rejected as by the module`, () => {
    const message = wrong(variable, value, reader);
    assert.is(withoutHost(message), `${variable}: ${says}`);
    assert.match(message, " for a). ");
    if (by === null) return;
    const [module, option] = by.split(".") as [ModuleName, string];
    assert.is(rejectedValues(module, { [option]: value }).replace(/^\w+/, variable), `${variable}: ${says}`);
  });
}

test.run();
