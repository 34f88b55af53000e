"""What contradicts what among a host's variables, as far as the controller can tell. Pure.

The modules check most of it again, on the host. tests/unit/role/weave_contradictions.test.ts compares the two.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

SHORTEST_PASSWORD = 16
WEAVE_PORT = 6783


def find_contradictions(
    given: dict[str, Any],
    host: str,
    computed: list[str],
    uses_bridge: bool,
    runs_router: bool,
    hosts: int = 0,
) -> str:
    """Return what is wrong with a host's variables together, or "".

    given: those that are set, by name, each of which is right by itself (filter weave_invalid_values).
    computed: placeholders for values that are computed later.
    uses_bridge: whether the role attaches a Docker network to the bridge weave.
    runs_router: whether the datapath is the Weave router.
    hosts: how many hosts need an index.
    """
    may_be_computed = ("weave_bridge", "weave_docker_subnet")
    given = {name: value for name, value in given.items() if name not in may_be_computed or value not in computed}
    found = [
        *_mode(given, uses_bridge),
        *(_bridge(given, hosts) if uses_bridge else ()),
        *(_router(given, uses_bridge) if runs_router else _encryption(given)),
    ]
    return " ".join(f"{variable}: {must} (found {what} for {host}). {remedy}" for variable, must, what, remedy in found)


Problem = tuple[str, str, str, str]


def _mode(given: dict[str, Any], uses_bridge: bool) -> Iterator[Problem]:
    if _is_on(given.get("weave_dns")) and uses_bridge:
        yield (
            "weave_dns",
            "must be off with weave_mode: bridge and with weave_datapath: vxlan, where Weave DNS would know no container, as "
            "docker run does not notify the router",
            "it on",
            "Set weave_mode: proxy or plugin, or remove weave_dns; first run playbooks/teardown.yml if the network was set up "
            "with it.",
        )
    mode, socket = given.get("weave_mode", "bridge"), str(given.get("docker_host"))
    # Apollo's socket makes it the default.
    is_default = mode == "proxy" and "/weave/weave.sock" in socket
    if uses_bridge and mode != "bridge" and not is_default:
        must, remedy = (
            "must be bridge with weave_datapath: vxlan, which has no other mode",
            "Remove it, or set weave_datapath: router.",
        )
        yield "weave_mode", must, mode, remedy
    network = given.get("weave_docker_network") or "bridge"
    if network != "bridge" and not uses_bridge:
        yield (
            "weave_docker_network",
            "must be bridge with weave_mode: proxy or plugin, which connect containers by themselves",
            network,
            "Remove it, or set weave_mode: bridge.",
        )


def _bridge(given: dict[str, Any], hosts: int) -> Iterator[Problem]:
    address, subnet, index = (given.get(f"weave_{name}") for name in ("bridge", "docker_subnet", "host_index"))
    network = ipaddress.IPv4Interface(address or given["weave_network"]).network
    if subnet and not ipaddress.IPv4Network(subnet).subnet_of(network):
        must = f"must be in the bridge's network {network}"
        yield "weave_docker_subnet", must, subnet, "Set a subnet of that network."
    elif subnet and ipaddress.IPv4Network(subnet) == network:
        must = "must not be the whole network, as containers of other hosts use it too"
        yield "weave_docker_subnet", must, subnet, "Set a smaller subnet, for this host only."
    if index and not (address and subnet):
        yield from _index(int(index), ipaddress.IPv4Network(given["weave_network"]), int(given["weave_docker_prefix"]))
    elif not (address and subnet):
        yield from _room(hosts, ipaddress.IPv4Network(given["weave_network"]), int(given["weave_docker_prefix"]))


def _room(hosts: int, network: ipaddress.IPv4Network, docker_prefix: int) -> Iterator[Problem]:
    room = capacity(network.prefixlen, docker_prefix)
    if hosts > room:
        yield (
            "weave_network",
            f"must have room for the {hosts} {'host' if hosts == 1 else 'hosts'} of the group",
            f"{network}, which has room for {room} with a /{docker_prefix} each,",
            _larger(hosts, network, docker_prefix),
        )


def _larger(hosts: int, network: ipaddress.IPv4Network, docker_prefix: int) -> str:
    prefixes = range(network.prefixlen - 1, 7, -1)
    wider = next((prefix for prefix in prefixes if capacity(prefix, docker_prefix) >= hosts), 0)
    if wider:
        return f"Set a larger network, such as {network.supernet(new_prefix=wider)}."
    return "Set smaller subnets (weave_docker_prefix) and a larger network."


def _index(index: int, network: ipaddress.IPv4Network, docker_prefix: int) -> Iterator[Problem]:
    room = capacity(network.prefixlen, docker_prefix)
    if index <= room:
        return
    yield (
        "weave_host_index",
        f"must be at most {room} in {network} with a /{docker_prefix} each",
        str(index),
        _larger(index, network, docker_prefix),
    )


def capacity(prefix: int, docker_prefix: int) -> int:
    """Return how many hosts a network has room for: capacity() in modules/net/host_addresses.ts."""
    blocks = 2 ** max(0, docker_prefix - prefix)
    size = 2 ** (32 - docker_prefix)
    fits, fits_not = 0, blocks
    while fits_not - fits > 1:
        middle = (fits + fits_not) // 2
        # Bridge addresses beyond block 0, and the broadcast address, are in the blocks at the top.
        top = -(-(max(0, middle - (size - 1)) + 1) // size)
        fits, fits_not = (middle, fits_not) if middle < blocks - top else (fits, middle)
    return fits


def _encryption(given: dict[str, Any]) -> Iterator[Problem]:
    password, key = given.get("weave_password"), given.get("weave_wireguard_key")
    identity, peer_keys = given.get("weave_wireguard_identity"), given.get("weave_wireguard_peer_keys")
    if password is not None and len(str(password)) < SHORTEST_PASSWORD:
        yield (
            "weave_password",
            f"must have at least {SHORTEST_PASSWORD} characters with weave_datapath: vxlan, as anyone who records the traffic can "
            "guess passwords offline",
            f"{len(str(password))}, which are not shown,",
            "Set a random one, such as `openssl rand -base64 24` prints.",
        )
    encrypted = password is not None or key is not None
    if identity and not encrypted:
        yield (
            "weave_wireguard_identity",
            "needs weave_password or weave_wireguard_key",
            "neither",
            "Set one of them, or remove weave_wireguard_identity.",
        )
    if peer_keys and key is None:
        yield (
            "weave_wireguard_peer_keys",
            "needs weave_wireguard_key, this host's own key",
            "none",
            "Set it, or remove the peers' keys to have all derived from weave_password.",
        )
    port = str(given.get("weave_wireguard_port"))
    if encrypted and port == str(given.get("weave_vxlan_port")):
        must, remedy = "must differ from weave_vxlan_port", "Set another one on all hosts."
        yield "weave_wireguard_port", must, f"{port} for both,", remedy
    network = ipaddress.IPv4Interface(given.get("weave_bridge") or given["weave_network"]).network
    if identity and encrypted and ipaddress.IPv4Address(identity) in network:
        must = f"must be outside the container network {network}"
        yield "weave_wireguard_identity", must, identity, "Set the address by which the peers know this host."
    for peer in _words(given.get("weave_launch_peers")):
        if re.fullmatch("[0-9.]+", peer) and ipaddress.IPv4Address(peer) in network:
            must = f"a peer's address must be outside the container network {network}"
            yield "weave_launch_peers", must, peer, "Set the host's address on the underlay."


def _router(given: dict[str, Any], uses_bridge: bool) -> Iterator[Problem]:
    arguments, environment = _words(given.get("weave_launch_args")), given.get("weave_env") or {}
    dns, expose = _is_on(given.get("weave_dns")), _is_on(given.get("weave_expose"))
    names = [argument for argument in arguments if argument.startswith("--name=")]
    if uses_bridge and names:
        yield (
            "weave_launch_args",
            "must not have --name with weave_mode: bridge, where the router's name is the bridge's MAC address",
            " ".join(names),
            "Remove it, and set the bridge's weave_mac.",
        )
    yield from _port(arguments, environment)
    if dns and "--no-dns" in arguments:
        yield "weave_launch_args", "must not have --no-dns with weave_dns", "both", "Remove one of them."
    if uses_bridge and expose:
        yield (
            "weave_expose",
            "must be off with weave_mode: bridge, where this host has an address on the network",
            "it on",
            "Remove weave_expose, or set another weave_mode.",
        )
    without = [argument for argument in arguments if re.fullmatch("--?ipalloc-range=", argument)]
    if expose and without:
        found = f"{without[0]} in weave_launch_args"
        yield "weave_expose", "needs a router that allocates addresses", found, "Turn it off, or name a range."
    if not isinstance(environment, Mapping):
        return
    if uses_bridge and "WEAVE_NO_FASTDP" in environment:
        must = "must not have WEAVE_NO_FASTDP with weave_mode: bridge, where there is no fast datapath anyway"
        yield "weave_env", must, "WEAVE_NO_FASTDP", "Remove it."
    address = str(environment.get("WEAVE_HTTP_ADDR", "127.0.0.1:6784"))
    if not _is_control(address):
        must = "WEAVE_HTTP_ADDR must be an IPv4 address and a port"
        yield "weave_env", must, f'"{address}"', "Write it as 127.0.0.1:6784."


def _port(arguments: list[str], environment: Any) -> Iterator[Problem]:
    must = (
        "must not set another port of the router than 6783, which the firewall's rules, the handlers and verify.yml use"
    )
    words = re.findall(r"(?<!\S)--?port[= ](\d+)(?!\S)", " ".join(arguments))
    if words and int(words[-1]) != WEAVE_PORT:
        yield "weave_launch_args", must, f"--port={words[-1]}", "Remove it."
    port = str(environment.get("WEAVE_PORT", WEAVE_PORT)) if isinstance(environment, Mapping) else str(WEAVE_PORT)
    if port != str(WEAVE_PORT):
        yield "weave_env", must, f"WEAVE_PORT: {port}", "Remove it."


def _is_control(text: str) -> bool:
    address, _, port = text.partition(":")
    try:
        ipaddress.IPv4Address(address)
    except ValueError:
        return False
    return re.fullmatch("[0-9]{1,5}", port) is not None and 0 < int(port) < 65536


def _is_on(value: Any) -> bool:
    return str(value).lower() in ("yes", "on", "1", "true")


def _words(value: Any) -> list[str]:
    elements = value if isinstance(value, list) else [value or ""]
    return [word for element in elements for word in re.split(r"[\s,]+", str(element)) if word]


class FilterModule:
    """Ansible's interface to this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"weave_contradictions": find_contradictions}
