"""What the page of playbooks/verify.yml (templates/report.html.j2) shows of what was found, but for its drawing.

Pure, like weave_verify.py beside it, whose findings it takes. An answer may lack what an older host did not tell.
"""

import collections
import itertools

# A table of every single way has so many cells at most; beyond that it has one for each two hosts.
MOST_CELLS = 2500
COLUMNS_A_BLOCK = 20
FEW = 3
STEPS_MS = (1, 10, 100)
MISSED = ("closed", "oneway", "some")


def report(found):
    """Take what weave_verify.findings() returned; return a dict:

    total, open, playing: how many ways were tried, how many of them are open, and how many hosts they were tried from.
    slowest: the open way that took longest, as source, target and ms in words; None where none is open.
    hosts: each host as found, with its state and what else its row of the table and its place in the drawing show.
    pairs: of each two hosts that something is known of: their names, kind, ms and words (see _pair).
    summary: in words who lacks what, and what is missed, a line for each host that most of it is of, or pair.
    matrix: the table of ways (see _matrix).
    """
    ways = list(_ways(found))
    sums = {}
    for way in ways:
        _count(sums.setdefault((way["source"]["host"], way["target"]["host"]), _nothing()), way["ms"])
    tunnels = _tunnels(found["hosts"])
    open_ways = [way for way in ways if way["ms"] is not None]
    slowest = max(open_ways, key=lambda way: way["ms"], default=None)
    names = [host["name"] for host in found["hosts"]]
    pairs = list(_pairs(names, sums, tunnels))
    stars, rest = _blamed(pairs)
    suspects = {*stars, *(pair[end] for pair in rest for end in ("from", "to"))}
    unable = [source for source in found["sources"] if source["error"] and source["container"] is None]
    into = {}
    for way in ways:
        _count(into.setdefault(way["target"]["address"], _nothing()), way["ms"])
    return {
        "total": len(ways),
        "open": len(open_ways),
        "playing": len({source["host"] for source in found["sources"]}),
        "slowest": {**slowest, "ms": _spell(slowest["ms"])} if slowest else None,
        "hosts": [_host(host, sums, into, names, tunnels[host["name"]], suspects) for host in found["hosts"]],
        "pairs": pairs,
        "summary": [
            *(line for host in found["hosts"] for line in _lack(host)),
            *(f"Nothing was tried from {source['host']}: {source['error']}." for source in unable),
            *(_star(name, missed) for name, missed in stars.items()),
            *(f"{pair['words']}." for pair in rest),
        ],
        "matrix": _matrix(found, sums),
    }


# Ways and their sums.


def _ways(found):
    for source in found["sources"]:
        for target in found["targets"]:
            if target["host"] != source["host"] and target["address"] in source["ms"]:
                yield {"source": source, "target": target, "ms": source["ms"][target["address"]]}


def _nothing():
    return {"tried": 0, "open": 0, "ms": None}


def _count(total, ms):
    total["tried"] += 1
    if ms is not None:
        total["open"] += 1
        total["ms"] = max(ms, total["ms"] or 0)


def _added(sums):
    total = _nothing()
    for one in sums:
        total["tried"] += one["tried"]
        total["open"] += one["open"]
        if one["ms"] is not None:
            total["ms"] = max(one["ms"], total["ms"] or 0)
    return total


def _kind(total):
    if total["tried"] == 0:
        return "untried"
    if total["open"] == total["tried"]:
        return "open"
    return "some" if total["open"] else "closed"


# Tunnels and pairs.


def _tunnels(hosts):
    """Return by host the names of those that its tunnels lead to, and addresses that are nobody's; None if not known."""
    names = {}
    for host in hosts:
        names[host["underlay"]] = host["name"]
        names[host.get("datapath", {}).get("local")] = host["name"]
    return {host["name"]: _ends(host.get("datapath", {}), names) for host in hosts}


def _ends(datapath, names):
    peers = datapath.get("peers")
    # A router that shows no connection may have them where they are not seen.
    if peers is None or datapath["kind"] == "router" and not peers:
        return None
    return [names.get(peer, peer) for peer in peers]


def _pairs(names, sums, tunnels):
    for one, other in itertools.combinations(names, 2):
        there, back = sums.get((one, other), _nothing()), sums.get((other, one), _nothing())
        told = other in (tunnels[one] or []) or one in (tunnels[other] or [])
        unknown = tunnels[one] is None or tunnels[other] is None
        pair = _pair(one, other, there, back)
        if pair["kind"] == "untried" and not told:
            continue
        if pair["kind"] == "open" and not told and not unknown:
            pair["kind"] = "relayed"
        yield pair


def _pair(one, other, there, back):
    """Return two hosts' names, from and to; the slowest answer, ms; in words what is missed; and the kind:

    open, some (of the ways), closed, oneway (nothing gets from `from` to `to`, but back) or untried. _pairs adds relayed:
    open, though neither has a tunnel to the other.
    """
    both = _added([there, back])
    pair = {"from": one, "to": other, "kind": _kind(both), "ms": _spell(both["ms"]), "words": ""}
    if pair["kind"] == "closed":
        pair["words"] = f"{one} and {other}: no way is open of {both['tried']}"
    elif pair["kind"] == "some" and "closed" in (_kind(there), _kind(back)):
        source, target = (one, other) if _kind(there) == "closed" else (other, one)
        pair.update({"from": source, "to": target, "kind": "oneway"})
        pair["words"] = f"{source} does not reach {target}, but is reached from there"
    elif pair["kind"] == "some":
        pair["words"] = f"{one} and {other}: {both['open']} of {both['tried']} ways are open"
    return pair


