"""What a run would change that all hosts must have alike. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from typing import Any


def find_cluster_change(answer: dict[str, Any], datapath: str, network: str, ports: dict[str, Any]) -> str:
    """Return the beginning of a message about the first such change, "" if there is none.

    answer: what files/probe.sh found on the host.
    datapath: what is to carry frames to the other hosts, in the words of files/probe.sh.
    network: the desired container network or, with its prefix length, the bridge's address; "" if the role has no bridge.
    ports: the values of weave_vxlan_id, weave_vxlan_port and weave_wireguard_port, by these names.
    """
    messages = (
        f"{variable} must change on all hosts together (found {desired} to replace {current}"
        for variable, desired, current in _changes(answer, datapath, network, ports)
    )
    return next(messages, "")


def _changes(
    answer: dict[str, Any], datapath: str, network: str, ports: dict[str, Any]
) -> Iterator[tuple[str, str, str]]:
    """Yield each change: the variable, its desired value and the current one."""
    current = answer.get("datapath", "")
    if current not in ("", datapath):
        yield "weave_datapath: what carries the traffic, encrypted or not,", datapath, current
    for name, desired in ports.items():
        found = answer.get(name.removeprefix("weave_"), "")
        # A WireGuard that is removed has no port, and neither has one that is added.
        if datapath == current and found and str(desired) != found:
            yield f"{name}:", str(desired), found
    address = answer.get("bridge_address", "")
    if network and address:
        desired_network = ipaddress.IPv4Interface(network).network
        if ipaddress.IPv4Address(address) not in desired_network:
            yield "weave_network:", str(desired_network), f"that of {address}"


class FilterModule:
    """Ansible's interface to this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"weave_cluster_change": find_cluster_change}
