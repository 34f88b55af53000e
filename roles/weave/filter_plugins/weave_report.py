"""What the report of playbooks/verify.yml (templates/report.html.j2) shows, besides its drawing and its table of paths.

An answer may lack fields that an older version of verify_probe.sh did not print.
"""

from __future__ import annotations

import collections
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

MAX_NAMES = 3
BLOCKED = ("blocked", "one_way", "some_blocked")

# The numbers of tested and of working paths, and the slowest answer in milliseconds; by source and target host.
Sum = dict[str, Any]
Sums = dict[tuple[str, str], Sum]


def summarise_findings(findings: dict[str, Any]) -> dict[str, Any]:
    """Summarise what weave_findings returned.

    total, working, play_hosts: the numbers of tested paths, of those that work, and of hosts that they were tested from.
    untested: the number of paths whose result is missing.
    slowest: the working path that took longest, as source, target and ms as text; None if no path works.
    hosts: each host as found, with its state and what its row of the table and its place in the drawing show.
    pairs: names, kind, ms and description of each two hosts that something is known of (see _pair).
    summary: what hosts lack and what is blocked, in a sentence for each host or pair.
    """
    paths = list(_paths(findings))
    sums: Sums = {}
    for path in paths:
        _count(sums.setdefault((path["source"]["host"], path["target"]["host"]), _empty_sum()), path["ms"])
    tunnels = _tunnels(findings["hosts"])
    working = [path for path in paths if path["ms"] is not None]
    slowest = max(working, key=lambda path: path["ms"], default=None)
    names = [host["name"] for host in findings["hosts"]]
    encrypted = {host["name"] for host in findings["hosts"] if host.get("datapath", {}).get("wireguard")}
    pairs = list(_pairs(names, sums, tunnels, encrypted))
    by_host, rest = _by_host(pairs)
    faulty_hosts = {*by_host, *(pair[end] for pair in rest for end in ("from", "to"))}
    failed_sources = [source for source in findings["sources"] if source["error"] and source["container"] is None]
    into: dict[str, Sum] = {}
    for path in paths:
        _count(into.setdefault(path["target"]["address"], _empty_sum()), path["ms"])
    return {
        "total": len(paths),
        "working": len(working),
        "untested": sum(len(source.get("untested", [])) for source in findings["sources"] if not source["error"]),
        "play_hosts": len({source["host"] for source in findings["sources"]}),
        "slowest": {**slowest, "ms": _format_ms(slowest["ms"])} if slowest else None,
        "hosts": [_host(host, sums, into, names, tunnels[host["name"]], faulty_hosts) for host in findings["hosts"]],
        "pairs": pairs,
        "summary": [
            *(line for host in findings["hosts"] for line in _host_fault(host)),
            *(f"Nothing was tested from {source['host']}: {source['error']}." for source in failed_sources),
            *(_host_description(name, blocked) for name, blocked in by_host.items()),
            *(f"{pair['description']}." for pair in rest),
        ],
    }


# Paths and their sums.