def _blamed(pairs):
    """Take the pairs; return those that are missed, by the host that most of them are of, and those of no such host."""
    rest = sorted((pair for pair in pairs if pair["kind"] in MISSED), key=lambda pair: MISSED.index(pair["kind"]))
    stars = {}
    while rest:
        ends = collections.Counter(pair[end] for pair in rest for end in ("from", "to"))
        (name, most), (_, second) = ends.most_common(2)
        if most < FEW and most == second:
            break
        stars[name] = [pair for pair in rest if name in (pair["from"], pair["to"])]
        rest = [pair for pair in rest if name not in (pair["from"], pair["to"])]
    return stars, rest


def _lack(host):
    if host["error"]:
        yield f"{host['name']} could not be asked: {host['error']}."
    elif host["bridge"]["state"] != "up":
        yield f"{host['name']}: the bridge weave is {host['bridge']['state']}."


def _star(name, pairs):
    others = _few([pair["to"] if pair["from"] == name else pair["from"] for pair in pairs])
    if all(pair["kind"] == "closed" for pair in pairs):
        return f"Nothing gets through between {name} and {others}."
    return f"Some ways are closed between {name} and {others}."


# The hosts.


def _host(host, sums, into_address, names, ends, suspects):
    name, others = host["name"], len(names) - 1
    into = _added(sums.get((other, name), _nothing()) for other in names)
    out = _added(sums.get((name, other), _nothing()) for other in names)
    containers = [
        {**container, "missed": _kind(into_address.get(container["address"], _nothing())) == "closed"}
        for container in host["containers"]
    ]
    tried, total = len(containers), host.get("containers_total", len(containers))
    return {
        "name": name,
        "underlay": host["underlay"],
        "error": host["error"],
        "state": _state(host, _added([into, out]), name in suspects),
        "bridge": host["bridge"],
        "datapath": host.get("datapath") or {"kind": "unknown", "port": None, "state": "unknown"},
        "docker": host.get("docker", "unknown"),
        "subnet": host.get("subnet"),
        "containers": containers,
        "untried": max(0, total - tried),
        "stray": host.get("stray", []),
        "into": into,
        "out": out,
        "peers": _peers(name, names, ends, others),
    }


def _state(host, ways, suspect):
    """Return unasked, cut (off from all others, or without a bridge), some (thing is wrong with it) or open."""
    if host["error"]:
        return "unasked"
    if host["bridge"]["state"] != "up" or not host["bridge"]["address"] or suspect and ways["open"] == 0:
        return "cut"
    return "some" if suspect or host.get("stray") else "open"


def _peers(name, names, ends, others):
    """Return in words how many of the others a host has a tunnel to, and which not."""
    if ends is None:
        return "not seen"
    known, group = set(ends), set(names)
    lacking = [other for other in names if other not in known and other != name]
    words = [f"{others - len(lacking)} of {others}"]
    if lacking:
        words.append(f"none to {_few(lacking)}")
    strangers = [end for end in ends if end not in group]
    if strangers:
        words.append(f"also to {_few(strangers)}, of no host of the group")
    return "; ".join(words)


def _few(names):
    return ", ".join(names) if len(names) <= FEW else f"{', '.join(names[:FEW])} and {len(names) - FEW} more"


# The table of ways.


def _matrix(found, sums):
    """Return whether it has single ways, `single`, and its blocks of columns: groups (a host and its columns) and rows.

    Blocks go side by side on a wide screen, and below one another on paper.
    """
    single = len(found["sources"]) * len(found["targets"]) <= MOST_CELLS
    if single:
        sources = found["sources"]
        by_host = itertools.groupby(found["targets"], key=lambda target: target["host"])
        groups = [{"host": host, "targets": list(targets)} for host, targets in by_host]
    else:
        sources = [source for source in found["sources"] if source["container"] is None]
        groups = [{"host": host["name"], "targets": [None]} for host in found["hosts"]]
    sources = [source for source in sources if not source["error"]]
    return {
        "single": single,
        "blocks": [
            {
                "groups": block,
                "rows": [
                    {
                        "host": source["host"],
                        "container": source["container"],
                        "cells": [
                            _cell(source, group["host"], target, sums) for group in block for target in group["targets"]
                        ],
                    }
                    for source in sources
                ],
            }
            for block in _blocks(groups)
        ]
        if sources
        else [],
    }


def _blocks(groups):
    """Split the groups into blocks of about the same width, which the groups of a host's columns stay whole in."""
    columns = sum(len(group["targets"]) for group in groups)
    width = columns / max(1, -(-columns // COLUMNS_A_BLOCK))
    blocks, filled = [], 0
    for group in groups:
        if not blocks or filled >= width * len(blocks):
            blocks.append([])
        blocks[-1].append(group)
        filled += len(group["targets"])
    return blocks


def _cell(source, host, target, sums):
    """Return what a cell shows and how it is drawn: own, untried, closed, some, or open0 to open3 by its milliseconds."""
    if host == source["host"]:
        return {"kind": "own", "text": ""}
    if target is None:
        total = sums.get((source["host"], host), _nothing())
    else:
        total = _nothing()
        if target["address"] in source["ms"]:
            _count(total, source["ms"][target["address"]])
    kind = _kind(total)
    if kind == "open":
        return {"kind": f"open{sum(total['ms'] >= step for step in STEPS_MS)}", "text": _spell(total["ms"])}
    return {"kind": kind, "text": {"untried": "–", "closed": "×", "some": f"{total['open']}/{total['tried']}"}[kind]}


def _spell(ms):
    """Take milliseconds or None; return them with two digits or more, or ""."""
    if ms is None:
        return ""
    return f"{ms:.2f}" if ms < 1 else f"{ms:.1f}" if ms < 10 else f"{ms:.0f}"


class FilterModule:
    def filters(self):
        return {"weave_report": report}
