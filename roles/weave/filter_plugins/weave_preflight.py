"""Whether the role can go on with a host. Pure. Self-contained, as a role's filter plugins can't import one another."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any


def find_unmet_precondition(
    probed: dict[str, Any],
    host: str,
    cluster: str,
    group: str,
    uses_bridge: bool,
    needs_host_index: bool,
    default_peers: bool,
    needs_running_docker: bool = False,
    unreachable: str = "keep",
    runs_router: bool = False,
    printed: str = "",
    teardown: bool = False,
    mode: str = "bridge",
    scope: bool = False,
) -> str:
    """Return why the role can't go on with a host, or ""; weave_preflight.yml describes the parameters."""

    def problems() -> Iterator[str]:
        if unreachable == "stop":
            yield from _missing_hosts(json.loads(cluster), group)
        if not probed:
            shown = " ".join(printed.split())[:200] or "nothing"
            yield (
                f"ansible_connection: the probe of {host} must print one line of JSON (found: {shown}). Run `ansible -i INVENTORY "
                f"{host} --become -m raw -a id`, and correct what the login shell or sudo prints."
            )
        if probed.get("user_id", 0) != 0:
            yield (
                f"ansible_become: the role must become root on {host} (found that it becomes the user with the id "
                f"{probed['user_id']}). Remove ansible_become and ansible_become_user from the inventory, or set them to true and "
                "root."
            )
        if probed.get("docker_uses_bridge") and not uses_bridge:
            yield (
                f"weave_mode: must be bridge while Docker on {host} uses the bridge weave, which the router would recreate (found "
                f"{mode}). Run playbooks/teardown.yml first, or set weave_mode: bridge."
            )
        if probed.get("inventory_nodejs") and not probed.get("nodejs"):
            unsuitable = probed.get("unsuitable_nodejs") or "no program"
            yield _nodejs_problem(host, probed["inventory_nodejs"], unsuitable, probed.get("nodejs_problem", ""))
        if teardown:
            yield from _unseen_containers(probed.get("docker", ""), host)
        # The other hosts don't matter to a host that leaves the network.
        else:
            resolved = json.loads(cluster)
            yield from _differences(resolved["differences"], group)
            yield from _identity_problems(resolved["duplicates"], group, uses_bridge, runs_router)
            yield from _cluster_problems(resolved, host, group, needs_host_index, default_peers)
            if probed.get("missing_scope_script"):
                yield (
                    f"weave_scope_dest: must be the scope script on {host} (found no file {probed['missing_scope_script']}). Set "
                    "weave_scope_sha256 or weave_scope_script_file to install it, or weave_scope_enabled: false."
                )
            if probed.get("lacks_docker_client"):
                yield from _docker_client_problems(host, runs_router, scope)
            if probed.get("missing_script"):
                yield (
                    f"weave_bin: must be the weave script on {host} (found no file {probed['missing_script']}). Set weave_sha256 "
                    "or weave_script_file to install it, copy it there, or set weave_datapath: vxlan, which does not need it."
                )
            if probed.get("machine_id") == "" and not probed.get("set_mac"):
                subject = "weave_mac: must be set for" if uses_bridge else "weave_mode: must be bridge on"
                yield (
                    f"{subject} a host without a machine-id (found none in /etc/machine-id of {host}). Run "
                    f"systemd-machine-id-setup there{', or set weave_mac in the inventory' if uses_bridge else ''}."
                )
            yield from _docker_problems(probed, host, group, needs_running_docker)
            yield from _vxlan_problems(probed, host)
            if probed.get("missing_program") == "ethtool":
                yield (
                    f"weave_mode: bridge with the router needs ethtool on {host} (found no such program). Install it "
                    "(apt install ethtool), or set weave_datapath: vxlan, which does not need it."
                )

    return next(problems(), "")


def _missing_hosts(cluster: dict[str, Any], group: str) -> Iterator[str]:
    found = [
        f"{what} {', '.join(cluster[kind])}"
        for kind, what in (("unreachable", "no answer from"), ("failed_before_probe", "an earlier failure of"))
        if cluster[kind]
    ]
    if found:
        yield (
            f"weave_unreachable: stop needs all hosts of the run (found {' and '.join(found)}). Correct what is wrong there, "
            f"remove them from the group {group}, or set weave_unreachable: keep, with which the others keep them as peers."
        )


def _nodejs_problem(host: str, path: str, unsuitable: str, problem: str) -> str:
    if problem == "writable":
        return (
            f"ansible_node_interpreter: {path} on {host} must be a program that only root can change, as root runs it (found that "
            f"others can write it, a link to it or a directory above it; `namei -l {path}` shows which). Make root their "
            "owner and remove write permission for others (chown root, chmod go-w), or remove the path, so that the role finds or "
            "installs Node.js."
        )
    if problem == "not_checked":
        return (
            f"ansible_node_interpreter: {path} on {host} must be a program that only root can change, as root runs it (found that "
            "this can't be checked without the program namei). Install util-linux there, or remove the path, so that the role "
            "finds or installs Node.js."
        )
    return (
        f"ansible_node_interpreter: {path} on {host} must be Node.js 16 or newer (found {unsuitable}). Correct the path, or remove "
        "it, so that the role finds or installs Node.js."
    )


