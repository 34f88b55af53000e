"""What playbooks/verify.yml reports as wrong, and where to look for the cause."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

DOCKER = {
    "missing": ("be installed", "no dockerd", "Install it (apt install docker.io)"),
    "no_client": ("have its client", "no program docker", "Install it (apt install docker-cli)"),
    "stopped": ("run", "it stopped", "Start it (systemctl start docker)"),
    "unresponsive": (
        "answer",
        "no answer within 15 seconds",
        "See which container hangs (docker ps; docker inspect NAME) and remove it, or restart Docker (systemctl restart docker)",
    ),
    "failing": ("answer", "{docker_error}", "Correct this (docker ps; docker inspect)"),
}


def list_problems(
    findings: dict[str, Any],
    uses_bridge: bool,
    excused: Sequence[str] = (),
    network: str = "bridge",
    encrypted: bool = False,
) -> list[str]:
    """Return what is wrong with what weave_findings returned, a line for each problem.

    uses_bridge: whether the role attaches a Docker network to the bridge weave.
    excused: the names of hosts of which not everything need be tested; "all" stands for all.
    network: the Docker network that the role attaches to it.
    encrypted: whether WireGuard is to encrypt the VXLAN.

    First what is wrong on a host, then the blocked paths, then their possible causes with what to do.
    """
    targets = findings["targets"]
    excused = [host["name"] for host in findings["hosts"]] if "all" in excused else excused
    hosts = [host for host in findings["hosts"] if not (host["error"] and host["name"] in excused)]
    sources = [
        {**source, "untested": []} if source["host"] in excused else source
        for source in findings["sources"]
        if not (source["error"] and source["host"] in excused)
    ]
    from_host = {source["host"]: source["ms"] for source in sources if source["container"] is None}
    by_host = _grouped(targets, "host")
    unreachable = [*_unreachable_containers(hosts, sources), *_restricted_containers(sources, from_host)]
    dropping = {
        host["name"]: host["frames"] for host in hosts if host.get("frames") and host["name"] in dict(unreachable)
    }
    return [
        *(line for host in hosts for line in _host_problems(host, uses_bridge, network)),
        *(line for host in hosts if host["name"] not in excused for line in _untested(host)),
        *(_unencrypted(hosts) if encrypted else ()),
        *_same_addresses(targets),
        *_same_macs(hosts),
        *(line for source in sources for line in _blocked(source, by_host)),
        *_unconnected_hosts(hosts, from_host, findings.get("faults", {})),
        *(_dropped_frames(name, reason) for name, reason in dropping.items()),
        *(line for host, line in unreachable if host not in dropping),
    ]


def _host_problems(host: dict[str, Any], uses_bridge: bool, network: str) -> Iterator[str]:
    name, bridge, remedy = host["name"], host["bridge"], _run_the_role(host)
    if host.get("user_id", 0) != 0:
        yield (
            f"{name}: Ansible must become root there (found that it becomes the user with the id {host['user_id']}). Remove "
            "ansible_become and ansible_become_user from the inventory, or set them to true and root."
        )
        return
    if re.search("(sudo|su|doas): .*not found", host["error"]):
        yield (
            f"{name}: Ansible must become root there (found: {_without_stop(host['error'])}). Install sudo, or if Ansible logs in "
            "as root, set ansible_user: root or ansible_become: false."
        )
        return
    if re.search("sudo|privilege escalation", host["error"]):
        yield (
            f"{name}: Ansible must become root there (found: {_without_stop(host['error'])}). Run with -K, which asks for the sudo "
            f"password, or correct ansible_user and sudo's configuration (ansible -i INVENTORY {name} --become -K -m raw -a id)."
        )
        return
    if host["error"]:
        yield (
            f"{name}: must be reachable by Ansible (found: {_without_stop(host['error'])}). Check that it is powered on, "
            f"and that Ansible can log in (ansible -i INVENTORY {name} --become -m raw -a id)."
        )
        return
    if bridge["state"] == "missing":
        yield f"{name}: must have the bridge weave (found none). {remedy}."
    elif bridge["state"] == "down":
        yield f"{name}: the bridge weave must be up (found it down). {remedy}."
    elif not bridge["address"]:
        yield f"{name}: the bridge weave must have an address (found none). {remedy}."
    elif host["datapath"]["state"] == "down":
        yield f"{name}: the VXLAN of the bridge weave must be up (found it down). {remedy}."
    elif (host["datapath"].get("wireguard") or {}).get("state") == "down":
        yield f"{name}: WireGuard's device weave-wg must be up (found it down). {remedy}."
    subject, restart = ("Docker", ", which restarts Docker")
    if network != "bridge":
        subject, restart = f"its Docker network {network}", ""
    if host["off_network"] and uses_bridge:
        yield (
            f"{name}: {subject} must use the bridge weave (found containers that are not on the network: "
            f"{', '.join(host['off_network'])}). {remedy}{restart}."
        )
    elif uses_bridge and host.get("docker") == "running" and host.get("subnet", "unknown") is None:
        other = "it on another one" if network == "bridge" else "no such network there"
        yield f"{name}: {subject} must use the bridge weave (found {other}). {remedy}{restart}."


def _untested(host: dict[str, Any]) -> Iterator[str]:
    """Yield why some of a host's containers can't be tested."""
    name, state, failed = host["name"], host.get("docker"), host.get("not_running", [])
    excuse = f"or list {name} in weave_verify_excused"
    if host.get("user_id", 0) != 0:
        return
    if state in DOCKER:
        must, found, remedy = DOCKER[state]
        found = found.format(docker_error=host.get("docker_error") or "an error of docker ps")
        yield f"{name}: Docker must {must}, or its containers can't be tested (found {found}). {remedy}, {excuse}."
    if failed:
        yield (
            f"{name}: all containers that were started must run, or they can't be tested (found that Docker fails to start "
            f"{', '.join(failed)}). See why (docker inspect --format '{{{{.State.Error}}}}' {failed[0]}; docker logs {failed[0]}), "
            f"remove them, {excuse}."
        )


def _unencrypted(hosts: list[dict[str, Any]]) -> Iterator[str]:
    datapaths = {host["name"]: host.get("datapath", {}) for host in hosts}
    clear = [name for name, path in datapaths.items() if path.get("kind") == "vxlan" and not path.get("wireguard")]
    if clear:
        yield (
            "weave_password: WireGuard must encrypt the VXLAN of each host, as this or weave_wireguard_key is set (found none on "
            f"{', '.join(clear)}). Run the role on all hosts together (ansible-playbook -i INVENTORY site.yml)."
        )


def _same_addresses(targets: list[dict[str, Any]]) -> Iterator[str]:
    for address, same in _grouped(targets, "address").items():
        if len(same) > 1:
            yield (
                f"{' and '.join(dict.fromkeys(target['host'] for target in same))}: must have different addresses (found {address} "
                "on each). Set another weave_host_index for each host, and run the role."
            )


def _same_macs(hosts: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the hosts that no bridge can tell apart: each accepts a frame for the other as its own."""
    by_mac: dict[str, list[dict[str, Any]]] = {}
    for host in hosts:
        if _mac(host):
            by_mac.setdefault(_mac(host), []).append(host)
    for mac, same in by_mac.items():
        if len(same) < 2:
            continue
        names = " and ".join(host["name"] for host in same)
        found, remedy = mac, "Set another weave_mac for each host"
        machine_id = same[0]["identity"]["machine_id"]
        if machine_id and all(host["identity"]["machine_id"] == machine_id for host in same):
            found = f"{mac}, and the machine-id {machine_id}"
            remedy = (
                "If they are clones, run `rm -f /etc/machine-id /var/lib/dbus/machine-id && systemd-machine-id-setup` on all but "
                "one of them, or set weave_mac for each"
            )
        yield f"{names}: the bridges must have different MAC addresses (found {found} on each). {remedy}, and run the role."


