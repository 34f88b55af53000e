"""The tunnels of WireGuard between the hosts that tasks/verify.yml has probed; filters can't import one another."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

# Without a new handshake for so long, a session has ended (WireGuard's REJECT_AFTER_TIME).
SESSION_SECONDS = 180

KEPT = ("endpoint", "handshake", "received", "sent")

Host = dict[str, Any]


def add_tunnels(findings: dict[str, Any]) -> dict[str, Any]:
    """Return what weave_findings returned, with two keys more:

    tunnels: each encrypted host's peers: from (its name), to (the peer's name, or its address if that is unknown), endpoint,
        received and sent (bytes), handshake (the last one's age in seconds; None if there was none), and these in words.
    faults: why two hosts can have no handshake, in words, by "name name".

    Peers in a host's datapath become names, where they are known.
    """
    hosts = findings["hosts"]
    encrypted = [host for host in hosts if _wireguard(host)]
    name_of = _names(hosts)
    order = {host["name"]: number for number, host in enumerate(hosts)}
    named = {
        host["name"]: dict(
            sorted(
                ((name_of(peer), peer) for peer in _peers(host)),
                key=lambda pair: (order.get(pair[0], len(order)), pair[0]),
            )
        )
        for host in encrypted
    }
    return {
        **findings,
        "hosts": [_with_names(host, list(named[host["name"]])) if host["name"] in named else host for host in hosts],
        "tunnels": [
            {"from": name, "to": to, "words": _words(peer), **{key: peer[key] for key in KEPT}}
            for name, peers in named.items()
            for to, peer in peers.items()
        ],
        "faults": {
            f"{one['name']} {other['name']}": fault
            for one, other in itertools.combinations(hosts, 2)
            for fault in itertools.islice(_faults(one, other, named), 1)
        },
    }


def _wireguard(host: Host) -> dict[str, Any]:
    return host.get("datapath", {}).get("wireguard") or {}


def _peers(host: Host) -> list[dict[str, Any]]:
    return _wireguard(host).get("peers", [])


def _with_names(host: Host, peers: list[str]) -> Host:
    # An older wg, or none at all, leaves the forwarding table's addresses.
    return {**host, "datapath": {**host["datapath"], "peers": peers}} if peers else host


def _names(hosts: list[Host]) -> Callable[[dict[str, Any]], str]:
    """Return a function from a peer to its host's name, by its key or its address in the tunnel or on the underlay."""
    keys = {_wireguard(host).get("key"): host["name"] for host in hosts}
    tunnel_addresses = {host["datapath"]["local"]: host["name"] for host in hosts if _wireguard(host)}
    underlays = {host["underlay"]: host["name"] for host in hosts}

    def name_of(peer: dict[str, Any]) -> str:
        address = _address(peer["endpoint"])
        return keys.get(peer["key"]) or tunnel_addresses.get(peer["address"]) or underlays.get(address) or address

    return name_of


def _faults(one: Host, other: Host, named: dict[str, dict[str, dict[str, Any]]]) -> Iterator[str]:
    """Yield why two hosts can have no handshake, the most certain reason first."""
    if one["error"] or other["error"] or not (_wireguard(one) or _wireguard(other)):
        return
    if any(host["datapath"]["kind"] != "vxlan" for host in (one, other)):
        return
    for host, second in ((one, other), (other, one)):
        if not _wireguard(host):
            yield (
                f"must both be encrypted (found that {second['name']} is, and {host['name']} is not). Set the same weave_password "
                "for both, and run the role on both."
            )
            return
    ends = [(host, second, named[host["name"]].get(second["name"])) for host, second in ((one, other), (other, one))]
    if all(peer and _is_recent(peer) for _, _, peer in ends):
        return
    ports = [_wireguard(host).get("port") for host in (one, other)]
    if None not in ports and ports[0] != ports[1]:
        yield (
            f"must use the same UDP port for WireGuard (found {ports[0]} and {ports[1]}). Set the same weave_wireguard_port for "
            "both, and run the role on both."
        )
    for host, second, peer in ends:
        if peer:
            yield from _mistaken(host, second, peer)
        elif "peers" in _wireguard(host):
            yield (
                f"must know each other (found that {second['name']} is not a peer of {host['name']}). Run the role on "
                f"{host['name']}. If the inventory gives {second['name']} another address than it has, as behind NAT, set its "
                "weave_underlay_address, or weave_wireguard_identity to the address by which the others reach it."
            )
    yield _no_answer(one, other, [peer for _, _, peer in ends if peer], ports[0] or ports[1])


def _mistaken(host: Host, second: Host, peer: dict[str, Any]) -> Iterator[str]:
    """Yield what a host has wrong of a peer, by the peer's own key and address."""
    if _wireguard(second).get("key") in (peer["key"], None):
        return
    if peer["address"] == second["datapath"]["local"]:
        yield (
            f"must have the same password (found that {host['name']} has a different key for {second['name']} than "
            f"{second['name']} itself). Set the same weave_password, or the right weave_wireguard_peer_keys, for both, and run "
            "the role on both."
        )
        return
    yield (
        f"must know each other by the same address (found that {host['name']} knows {second['name']} as "
        f"{_address(peer['endpoint'])}, but {second['name']} identifies itself by another address). Set weave_wireguard_identity "
        f"of {second['name']} to the address by which the others reach it, and run the role on both. Or their weave_network, "
        "weave_vxlan_id or weave_password differ."
    )


def _no_answer(one: Host, other: Host, peers: list[dict[str, Any]], port: int | None) -> str:
    ages = [peer["handshake"] for peer in peers if peer["handshake"] is not None]
    found = f"the last one {min(ages)} seconds ago" if ages else "none"
    ends = " and ".join(dict.fromkeys(_address(peer["endpoint"]) for peer in reversed(peers)))
    return (
        f"must have a recent WireGuard handshake (found {found}{f', between {ends}' if ends else ''}). Open UDP port {port} in "
        "both directions, in both firewalls (weave_firewall: manage) and on the network between them. If it is open, they have "
        f"different passwords: set the same weave_password for {one['name']} and {other['name']}, and run the role on both."
    )


def _words(peer: dict[str, Any]) -> str:
    age = peer["handshake"]
    handshake = "no handshake" if age is None else f"last handshake {_duration(age)} ago"
    return f"{handshake}, {_size(peer['received'])} received, {_size(peer['sent'])} sent"


def _duration(seconds: int) -> str:
    for unit, length in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def _size(count: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"


def _is_recent(peer: dict[str, Any]) -> bool:
    return peer["handshake"] is not None and peer["handshake"] < SESSION_SECONDS


def _address(endpoint: str) -> str:
    return endpoint.rpartition(":")[0] or endpoint


class FilterModule:
    """Ansible's interface to this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"weave_tunnels": add_tunnels}