def _differences(differences: dict[str, dict[str, list[str]]], group: str) -> Iterator[str]:
    for variable, hosts_of_value in differences.items():
        what = "what carries the traffic, encrypted or not, " if variable == "weave_datapath" else ""
        values = [
            ", ".join(hosts) if variable == "weave_password" else f"{value} for {', '.join(hosts)}"
            for value, hosts in hosts_of_value.items()
        ]
        of = "different ones, which are not shown, for " if variable == "weave_password" else ""
        yield (
            f"{variable}: {what}must be the same on all hosts of the group {group}, or they do not reach each other (found "
            f"{of}{' and '.join(values)}). Set it for the whole group."
        )


def _identity_problems(
    duplicates: list[dict[str, Any]], group: str, uses_bridge: bool, runs_router: bool
) -> Iterator[str]:
    for found in duplicates:
        option, value, machine_id = found["option"], found["value"], found["machine_id"]
        hosts = ", ".join(found["hosts"])
        must = f"must be different for each host of the group {group}, or they do not reach each other"
        different = f"weave_{option}: {must}"
        clones = (
            "If they are clones, run `rm -f /etc/machine-id /var/lib/dbus/machine-id && systemd-machine-id-setup` on all but one "
            f"of them{', or set weave_mac for each in the inventory' if uses_bridge else ''}. If they are one host by several "
            "names, remove all but one of these from the group."
        )
        if option == "underlay_address":
            yield _shared_underlay(value, hosts)
        elif option == "wireguard_identity" and not runs_router:
            yield (
                "weave_wireguard_identity: must be the address by which the other hosts reach only this host (found "
                f"{value} as the identity or the underlay address of {hosts}). Set each host's own address in the inventory, or "
                "remove it for hosts whose underlay address the others use."
            )
        elif option == "wireguard_key" and not runs_router:
            yield (
                f"weave_wireguard_key: {must} (found one key for {hosts}, which is not shown). Set what `wg genkey` prints "
                "for each host, and its public key in weave_wireguard_peer_keys."
            )
        elif machine_id and option == "mac" and uses_bridge:
            yield f"{different} (found {value} for {hosts}, derived from the machine-id {machine_id} of each). {clones}"
        elif machine_id and option == "mac":
            yield (
                f"weave_server_group: the hosts of {group} must have different machine-ids, from which the routers' names "
                f"are derived (found {machine_id} on {hosts}). {clones}"
            )
        elif uses_bridge and not option.startswith("wireguard"):
            yield f"{different} (found {value} for {hosts}). Set another one for each host in the inventory."


def _shared_underlay(address: str, hosts: str) -> str:
    return (
        f"weave_underlay_address: must be an address by which the other hosts reach only this host (found {address} for {hosts}). "
        "Set each host's own address in the inventory, or weave_underlay_interface to the interface that has it."
    )


def _cluster_problems(
    cluster: dict[str, Any], host: str, group: str, needs_host_index: bool, default_peers: bool
) -> Iterator[str]:
    known, unknown = cluster["known"], cluster["unknown"]
    if needs_host_index and len(set(known.values())) < len(known):
        indexes = ", ".join(f"{index} for {name}" for name, index in sorted(known.items()))
        yield (
            f"weave_host_index: must be different for each host of the group {group}, or hosts would have the same addresses "
            f"(found {indexes}). Set another one for each host."
        )
    if needs_host_index and host not in known and unknown:
        yield (
            f"weave_host_index: must be set for {host} as long as the indexes of other hosts are unknown (found no answer from "
            f"{', '.join(unknown)}). Make them reachable, remove them from the group {group}, or set weave_host_index in the "
            "inventory."
        )
    by_ipv6 = [f"{address} for {name}" for name, address in cluster["underlays"].items() if ":" in address]
    if by_ipv6 and default_peers:
        yield (
            "weave_underlay_address: must be set for a host that Ansible reaches by IPv6, as the hosts reach each other by IPv4 "
            f"(found {', '.join(by_ipv6)}). Set its IPv4 address, or a name for that, in the inventory."
        )
    for address, names in cluster["shared"].items() if default_peers else ():
        yield _shared_underlay(address, ", ".join(names))
    if default_peers:
        yield from _unrendered(cluster["unrendered"], group)
    without_address = [
        name for name, address in cluster["underlays"].items() if not address and name not in cluster["unrendered"]
    ]
    unanswered = [name for name in without_address if name in cluster["unanswered"]]
    if unanswered:
        unread = [
            f"{names}, whose {interface} could not be read" for interface, names in _by_interface(cluster, unanswered)
        ]
        yield (
            "weave_underlay_address: must be set in the inventory for hosts that can't be reached, or the others would lose them "
            f"as peers (found none for {'; none for '.join(unread)}). Set it, make them reachable, or "
            f"remove them from the group {group}."
        )
    if without_address:
        none = [f"{interface} of {names}" for interface, names in _by_interface(cluster, without_address)]
        yield (
            "weave_underlay_interface: must be an interface with an IPv4 address on each host (found none on "
            f"{' and '.join(none)}). Set each host's own interface, or weave_underlay_address, in the inventory."
        )


