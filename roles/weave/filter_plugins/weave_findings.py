"""Combines what the hosts reported to tasks/verify.yml. (A role's filters can't import one another.)"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

# In place of a host's pings.
FAILED = {"msg": "it failed earlier in the run"}


def combine_findings(
    underlays: dict[str, str],
    hostvars: Mapping[str, Mapping[str, Any]],
    play_hosts: list[str],
    failed: Sequence[str] = (),
) -> dict[str, list[dict[str, Any]]]:
    """Combine what the hosts reported.

    underlays: the underlay addresses of all hosts of the group by name, in their order.
    hostvars: their variables by name, with the results that tasks/verify.yml has registered so far.
    play_hosts: the names of the hosts of the play.
    failed: the names of those that have failed in it, so that nothing is tested from them.

    Returns the lists hosts, targets and sources, which tasks/verify.yml describes. Nothing in them starts a Jinja template:
    they become a fact, in which an ansible-core before 2.19 would run it.
    """
    probes = {name: hostvars[name].get("__weave_verify_probe", {}) for name in underlays}
    for name in play_hosts:
        results = hostvars[name].get("__weave_verify_probe_others", {}).get("results", [])
        probes.update({result["item"]: result for result in results})

    hosts = [_host(name, _plain(underlay), probes[name]) for name, underlay in underlays.items()]
    pings = {name: hostvars[name].get("__weave_verify_pings", {}) for name in play_hosts}
    # Before the first ping there are no sources.
    tested_from = {**pings, **dict.fromkeys(failed, FAILED)} if any(pings.values()) else {}
    for host in hosts:
        if host["name"] in pings:
            _renew_handshakes(host, _answer(pings[host["name"]], "host"))
    targets = []
    for host in hosts:
        if host["bridge"]["address"]:
            targets.append({"host": host["name"], "container": None, "address": host["bridge"]["address"]})
        for container in host["containers"]:
            targets.append({"host": host["name"], "container": container["name"], "address": container["address"]})
    sources = [
        source
        for host in hosts
        if host["name"] in tested_from
        for source in _sources(host, tested_from[host["name"]], targets)
    ]
    return {"hosts": hosts, "targets": targets, "sources": sources}


def list_ping_arguments(findings: dict[str, Any], name: str) -> list[str]:
    """Return the arguments of verify_ping.sh on a host after the timeout, [] if there is no path to test from it."""
    host = next((host for host in findings["hosts"] if host["name"] == name), None)
    addresses = [target["address"] for target in findings["targets"] if target["host"] != name]
    # Another host reported them, and ping would take a word with a dash as an option.
    addresses = [address for address in addresses if re.fullmatch(r"[0-9.]+", address)]
    if not host or host["error"] or not addresses:
        return []
    return [str(host["containers"][0]["pid"] if host["containers"] else 0), *addresses]


def _host(name: str, underlay: str, result: Mapping[str, Any]) -> dict[str, Any]:
    own = {"name": name, "underlay": underlay, "error": ""}
    answer = _answer(result, "bridge")
    if answer:
        return {**answer, **own}
    unknown = {"bridge": {"state": "unknown", "address": None}, "containers": []}
    return {**own, **unknown, "error": _error(result)}


def _renew_handshakes(host: dict[str, Any], answer: dict[str, Any]) -> None:
    """Set the peers of a host's WireGuard to what they were after the pings, which the probe came before."""
    for peer in (host.get("datapath", {}).get("wireguard") or {}).get("peers", []):
        if peer["key"] in answer.get("handshakes", {}):
            peer["handshake"], peer["received"], peer["sent"] = answer["handshakes"][peer["key"]]


def _sources(
    host: dict[str, Any], result: Mapping[str, Any], targets: list[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Yield the sources on a host. Where the result of a path is missing, it is untested: it must not count as one that works."""
    addresses = list(dict.fromkeys(target["address"] for target in targets if target["host"] != host["name"]))
    if host["error"] or not addresses:
        return
    answer = _answer(result, "host")
    error = "" if answer else _error(result) if result and not result.get("skipped") else "no ping was run"
    yield _source(host["name"], None, answer.get("host", {}), error, addresses)
    if answer and host["containers"]:
        ms, container = answer["container"], host["containers"][0]["name"]
        yield _source(host["name"], container, ms or {}, "" if ms else "the container has stopped", addresses)


def _source(host: str, container: str | None, ms: dict[str, Any], error: str, addresses: list[str]) -> dict[str, Any]:
    untested = [address for address in addresses if address not in ms]
    return {
        "host": host,
        "container": container,
        "ms": ms,
        "error": error,
        **({"untested": untested} if untested else {}),
    }


def _answer(result: Mapping[str, Any], first_key: str) -> dict[str, Any]:
    """Return the last line of a script's output that is an object beginning with this key, or {}."""
    lines = [line for line in result.get("stdout", "").splitlines() if line.startswith(f'{{"{first_key}":')]
    # The scripts print no backslash; an escape could spell what _plain() removes.
    try:
        return json.loads(_plain(lines[-1]).replace("\\", "")) if lines else {}
    except ValueError:
        return {}


def _error(result: Mapping[str, Any]) -> str:
    """Return why a script gave no answer, in a line: the last one that it, sudo or ssh printed."""
    printed = f"{result.get('stdout', '')}\n{result.get('stderr', '')}".split("\n")
    lines = [line.strip() for line in printed if line.strip() and not re.match("Shared connection to .* closed", line)]
    reason = lines[-1] if lines else result.get("msg") or "it gave no answer"
    return _plain(re.sub("^Task failed: ", "", reason).strip().replace("\r", "").replace("\n", " "))


def _plain(text: str) -> str:
    """Return a text in which nothing starts a Jinja template."""
    return re.sub(r"(?<=\{)(?=[{%#])", " ", text)


class FilterModule:
    """Ansible's interface to this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"weave_findings": combine_findings, "weave_ping_arguments": list_ping_arguments}