def _mac(host: dict[str, Any]) -> str:
    return host.get("identity", {}).get("mac", "")


def _blocked(source: dict[str, Any], targets_by_host: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    if source["error"]:
        yield (
            f"{_name(source)}: no path could be tested (found: {_without_stop(source['error'])}). Correct this, and run "
            "playbooks/verify.yml again."
        )
    elif source.get("untested"):
        yield (
            f"{_name(source)}: each address must be pinged, or its paths are not tested (found no result for "
            f"{', '.join(source['untested'])}). Run playbooks/verify.yml again."
        )
    blocked = []
    for host, targets in targets_by_host.items():
        unreached = [target for target in targets if source["ms"].get(target["address"], 0) is None]
        if len(unreached) == len(targets) > 1:
            blocked.append(f"{host} and its containers ({', '.join(target['address'] for target in unreached)})")
        else:
            blocked += [f"{_name(target)} ({target['address']})" for target in unreached]
    if blocked:
        yield f"{_name(source)} does not reach {', '.join(blocked)}."


def _unconnected_hosts(hosts: list[dict[str, Any]], from_host: dict[str, Any], faults: dict[str, str]) -> Iterator[str]:
    """Yield the possible causes where one host does not reach another."""
    # What is down on the others is reported as their problem.
    healthy = [
        host for host in hosts if host["bridge"]["state"] == "up" and host["bridge"]["address"] and not _is_down(host)
    ]
    unconnected = {}
    firewalls = {}
    for one, other in itertools.combinations(healthy, 2):
        there = from_host.get(one["name"], {}).get(other["bridge"]["address"], 0)
        back = from_host.get(other["name"], {}).get(one["bridge"]["address"], 0)
        # Whatever carries frames between them, they don't reach each other by one MAC address.
        if (there is not None and back is not None) or (_mac(one) and _mac(one) == _mac(other)):
            continue
        unconnected.update({host["name"]: host for host in (one, other) if host["datapath"]["kind"] == "none"})
        if "none" not in (one["datapath"]["kind"], other["datapath"]["kind"]):
            fault = faults.get(f"{one['name']} {other['name']}")
            yield f"{one['name']} and {other['name']}: {fault or _between(one, other)}"
            firewalls.update({host["name"]: host["firewall"] for host in (one, other) if host.get("firewall")})
    for name, firewall in firewalls.items():
        yield (
            f"{name}: its firewall must accept what the other hosts send (found that {firewall} drops by default, and that paths "
            "are blocked). Run the role on it: it warns about what the firewall drops, and with weave_firewall: manage it allows "
            "that."
        )
    for host in unconnected.values():
        yield (
            f"{host['name']}: must have a VXLAN on the bridge weave, or a Weave router on TCP port 6783 (found neither). "
            f"{_run_the_role(host)}. If the router has exited, see its log (journalctl -u weave)."
        )


def _is_down(host: dict[str, Any]) -> bool:
    datapath = host["datapath"]
    return "down" in (datapath["state"], (datapath.get("wireguard") or {}).get("state"))


def _between(one: dict[str, Any], other: dict[str, Any]) -> str:
    datapath, other_datapath = one["datapath"], other["datapath"]
    kind, port = datapath["kind"], datapath["port"]
    if (kind, port) != (other_datapath["kind"], other_datapath["port"]):
        return (
            f"must use the same datapath and port (found {kind} on port {port}, and {other_datapath['kind']} on port "
            f"{other_datapath['port']}). Set the same weave_datapath and weave_vxlan_port for both, and run the role."
        )
    if datapath.get("id") != other_datapath.get("id"):
        return (
            f"must use the same VXLAN identifier (found {datapath.get('id')} and {other_datapath.get('id')}). Set the same "
            "weave_vxlan_id for both, and run the role."
        )
    wireguard = datapath.get("wireguard")
    ports, next_step = (
        (
            f"UDP port {wireguard.get('port') if wireguard else port}",
            "run site.yml with --check --diff, which shows what is wrong on them",
        )
        if kind == "vxlan"
        else (f"TCP and UDP port {port}", "check the state of the connection on either host (weave status connections)")
    )
    # The inventory may have other addresses, only for Ansible.
    ends = [(not wireguard and host["datapath"].get("local")) or host["underlay"] for host in (one, other)]
    return (
        f"must reach each other through the {kind} (found blocked paths between {' and '.join(ends)}). Open {ports} in both "
        f"directions, in both firewalls (weave_firewall: manage) and on the network between them. If it is open, {next_step}."
    )


def _dropped_frames(name: str, reason: str) -> str:
    if reason == "icc_off":
        return (
            f"{name}: Docker must let containers on the bridge weave reach one another (found its rule that drops their frames, "
            "as icc: false sets it). Set Docker's icc to true and restart Docker."
        )
    return (
        f"{name}: iptables must accept frames between the ports of the bridge weave (found no rule for them in FORWARD, which "
        f"drops them). Run the role on it (ansible-playbook -i INVENTORY site.yml --limit {name}). If the rule disappears again, "
        "find out what replaces the host's rules."
    )


def _unreachable_containers(hosts: list[dict[str, Any]], sources: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield the hosts of containers that do not answer though their host does, and what to check."""
    for host in hosts:
        for container in host["containers"]:
            if any(
                _only_bridge_answers(source["ms"], host["bridge"]["address"], container["address"])
                for source in sources
            ):
                yield (
                    host["name"],
                    f"{host['name']}: container {container['name']} must answer pings, as its host does (found no answer). Check "
                    f"that it runs, and check its own firewall and that of {host['name']} (iptables -S FORWARD, iptables -S "
                    "DOCKER-USER).",
                )


def _only_bridge_answers(ms: dict[str, float | None], bridge: str, container: str) -> bool:
    return ms.get(container, 0) is None and ms.get(bridge) is not None


def _restricted_containers(sources: list[dict[str, Any]], from_host: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the hosts of containers that do not reach what their host reaches, and what to check."""
    for source in sources:
        own = from_host.get(source["host"], {})
        if source["container"] and any(ms is None and own.get(to) is not None for to, ms in source["ms"].items()):
            yield (
                source["host"],
                f"{source['host']}: container {source['container']} must reach what its host reaches (found blocked paths). "
                f"Check the firewall of {source['host']} (iptables -S FORWARD, iptables -S DOCKER-USER) and the container's own.",
            )


def _name(end: dict[str, Any]) -> str:
    return end["host"] + (f"'s container {end['container']}" if end["container"] else "")


def _run_the_role(host: dict[str, Any]) -> str:
    return f"Run the role on it (ansible-playbook -i INVENTORY site.yml --limit {host['name']})"


def _without_stop(text: str) -> str:
    return re.sub("[.]$", "", text)


def _grouped(targets: list[dict[str, Any]], key: str) -> dict[str, list[dict[str, Any]]]:
    """Return the targets by their value of this key, in order of appearance."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for target in targets:
        groups.setdefault(target[key], []).append(target)
    return groups


class FilterModule:
    """Ansible's interface to this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"weave_problems": list_problems}