def _paths(findings: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for source in findings["sources"]:
        for target in findings["targets"]:
            if target["host"] != source["host"] and target["address"] in source["ms"]:
                yield {"source": source, "target": target, "ms": source["ms"][target["address"]]}


def _empty_sum() -> Sum:
    return {"tested": 0, "working": 0, "ms": None}


def _count(total: Sum, ms: float | None) -> None:
    total["tested"] += 1
    if ms is not None:
        total["working"] += 1
        total["ms"] = max(ms, total["ms"] or 0)


def _total(sums: Iterable[Sum]) -> Sum:
    total = _empty_sum()
    for one in sums:
        total["tested"] += one["tested"]
        total["working"] += one["working"]
        if one["ms"] is not None:
            total["ms"] = max(one["ms"], total["ms"] or 0)
    return total


def _kind(total: Sum) -> str:
    if total["tested"] == 0:
        return "untested"
    if total["working"] == total["tested"]:
        return "working"
    return "some_blocked" if total["working"] else "blocked"


# Tunnels and pairs.


def _tunnels(hosts: list[dict[str, Any]]) -> dict[str, list[str] | None]:
    """Return by host the names of the hosts at the ends of its tunnels, or unknown addresses there; None if not known."""
    names: dict[str | None, str] = {}
    for host in hosts:
        names[host["underlay"]] = host["name"]
        names[host.get("datapath", {}).get("local")] = host["name"]
    return {host["name"]: _ends(host.get("datapath", {}), names) for host in hosts}


def _ends(datapath: dict[str, Any], names: dict[str | None, str]) -> list[str] | None:
    peers = datapath.get("peers")
    # The connections of a router in its own network namespace are not visible.
    if peers is None or (datapath["kind"] == "router" and not peers):
        return None
    return [names.get(peer, peer) for peer in peers]


def _pairs(
    names: list[str], sums: Sums, tunnels: dict[str, list[str] | None], encrypted: set[str]
) -> Iterator[dict[str, Any]]:
    for one, other in itertools.combinations(names, 2):
        there, back = sums.get((one, other), _empty_sum()), sums.get((other, one), _empty_sum())
        connected = other in (tunnels[one] or []) or one in (tunnels[other] or [])
        unknown = tunnels[one] is None or tunnels[other] is None
        pair = _pair(one, other, there, back)
        if pair["kind"] == "untested" and not connected:
            continue
        if pair["kind"] == "working" and not connected and not unknown:
            pair["kind"] = "relayed"
        if pair["kind"] == "working" and {one, other} <= encrypted:
            pair["kind"] = "encrypted"
        yield pair


def _pair(one: str, other: str, there: Sum, back: Sum) -> dict[str, Any]:
    """Return two hosts' names, from and to; the slowest answer, ms; the description of what is blocked; and the kind:

    working, some_blocked, blocked, one_way (paths work only from `to` to `from`) or untested. _pairs adds relayed: working,
    though neither host has a tunnel to the other; and encrypted: working, and WireGuard encrypts it.
    """
    both = _total([there, back])
    pair = {"from": one, "to": other, "kind": _kind(both), "ms": _format_ms(both["ms"]), "description": ""}
    if pair["kind"] == "blocked":
        pair["description"] = f"{one} and {other}: all {both['tested']} paths are blocked"
    elif pair["kind"] == "some_blocked" and "blocked" in (_kind(there), _kind(back)):
        source, target = (one, other) if _kind(there) == "blocked" else (other, one)
        pair.update({"from": source, "to": target, "kind": "one_way"})
        pair["description"] = f"{source} does not reach {target}, but {target} reaches {source}"
    elif pair["kind"] == "some_blocked":
        pair["description"] = (
            f"{one} and {other}: {both['tested'] - both['working']} of {both['tested']} paths are blocked"
        )
    return pair


def _by_host(pairs: list[dict[str, Any]]) -> tuple[dict[str, list[dict[str, Any]]], list[dict[str, Any]]]:
    """Return the blocked pairs by the host that most of them have in common, and the rest."""
    rest = sorted((pair for pair in pairs if pair["kind"] in BLOCKED), key=lambda pair: BLOCKED.index(pair["kind"]))
    by_host = {}
    while rest:
        ends = collections.Counter(pair[end] for pair in rest for end in ("from", "to"))
        (name, most), (_, second) = ends.most_common(2)
        if most < MAX_NAMES and most == second:
            break
        by_host[name] = [pair for pair in rest if name in (pair["from"], pair["to"])]
        rest = [pair for pair in rest if name not in (pair["from"], pair["to"])]
    return by_host, rest


def _host_fault(host: dict[str, Any]) -> Iterator[str]:
    if host["error"]:
        yield f"{host['name']} gave no answer: {host['error']}."
    elif host["bridge"]["state"] != "up":
        yield f"{host['name']}: the bridge weave is {host['bridge']['state']}."
    elif not _has_docker(host):
        reasons = {"missing": "is not installed", "failing": "answered with an error"}
        why = reasons.get(host.get("docker", ""), "gave no answer")
        yield f"{host['name']}: Docker {why}, so its containers were not tested."


def _host_description(name: str, pairs: list[dict[str, Any]]) -> str:
    others = _abbreviated([pair["to"] if pair["from"] == name else pair["from"] for pair in pairs])
    if all(pair["kind"] == "blocked" for pair in pairs):
        return f"All paths between {name} and {others} are blocked."
    return f"Some paths between {name} and {others} are blocked."


# The hosts.


def _host(
    host: dict[str, Any],
    sums: Sums,
    into_address: dict[str, Sum],
    names: list[str],
    ends: list[str] | None,
    faulty_hosts: set[str],
) -> dict[str, Any]:
    name, others = host["name"], len(names) - 1
    into = _total(sums.get((other, name), _empty_sum()) for other in names)
    out = _total(sums.get((name, other), _empty_sum()) for other in names)
    containers = [
        {**container, "blocked": _kind(into_address.get(container["address"], _empty_sum())) == "blocked"}
        for container in host["containers"]
    ]
    total = host.get("containers_total", len(containers))
    return {
        "name": name,
        "underlay": host["underlay"],
        "error": host["error"],
        "state": _state(host, _total([into, out]), name in faulty_hosts),
        "bridge": host["bridge"],
        "datapath": host.get("datapath") or {"kind": "unknown", "port": None, "state": "unknown"},
        "docker": host.get("docker", "unknown"),
        "subnet": host.get("subnet"),
        "containers": containers,
        "others": host.get("others", []),
        "untested": max(0, total - len(containers)),
        "off_network": host.get("off_network", []),
        "into": into,
        "out": out,
        "peers": _peers(name, names, ends, others),
    }


def _state(host: dict[str, Any], paths: Sum, suspect: bool) -> str:
    """Return no_answer, cut_off (from all others, or without a bridge), has_problems or works."""
    if host["error"]:
        return "no_answer"
    if host["bridge"]["state"] != "up" or not host["bridge"]["address"] or (suspect and paths["working"] == 0):
        return "cut_off"
    return "has_problems" if suspect or host.get("off_network") or not _has_docker(host) else "works"


def _has_docker(host: dict[str, Any]) -> bool:
    return host.get("docker", "running") == "running"


def _peers(name: str, names: list[str], ends: list[str] | None, others: int) -> str:
    """Return in words how many of the others a host has a tunnel to, and to which it has none."""
    if ends is None:
        return "unknown"
    known, group = set(ends), set(names)
    lacking = [other for other in names if other not in known and other != name]
    words = [f"{others - len(lacking)} of {others}"]
    if lacking:
        words.append(f"none to {_abbreviated(lacking)}")
    unknown = [end for end in ends if end not in group]
    if unknown:
        words.append(f"also to {_abbreviated(unknown)}, not in the group")
    return "; ".join(words)


def _abbreviated(names: list[str]) -> str:
    return (
        ", ".join(names)
        if len(names) <= MAX_NAMES
        else f"{', '.join(names[:MAX_NAMES])} and {len(names) - MAX_NAMES} more"
    )


def _format_ms(ms: float | None) -> str:
    """Return milliseconds with at least two digits, "" for None."""
    if ms is None:
        return ""
    return f"{ms:.2f}" if ms < 1 else f"{ms:.1f}" if ms < 10 else f"{ms:.0f}"


class FilterModule:
    """Ansible's interface to this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"weave_report": summarise_findings}
