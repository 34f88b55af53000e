"""What playbooks/verify.yml reports as wrong, and where to look for the cause."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any


def problems(found: dict[str, Any], bridged: bool) -> list[str]:
    """Return what is wrong with what weave_findings returned, a line for each problem.

    bridged: whether Docker's default bridge is to be the bridge weave.

    First what a host lacks, then the blocked paths, then where to look for the cause.
    """
    hosts, targets, sources = found["hosts"], found["targets"], found["sources"]
    from_host = {source["host"]: source["ms"] for source in sources if source["container"] is None}
    by_host = _grouped(targets, "host")
    return [
        *(line for host in hosts for line in _lacks(host, bridged)),
        *_same_addresses(targets),
        *(line for source in sources for line in _blocked(source, by_host)),
        *_apart(hosts, from_host),
        *_silent_containers(hosts, sources),
        *_isolated_containers(sources, from_host),
    ]


def _lacks(host: dict[str, Any], bridged: bool) -> Iterator[str]:
    name, bridge, remedy = host["name"], host["bridge"], _run_the_role(host)
    if host["error"]:
        yield (
            f"{name} ({host['underlay']}) gave no answer: {re.sub('[.]$', '', host['error'])}. Is it on? "
            f"Try: ansible -i INVENTORY {name} --become -m raw -a id"
        )
        return
    if bridge["state"] == "missing":
        yield f"{name}: the bridge weave is missing: {remedy}."
    elif bridge["state"] == "down":
        yield f"{name}: the bridge weave is down: {remedy}."
    elif not bridge["address"]:
        yield f"{name}: the bridge weave has no address: {remedy}."
    elif host["datapath"]["state"] == "down":
        yield f"{name}: the VXLAN of the bridge weave is down: {remedy}."
    if host["stray"] and bridged:
        yield (
            f"{name}: Docker is not on the bridge weave, so these containers are not on the network: "
            f"{', '.join(host['stray'])}. To put it there, {remedy}; it restarts Docker."
        )


def _same_addresses(targets: list[dict[str, Any]]) -> Iterator[str]:
    for address, same in _grouped(targets, "address").items():
        if len(same) > 1:
            yield (
                f"{' and '.join(dict.fromkeys(target['host'] for target in same))} have the same address, {address}: "
                "give each host its own weave_host_index, and run the role."
            )


def _blocked(source: dict[str, Any], targets_by_host: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    if source["error"]:
        yield f"Nothing was tested from {_name(source)}: {source['error']}."
    blocked = []
    for host, targets in targets_by_host.items():
        unreached = [target for target in targets if source["ms"].get(target["address"], 0) is None]
        if len(unreached) == len(targets) > 1:
            blocked.append(f"{host} and its containers ({', '.join(target['address'] for target in unreached)})")
        else:
            blocked += [f"{_name(target)} ({target['address']})" for target in unreached]
    if blocked:
        yield f"{_name(source)} does not reach {', '.join(blocked)}."


def _apart(hosts: list[dict[str, Any]], from_host: dict[str, Any]) -> Iterator[str]:
    """Yield where to look between hosts of which one does not reach the other."""
    healthy = [host for host in hosts if host["bridge"]["state"] == "up" and host["bridge"]["address"]]
    unconnected = {}
    for one, other in itertools.combinations(healthy, 2):
        there = from_host.get(one["name"], {}).get(other["bridge"]["address"], 0)
        back = from_host.get(other["name"], {}).get(one["bridge"]["address"], 0)
        if there is not None and back is not None:
            continue
        unconnected.update({host["name"]: host for host in (one, other) if host["datapath"]["kind"] == "none"})
        if "none" not in (one["datapath"]["kind"], other["datapath"]["kind"]):
            yield (
                f"Between {one['name']} ({one['underlay']}) and {other['name']} ({other['underlay']}): "
                f"{_between(one['datapath'], other['datapath'])}"
            )
    for host in unconnected.values():
        yield (
            f"{host['name']} has neither a VXLAN on the bridge nor a Weave router on TCP port 6783: "
            f"{_run_the_role(host)}; if the router has ended, journalctl -u weave says why."
        )


def _between(one: dict[str, Any], other: dict[str, Any]) -> str:
    if (one["kind"], one["port"]) != (other["kind"], other["port"]):
        return (
            f"one uses {one['kind']} on port {one['port']}, the other {other['kind']} on port {other['port']}. "
            "Give both the same weave_datapath and weave_vxlan_port, and run the role."
        )
    if one["kind"] == "vxlan":
        return (
            f"is UDP port {one['port']} open in both directions, in both firewalls and on the network between them? "
            "If so: what would site.yml --check --diff change on them?"
        )
    return (
        f"are TCP and UDP port {one['port']} open in both directions, in both firewalls and on the network between "
        "them? If so: `weave status connections` on either host shows the state of the connection."
    )


def _silent_containers(hosts: list[dict[str, Any]], sources: list[dict[str, Any]]) -> Iterator[str]:
    for host in hosts:
        for container in host["containers"]:
            if any(
                _only_bridge_answers(source["ms"], host["bridge"]["address"], container["address"])
                for source in sources
            ):
                yield (
                    f"{host['name']} is reachable and its container {container['name']} is not: has it ended? If it "
                    f"runs, check its own firewall and that of {host['name']}: iptables -S FORWARD, "
                    "iptables -S DOCKER-USER."
                )


def _only_bridge_answers(ms: dict[str, float | None], bridge: str, container: str) -> bool:
    return ms.get(container, 0) is None and ms.get(bridge) is not None


def _isolated_containers(sources: list[dict[str, Any]], from_host: dict[str, Any]) -> Iterator[str]:
    for source in sources:
        own = from_host.get(source["host"], {})
        if source["container"] and any(ms is None and own.get(to) is not None for to, ms in source["ms"].items()):
            yield (
                f"{source['host']} reaches the others and its container {source['container']} does not: check the firewall "
                f"of {source['host']}, iptables -S FORWARD and iptables -S DOCKER-USER, and the container's own."
            )


def _name(end: dict[str, Any]) -> str:
    return end["host"] + (f"'s container {end['container']}" if end["container"] else "")


def _run_the_role(host: dict[str, Any]) -> str:
    return f"run the role on it (ansible-playbook -i INVENTORY site.yml --limit {host['name']})"


def _grouped(targets: list[dict[str, Any]], key: str) -> dict[str, list[dict[str, Any]]]:
    """Return the targets by their value of this key, in order of appearance."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for target in targets:
        groups.setdefault(target[key], []).append(target)
    return groups


class FilterModule:
    """Ansible's interface to this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"weave_problems": problems}
