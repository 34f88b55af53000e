"""The table that playbooks/verify.yml prints: which paths work, and what was not tested."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

# Beyond this many columns the list of problems is easier to read.
MAX_COLUMNS = 24
COLUMNS_PER_BLOCK = 8
MAX_HEADING = 40
MAX_TUNNELS = 12


def render_printed_table(findings: dict[str, Any], group: str) -> list[str]:
    """Return the lines of the table of what weave_findings returned."""
    hosts, targets, sources = findings["hosts"], findings["targets"], findings["sources"]
    if len(hosts) == 1:
        lines = [f"{hosts[0]['name']} is the only host of {group}: there is no other host to reach."]
    elif len(targets) > MAX_COLUMNS:
        lines = [f"{len(targets)} addresses are too many for a table; blocked paths are listed below."]
    else:
        lines = [f"{number:2}  {end['address']:15}  {_heading(end)}" for number, end in enumerate(targets, 1)]
        for first in range(0, len(targets), COLUMNS_PER_BLOCK):
            lines += _block(targets, sources, first)

    lines += ["", _counts(hosts, sources)]
    tries = [ms for source in sources for ms in source["ms"].values()]
    answers = [ms for ms in tries if ms is not None]
    if tries:
        slowest = f"; the slowest took {max(answers)} ms" if answers else ""
        untested = sum(len(source.get("untested", [])) for source in sources)
        lines.append(f"{_summary(len(answers), len(tries), untested)}{slowest}.")
    elif len(hosts) > 1:
        lines.append("No path was tested.")
    lines += _encryption(hosts, findings.get("tunnels", []))
    return lines + [line for host in hosts for line in _untested(host)]


def _encryption(hosts: list[dict[str, Any]], tunnels: list[dict[str, Any]]) -> Iterator[str]:
    """Yield whether the VXLANs are encrypted, and each tunnel, or if they are many those without a handshake."""
    vxlans = [host for host in hosts if host.get("datapath", {}).get("kind") == "vxlan"]
    clear = [host["name"] for host in vxlans if not host["datapath"].get("wireguard")]
    if vxlans and len(clear) == len(vxlans):
        yield "The traffic between hosts is not encrypted."
        return
    if vxlans:
        exceptions = f", but not on {', '.join(clear)}" if clear else ""
        yield f"WireGuard encrypts the traffic between hosts{exceptions}."
    for tunnel in tunnels:
        if len(tunnels) <= MAX_TUNNELS or tunnel["handshake"] is None:
            yield f"{tunnel['from']} to {tunnel['to']} at {tunnel['endpoint']}: {tunnel['words']}."


def _counts(hosts: list[dict[str, Any]], sources: list[dict[str, Any]]) -> str:
    """Return how many hosts and containers were pinged, or pinged others."""
    pinged = {address for source in sources for address in source["ms"]}
    ends = {(source["host"], source["container"]) for source in sources if source["ms"]}
    total = sum(host["containers_total"] + len(host.get("not_running", [])) for host in hosts if not host["error"])
    tested_hosts = [host for host in hosts if host["bridge"]["address"] in pinged or (host["name"], None) in ends]
    tested = [
        one
        for host in hosts
        for one in host["containers"]
        if one["address"] in pinged or (host["name"], one["name"]) in ends
    ]
    return f"Tested {len(tested_hosts)} of {len(hosts)} hosts, and {len(tested)} of {total} containers."


def _summary(working: int, tried: int, untested: int) -> str:
    if working == tried and not untested:
        return f"All {tried} paths work"
    blocked = tried - working
    parts = [
        f"{working} of {tried + untested} paths work",
        *([f"{blocked} {'is' if blocked == 1 else 'are'} blocked"] if blocked else []),
        *([f"{untested} {'was' if untested == 1 else 'were'} not tested"] if untested else []),
    ]
    return ", ".join(parts)


def _block(targets: list[dict[str, Any]], sources: list[dict[str, Any]], first: int) -> list[str]:
    columns = range(first, min(first + COLUMNS_PER_BLOCK, len(targets)))
    width = max([8, *(len(_heading(source)) for source in sources)])
    rows = [("from, to", [str(column + 1) for column in columns])]
    for source in sources:
        if not source["error"]:
            rows.append((_heading(source), [_cell(source["ms"], targets[column]["address"]) for column in columns]))
    if len(rows) == 1:
        return []
    return ["", *(f"{name:{width}}  {''.join(f'{cell:9}' for cell in cells)}".rstrip() for name, cells in rows)]


def _heading(end: dict[str, Any]) -> str:
    name = end["host"] + (f": {end['container']}" if end["container"] else "")
    return name if len(name) <= MAX_HEADING else name[: MAX_HEADING - 2] + ".."


def _cell(ms_by_address: dict[str, float | None], address: str) -> str:
    if address not in ms_by_address:
        return "-"
    ms = ms_by_address[address]
    return "BLOCKED" if ms is None else f"ok {round(ms, 2 if ms < 10 else 0)}"


def _untested(host: dict[str, Any]) -> Iterator[str]:
    name, tested, failed = host["name"], len(host["containers"]), host.get("not_running", [])
    if host["error"]:
        yield f"{name}: it gave no answer, so neither the host nor its containers are tested."
        return
    total = host["containers_total"]
    if failed:
        yield f"{name}: {', '.join(failed)} {'does' if len(failed) == 1 else 'do'} not run, so nothing is tested there."
    if host["docker"] == "no_client":
        yield f"{name}: Docker's client is not installed (apt install docker-cli), so none of its containers is tested."
    elif host["docker"] != "running":
        state = "not installed" if host["docker"] == "missing" else host["docker"]
        yield f"{name}: Docker is {state}, so none of its containers is tested."
    elif total == 0:
        yield f"{name}: no running container is on the network."
    elif total > tested:
        yield f"{name}: {tested} of its {total} containers are tested (weave_verify_containers)."


class FilterModule:
    """Ansible's interface to this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"weave_printed_table": render_printed_table}