def _by_interface(cluster: dict[str, Any], names: list[str]) -> list[tuple[str, str]]:
    interfaces = dict.fromkeys(cluster["interfaces"][name] for name in names)
    return [
        (interface, ", ".join(name for name in names if cluster["interfaces"][name] == interface))
        for interface in interfaces
    ]


def _unrendered(variables: dict[str, str], group: str) -> Iterator[str]:
    for variable in dict.fromkeys(variables.values()):
        hosts = ", ".join(name for name, of_host in variables.items() if of_host == variable)
        yield (
            f"{variable}: must be known for hosts that are not reached, too, or the others would lose them as peers (found a "
            f"template that can't be rendered for {hosts}, such as one with facts). Set their addresses in the inventory, gather "
            f"or cache the facts, make the hosts reachable, or remove them from the group {group}."
        )


def _docker_client_problems(host: str, runs_router: bool, scope: bool) -> Iterator[str]:
    if runs_router:
        yield (
            f"weave_datapath: router needs Docker's client on {host}, which the weave script runs (found no program docker). "
            "Install it (apt install docker-cli), or set weave_datapath: vxlan, which does not need it."
        )
    if scope:
        yield (
            f"weave_scope_enabled: Scope needs Docker's client on {host}, which its script runs (found no program docker). "
            "Install it (apt install docker-cli), or set weave_scope_enabled: false."
        )


def _unseen_containers(docker: str, host: str) -> Iterator[str]:
    must = f"Docker: must run on {host}, or Weave's containers can't be found and removed"
    if docker == "stopped":
        remedy = "Start it (systemctl start docker), or run site.yml first if it does not start without the bridge."
        yield f"{must} (found it stopped). {remedy}"
    elif docker == "masked":
        yield (
            f"{must} (found docker.service masked). Run `systemctl unmask docker.service && systemctl start docker` there."
        )


def _docker_problems(probed: dict[str, Any], host: str, group: str, needs_running: bool) -> Iterator[str]:
    docker = probed.get("docker", "running")
    if docker == "missing":
        missing = probed.get("missing_docker", "docker.service")
        unit = ", which docker.service starts" if missing.startswith("/") else ""
        yield (
            f"Docker: must be installed on {host} (found no {missing}{unit}). Install it there (apt install docker.io), or remove "
            f"the host from the group {group}."
        )
    elif docker == "masked":
        yield (
            f"Docker: must be able to start on {host} (found docker.service masked). Run `systemctl unmask docker.service` there, "
            f"or remove the host from the group {group}."
        )
    elif docker == "stopped" and needs_running:
        yield f"weave_datapath: router needs a running Docker (found it stopped on {host}). Start it (systemctl start docker)."


def _vxlan_problems(probed: dict[str, Any], host: str) -> Iterator[str]:
    """Yield what only some hosts may lack, which the others would be cut off from if they were changed first."""
    encrypted = "weave_datapath: vxlan with weave_password or weave_wireguard_key needs"
    if probed.get("missing_program") == "wg":
        yield f"{encrypted} wireguard-tools on {host} (found no program wg). Install it (apt install wireguard-tools)."
    if probed.get("missing_module") == "wireguard":
        yield (
            f"{encrypted} a kernel with WireGuard, or the program wireguard-go, on {host} (found neither). Install a kernel that "
            "has the module wireguard (Linux 5.6 or newer), or wireguard-go (apt install wireguard-go)."
        )
    elif probed.get("missing_module"):
        module = probed["missing_module"]
        yield (
            f"weave_datapath: vxlan needs the kernel module {module} on {host} (found that the kernel can't load it). Install or "
            f"allow it (modprobe {module}), or set weave_datapath: router."
        )


def describe_failed_probe(result: dict[str, Any], host: str) -> str:
    """Return why a task that ran the probe failed: in most cases because of sudo, of which Ansible says only what it printed."""
    printed = f"{result.get('stdout', '')}{result.get('stderr', '')}".strip() or str(result.get("msg", "")).strip()
    lines = printed.splitlines()
    found = lines[-1].strip() if lines else "nothing"
    if re.search("(sudo|su|doas): .*not found", printed):
        return (
            f"ansible_become: the role must become root on {host} (found: {found}). Install sudo there, or if Ansible logs in as "
            "root, set ansible_user: root or ansible_become: false."
        )
    if re.search("sudo|doas|privilege escalation|become|Missing .* password", printed):
        return (
            f"ansible_become_password: the role must become root on {host} (found: {found}). Run with -K, which asks for the sudo "
            f"password, or correct ansible_user and sudo's configuration there (ansible -i INVENTORY {host} --become -K -m raw "
            "-a id)."
        )
    return (
        f"ansible_connection: the shell of {host} must run the role's probe (found: {found}). Correct this, and try it with a "
        f"command such as `ansible -i INVENTORY {host} --become -m raw -a id`."
    )


class FilterModule:
    """Ansible's interface to this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"weave_preflight": find_unmet_precondition, "weave_failed_probe": describe_failed_probe}
