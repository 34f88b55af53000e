"""The containers of each host in the report of playbooks/verify.yml (templates/report.html.j2)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus

MAX_CONTAINERS = 10
# With more hosts the page would have thousands of containers.
MAX_HOSTS, CONTAINERS_OF_MANY = 40, 3
MAX_PORTS, MAX_LENGTH = 4, 64

Container = dict[str, Any]


def arrange_containers(hosts: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Return what the page shows of the containers of the hosts that weave_report returned:

    boxes: each host that has containers: its name, state and subnet; `listed`, at most ten of its containers, those first that are
        not reachable; `more`, the number of others, and `more_blocked`, how many of these are not reachable; `off`, the names of
        containers that should be on the network and are not, at most ten, and `more_off`, the number of others.
    without: the names of the hosts that have none.
    """
    most = MAX_CONTAINERS if len(hosts) <= MAX_HOSTS else CONTAINERS_OF_MANY
    boxes = [_box(host, most) for host in hosts if not host["error"]]
    filled = [box for box in boxes if box["listed"] or box["more"] or box["off"]]
    names = {box["name"] for box in filled}
    return {"boxes": filled, "without": [box["name"] for box in boxes if box["name"] not in names]}


def _box(host: dict[str, Any], most: int) -> dict[str, Any]:
    tested = sorted(host["containers"], key=lambda container: not container["blocked"])
    ordered = [*tested, *({**container, "blocked": False} for container in host["others"])]
    off = host["off_network"]
    return {
        "name": host["name"],
        "state": host["state"],
        "subnet": host["subnet"],
        "listed": [_entry(container) for container in ordered[:most]],
        "more": len(host["containers"]) + host["untested"] - len(ordered[:most]),
        "more_blocked": sum(container["blocked"] for container in ordered[most:]),
        "off": off[:most],
        "more_off": len(off[most:]),
    }


def _entry(container: Container) -> dict[str, Any]:
    """Return the container's name and address, whether no path to it works, and its service and ports as text, "" if unknown."""
    port = _text(container.get("port", ""))
    return {
        "name": container["name"],
        "address": container["address"],
        "blocked": container["blocked"],
        "service": _text(container.get("service", "")),
        "ports": f"port {port}" if port else _ports(container.get("ports", "")),
    }


def _text(label: str) -> str:
    """Return a label, which the probe has as a URL would, in a line."""
    text = "".join(letter if letter.isprintable() else " " for letter in unquote_plus(label)).strip()
    return text if len(text) <= MAX_LENGTH else f"{text[: MAX_LENGTH - 1]}…"


def _ports(ports: str) -> str:
    """Return in words a list such as "8080:80/tcp,443/tcp", with a host's port where one is published, by IPv4 and IPv6 alike."""
    words = []
    for port in dict.fromkeys(re.sub("/tcp$", "", port) for port in ports.split(",") if port):
        published, _, own = port.rpartition(":")
        words.append(f"{own} (published as {published})" if published else own)
    if not words:
        return ""
    more = f" and {len(words) - MAX_PORTS} more" if len(words) > MAX_PORTS else ""
    return f"{'port' if len(words) == 1 else 'ports'} {', '.join(words[:MAX_PORTS])}{more}"


class FilterModule:
    """Ansible's interface to this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"weave_containers": arrange_containers}
