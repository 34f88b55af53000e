"""What playbooks/verify.yml writes for Prometheus: text for node_exporter's textfile collector.

The format: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

PREFIX = "apollo_weave_verify_"
Host = dict[str, Any]

# By name: the text and the value of a host; None leaves it out.
OF_HOST: dict[str, tuple[str, Callable[[Host], int | None]]] = {
    "host_answers": ("Whether Ansible reached the host.", lambda host: int(not host["error"])),
    "bridge_up": (
        "Whether the bridge weave is up and has an address.",
        lambda host: (
            int(host["bridge"]["state"] == "up" and bool(host["bridge"]["address"])) if not host["error"] else None
        ),
    ),
    "datapath_up": (
        "Whether the VXLAN is up, or something listens on the router's TCP port.",
        lambda host: int(host["datapath"]["state"] == "up") if "datapath" in host else None,
    ),
    "peers": (
        "Number of other hosts that this one has tunnels to. The router's established connections are in peers_connected.",
        lambda host: _peers(host, "vxlan"),
    ),
    "peers_connected": (
        "Number of the router's established connections. A VXLAN has no connections.",
        lambda host: _peers(host, "router"),
    ),
    "encrypted": (
        "Whether WireGuard encrypts the VXLAN.",
        lambda host: (
            int(bool(host["datapath"].get("wireguard"))) if host.get("datapath", {}).get("kind") == "vxlan" else None
        ),
    ),
    "docker_running": (
        "Whether Docker runs.",
        lambda host: int(host["docker"] == "running") if "docker" in host else None,
    ),
    "docker_on_bridge": (
        "Whether Docker gives its containers addresses on the bridge.",
        lambda host: int(bool(host.get("subnet")) and not host.get("off_network")) if "docker" in host else None,
    ),
    "containers": (
        "Number of running containers on the network.",
        lambda host: host.get("containers_total"),
    ),
    "containers_tested": (
        "Number of containers that were pinged, or pinged others.",
        lambda host: host["containers_tested"] if "docker" in host else None,
    ),
    "containers_not_running": (
        "Number of containers that Docker fails to start.",
        lambda host: len(host.get("not_running", [])) if "docker" in host else None,
    ),
}


def render_metrics(findings: dict[str, Any], problems: int, time: int) -> str:
    """Return the metrics of what weave_findings returned.

    problems: the number of problems that weave_problems returned.
    time: seconds since 1970.
    """
    lines: list[str] = []
    hosts = [{**host, "containers_tested": _containers_tested(host, findings["sources"])} for host in findings["hosts"]]
    for name, (text, value) in OF_HOST.items():
        lines += _metric(name, text, {host["name"]: value(host) for host in hosts})
    tested: dict[str, int | None] = {}
    blocked: dict[str, int | None] = {}
    for source in findings["sources"]:
        name, ms = source["host"], list(source["ms"].values())
        tested[name] = (tested.get(name) or 0) + len(ms)
        blocked[name] = (blocked.get(name) or 0) + ms.count(None)
    lines += _metric("paths_tested", "Number of paths from the host and its container that were tested.", tested)
    lines += _metric(
        "paths_blocked", "Number of tested paths from the host and its container that are blocked.", blocked
    )
    lines += _metric(
        "peer_handshake_age_seconds",
        "Seconds since WireGuard's last handshake with the peer; +Inf if there was none.",
        {(tunnel["from"], tunnel["to"]): _age(tunnel["handshake"]) for tunnel in findings.get("tunnels", [])},
    )
    lines += _metric("problems", "Number of problems that playbooks/verify.yml found.", {"": problems})
    lines += _metric("timestamp_seconds", "When playbooks/verify.yml ran, in seconds since 1970.", {"": time})
    return "".join(f"{line}\n" for line in lines)


def _containers_tested(host: Host, sources: list[dict[str, Any]]) -> int:
    pinged = {address for source in sources for address in source["ms"]}
    pinging = {source["container"] for source in sources if source["host"] == host["name"] and source["ms"]}
    return sum(1 for one in host["containers"] if one["address"] in pinged or one["name"] in pinging)


def _peers(host: Host, kind: str) -> int | None:
    datapath = host.get("datapath", {})
    return len(datapath.get("peers", [])) if datapath.get("kind") == kind else None


def _age(seconds: int | None) -> str:
    return "+Inf" if seconds is None else str(seconds)


def _metric(name: str, text: str, values: Mapping[Any, int | str | None]) -> list[str]:
    """values: by the labels' values, host and peer; "" stands for no label."""
    samples = [f"{PREFIX}{name}{_labels(of)} {value}" for of, value in values.items() if value is not None]
    return [f"# HELP {PREFIX}{name} {text}", f"# TYPE {PREFIX}{name} gauge", *samples] if samples else []


def _labels(of: str | tuple[str, ...]) -> str:
    values = (of,) if isinstance(of, str) else of
    if not values[0]:
        return ""
    return f"{{{','.join(_label(*pair) for pair in zip(('host', 'peer'), values))}}}"


def _label(name: str, value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{name}="{escaped}"'


class FilterModule:
    """Ansible's interface to this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"weave_metrics": render_metrics}
