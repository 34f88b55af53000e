"""Whether the role can go on with a host. Pure, and self-contained: a role's filter plugins can't import one another."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any


def preflight(
    probed: dict[str, Any],
    host: str,
    cluster: str,
    group: str,
    interface: str,
    host_index: int | str,
    encrypted_vxlan: bool,
    bridged: bool,
    numbered: bool,
    default_peers: bool,
    printed: str = "",
    teardown: bool = False,
    downloads: list[dict[str, str]] | None = None,
) -> str:
    """Return why the role can't go on with a host, or ""; weave_preflight.yml describes the parameters."""

    def problems() -> Iterator[str]:
        if not probed:
            shown = " ".join(printed.split())[:200] or "nothing"
            yield (
                f"ansible_connection: the probe of {host} must print a line of JSON (found {shown}). Check what a login there "
                "prints, and its shell."
            )
        if encrypted_vxlan:
            yield (
                "weave_password: the datapath vxlan does not encrypt (weave_password is set). Remove the password, or set "
                "weave_datapath: router."
            )
        if int(host_index) < 1:
            yield f"weave_host_index: must be 1 or more (found {host_index} for {host}). Correct it in the inventory."
        if probed.get("bridged") and not bridged:
            yield (
                f"weave_mode: the router would recreate the bridge weave, which Docker of {host} uses (found weave_mode "
                "proxy or plugin). Run playbooks/teardown.yml first, or set weave_mode: bridge."
            )
        if probed.get("given") and not probed.get("node"):
            yield (
                f"ansible_node_interpreter: {probed['given']} on {host} must be Node 16 or newer (found "
                f"{probed.get('unfit') or 'no program'}). Correct the path, or remove it and the role finds or installs Node."
            )
        yield from _cluster_problems(json.loads(cluster), host, group, interface, numbered, default_peers)
        if not teardown:
            yield from _download_problems(downloads or [])
            if probed.get("missing"):
                yield (
                    f"weave_bin: {probed['missing']} not found on {host}. Set weave_sha256 or weave_script_file to install it, "
                    "copy it there, or set weave_datapath: vxlan, which does not need it."
                )

    return next(problems(), "")


def _cluster_problems(
    cluster: dict[str, Any], host: str, group: str, interface: str, numbered: bool, default_peers: bool
) -> Iterator[str]:
    known, unknown = cluster["known"], cluster["unknown"]
    if host not in cluster["indexes"]:
        yield (
            f"weave_server_group: {host} is not in the group {group}. Add it to the group, or run the role on that group alone "
            f"(hosts: {group})."
        )
    if numbered and len(set(known.values())) < len(known):
        numbers = ", ".join(f"{name} is {index}" for name, index in sorted(known.items()))
        yield (
            f"weave_host_index: two hosts of the group {group} have the same number, and would have the same addresses "
            f"({numbers}). Give each host its own number."
        )
    if numbered and host not in known and unknown:
        yield (
            f"weave_host_index: {host} has no number yet, and which numbers are free is unknown ({', '.join(unknown)} can't be "
            f"reached). Make them reachable, remove them from the group {group}, or set weave_host_index in the inventory."
        )
    for address, names in cluster["shared"].items() if default_peers else ():
        yield (
            f"weave_underlay_address: {address} must lead the other hosts to one host (found for {', '.join(names)}). Set "
            "each host's own address in the inventory, or weave_underlay_interface to the interface that has it."
        )
    lost = [name for name, address in cluster["underlays"].items() if not address]
    if lost:
        yield (
            f"weave_underlay_interface: no IPv4 address on {interface} is known for {', '.join(lost)}. Set an interface that all "
            "hosts have, or weave_underlay_address in the inventory."
        )


def _download_problems(downloads: list[dict[str, str]]) -> Iterator[str]:
    for item in downloads:
        variable, url, sha256 = item.get("variable", "weave_image_archives"), item.get("url"), item.get("sha256") or ""
        if item.get("file"):
            continue
        if not url:
            yield f"{variable}: {item.get('image') or item.get('path')} must have a url or a file. Set url and sha256, or file."
        elif not re.fullmatch("[0-9a-f]{64}", sha256):
            yield (
                f"{variable}: the download of {url} needs a SHA-256 checksum of 64 lower-case hexadecimal digits (found "
                f"{sha256 or 'none'}). Set it to what `sha256sum` prints for a trusted copy, or use a copy on the controller."
            )


class FilterModule:
    """Ansible's interface to this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"weave_preflight": preflight}
