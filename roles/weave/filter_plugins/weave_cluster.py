"""The host indexes and underlay addresses of a cluster. Pure; files/probe.sh says what the hosts reported.

One function over all hosts, so that a play calls it once.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jinja2

LOOPBACK = re.compile(
    r"127[.]|::1$|([^.]+[.])*localhost\d?([.]localdomain\d?)?[.]?$|ip6-(localhost|loopback)$", re.IGNORECASE
)
UNRENDERED = object()
# The variables that all hosts must have alike, in the order in which tasks/preflight.yml has the hosts report their values.
CLUSTER_WIDE = ("weave_datapath", "weave_network", "weave_vxlan_id", "weave_vxlan_port", "weave_wireguard_port")


def resolve_cluster(
    members: list[str],
    hostvars: Mapping[str, Mapping[str, Any]],
    running: list[str],
    interface: str,
    needs_host_index: bool,
    interface_of: str = "",
    failed_before_probe: Sequence[str] = (),
) -> dict[str, Any]:
    """Resolve the host indexes and underlay addresses of all hosts.

    members: the names of all hosts of the cluster, in any order.
    hostvars: their variables by name, in the inventory's order, with the registered __weave_probe, and __weave_probe_others for
        hosts outside this run.
    running: the names of the hosts that this run still works on.
    interface: the one that has the underlay address; "" for the address that Ansible connects to.
    needs_host_index: whether the hosts need indexes, from which their addresses are computed.
    interface_of: the host whose interface that is; "" if it is that of all hosts.
    failed_before_probe: the names of the hosts that this run has left, as they failed or could not be reached.

    Raises ValueError if a host index in the inventory is not a number. Returns a dict:
    to_probe: the hosts to probe before the others' indexes and addresses are certain, by the host of this run that is to probe
        them. A host that can't be reached is not probed again.
    peers: the underlay addresses of all hosts, separated by commas.
    hosts: JSON for select_host() and the filter weave_preflight. A dict would cost time: each task on each host templates every
        entry of it, but skips a text without Jinja's braces at once.

    The JSON has:
    indexes: each host's index: the inventory's, else the one it has, else the lowest free one in the order of the inventory,
        as if all of these hosts were provisioned now.
    underlays: each host's address, or a name that its peers resolve; "" if unknown.
    known: the indexes of the hosts whose index is the inventory's or the one they have.
    unrendered: the variables of the underlay addresses that are not known because their templates can't be rendered here, by
        host: of another host's facts, say, which a run without that host may not have.
    shared: addresses of several hosts, and loopback addresses, which lead a peer to itself, with the hosts that have them.
    interfaces: each host's interface, as interface above.
    unreachable: the hosts of this run that the probe could not reach.
    failed_before_probe: those that failed or could not be reached before the probe.
    unanswered: both, and those of the other hosts that were probed and could not be reached.
    unknown: the hosts that may have an index that is not known, as they gave no answer and the inventory sets none.
    duplicates: what must identify a single host, but several have, one of them in this run: see _duplicates().
    differences: the values that the hosts of this run have of variables that all must have alike, by variable, with the hosts.
        Of a secret one, only the hosts.
    """
    # Ansible walks through groups of groups by sets, so it returns their hosts in another order in each process.
    position = {host: number for number, host in enumerate(hostvars)}
    members = sorted(members, key=lambda host: position[host])
    # Each access to hostvars builds that host's variables again.
    variables = {host: hostvars[host] for host in members}
    probes = {host: variables[host].get("__weave_probe", {}) for host in members}
    other_probes = [
        probe for host in members for probe in variables[host].get("__weave_probe_others", {}).get("results", [])
    ]
    answers_of_others = {probe["item"]: parse_probe_answer(probe) for probe in other_probes}
    answers = {host: parse_probe_answer(probes[host]) or answers_of_others.get(host, {}) for host in members}

    known = {}
    for host in members:
        index = answers[host].get("host_index") or _host_index(host, variables[host])
        if index:
            known[host] = index
    taken = set(known.values())
    free = (index for index in range(1, len(members) + 1) if index not in taken)
    indexes = {host: known.get(host) or next(free) for host in members}
    interfaces = _interfaces(variables, interface, interface_of)
    underlays, unrendered = {}, {}
    for host in members:
        own = parse_probe_answer(probes[host])
        underlays[host], variable = (
            (own["address"], "")
            if own.get("address")
            else _underlay(host, variables[host], interfaces[host], {} if own else answers_of_others.get(host, {}))
        )
        if variable:
            unrendered[host] = variable
    unknown = [host for host in members if not answers[host] and host not in known]

    # While every host keeps its index, those of hosts outside this run don't matter.
    index_changes = needs_host_index and any(answer and not answer["keeps_host_index"] for answer in answers.values())
    to_probe = [
        host
        for host in members
        if not answers[host]
        # A probe does not know what is in the template.
        and ((underlays[host] == "" and host not in unrendered) or (index_changes and host in unknown))
    ]
    unreachable_others = {probe["item"] for probe in other_probes if probe.get("unreachable")}
    tried = {host for host in members if probes[host].get("unreachable")} | {probe["item"] for probe in other_probes}
    probing_hosts = [host for host in members if host in set(running) and parse_probe_answer(probes[host])]
    unreachable = [host for host in members if probes[host].get("unreachable")]
    failed = [host for host in members if host in failed_before_probe and not probes[host]]
    hosts = {
        "indexes": indexes,
        "underlays": underlays,
        "known": known,
        "unknown": unknown,
        "unreachable": unreachable,
        "failed_before_probe": failed,
        "unrendered": unrendered,
        "interfaces": interfaces,
        "unanswered": [host for host in members if host in [*unreachable, *failed] or host in unreachable_others],
        "shared": _shared(underlays),
        "duplicates": _duplicates(answers, variables, underlays, set(running)),
        "differences": _differences({host: parse_probe_answer(probes[host]) for host in probing_hosts}, variables),
    }
    return {
        "to_probe": _distribute([host for host in to_probe if host not in tried], probing_hosts),
        "peers": ",".join(underlays.values()),
        "hosts": json.dumps(hosts),
    }


def select_host(hosts: str, host: str) -> dict[str, Any]:
    """Return the host_index and underlay address of a host from the JSON of resolve_cluster()."""
    resolved = json.loads(hosts)
    return {"host_index": resolved["indexes"][host], "underlay": resolved["underlays"][host]}


def parse_probe_answer(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a probe's result reports, or {} if it is not an answer.

    A login may print lines before it. Only characters that files/probe.sh prints are accepted: the answer becomes a fact, and
    an ansible-core before 2.19 would run a template in it on the controller.
    """
    lines = re.findall(r"^(\{[\w \".,:/+-]*\})\s*$", result.get("stdout", ""), re.MULTILINE | re.ASCII)
    try:
        answer = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {}
    # A malformed answer of one host must not stop the play of the others.
    types = {"host_index": int, "keeps_host_index": bool, "address": str}
    return answer if all(type(answer.get(name)) is kind for name, kind in types.items()) else {}


def _shared(underlays: dict[str, str]) -> dict[str, list[str]]:
    holders: dict[str, list[str]] = {}
    for host, address in underlays.items():
        holders.setdefault(address, []).append(host)
    return {
        address: hosts
        for address, hosts in holders.items()
        if address and (len(hosts) > 1 or (LOOPBACK.match(address) and len(underlays) > 1))
    }


def _duplicates(
    answers: dict[str, dict[str, Any]],
    variables: Mapping[str, Mapping[str, Any]],
    underlays: dict[str, str],
    running: set[str],
) -> list[dict[str, Any]]:
    """Return what several hosts have, one of them in this run: its option (mac, bridge, docker_subnet, underlay_address,
    wireguard_identity or wireguard_key), value and hosts.

    The value of a wireguard_key is a checksum. A wireguard_identity is also compared with the others' underlay addresses, as
    either is what the peers know a host by. A host of this run counts with what it will have; another one, as far as known, with
    what it has and will have. A mac that is derived from a common machine-id has that as its machine_id, else "".
    """
    holders: dict[tuple[str, str], dict[str, str]] = {}
    identities = {host: _set_value("wireguard_identity", answer, variables[host]) for host, answer in answers.items()}
    for host, answer in answers.items():
        given = {option: _set_value(option, answer, variables[host]) for option in ("mac", "bridge", "docker_subnet")}
        machine_id = "" if given["mac"] else str(answer.get("machine_id") or "")
        # If the inventory sets the peers, several hosts may share the address that Ansible connects to. Behind different routers,
        # hosts with separate identities may have the same underlay address.
        own_address = str(answer.get("address") or host_variable(variables[host], "weave_underlay_address"))
        values = [
            ("mac", given["mac"].lower() or (derived_mac(f"{machine_id} weave") if machine_id else "")),
            ("bridge", given["bridge"].partition("/")[0]),
            ("docker_subnet", given["docker_subnet"]),
            ("underlay_address", "" if identities[host] else own_address),
            ("wireguard_identity", identities[host]),
            ("wireguard_identity", underlays[host] if underlays[host] in identities.values() else ""),
            ("wireguard_key", _set_value("wireguard_key", answer, variables[host])),
        ]
        if host not in running:
            values += [("mac", answer.get("bridge_mac", "")), ("bridge", answer.get("bridge_address", ""))]
        for option, value in values:
            if value:
                holders.setdefault((option, value), {}).setdefault(host, machine_id)
    return [
        {
            "option": option,
            "value": value,
            "hosts": list(machine_ids),
            "machine_id": next(iter(machine_ids.values())) if len(set(machine_ids.values())) == 1 else "",
        }
        for (option, value), machine_ids in holders.items()
        if len(machine_ids) > 1 and not running.isdisjoint(machine_ids)
    ]


def _differences(
    answers: dict[str, dict[str, Any]], variables: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, list[str]]]:
    """Return the variables that these hosts must have alike, and have not, with the hosts of each value."""
    holders: dict[str, dict[str, list[str]]] = {}
    for host, answer in answers.items():
        for variable, value in zip(CLUSTER_WIDE, str(answer.get("set_cluster_wide") or "").split()):
            # Some hosts may have the bridge's own address in place of the network.
            is_network = variable == "weave_network" and value != "-"
            alike = str(ipaddress.IPv4Interface(value).network) if is_network else value
            holders.setdefault(variable, {}).setdefault(alike, []).append(host)
    passwords: dict[str, list[str]] = {}
    for host in answers:
        password = str(host_variable(variables[host], "weave_password"))
        if password and not host_variable(variables[host], "weave_wireguard_key"):
            passwords.setdefault(password, []).append(host)
    holders["weave_password"] = {", ".join(hosts): hosts for hosts in passwords.values()}
    return {variable: of_value for variable, of_value in holders.items() if len(of_value) > 1}


def _set_value(option: str, answer: dict[str, Any], variables: Mapping[str, Any]) -> str:
    """Return the value that the inventory sets for a host's option, as the host's probe reported it or else from here."""
    if answer:
        return str(answer.get(f"set_{option}") or "")
    value = str(host_variable(variables, f"weave_{option}"))
    return hashlib.sha256(value.encode()).hexdigest() if value and option == "wireguard_key" else value


def host_variable(variables: Mapping[str, Any], name: str) -> Any:
    """Return a variable of a host; "" if it has none, or one whose template can't be rendered outside that host's own tasks."""
    value = _render(variables, name)
    return "" if value is None or value is UNRENDERED else value


def _render(variables: Mapping[str, Any], name: str) -> Any:
    """Return a variable of a host, or UNRENDERED: an ansible-core before 2.19 has the template then, others an undefined value."""
    try:
        value = variables.get(name)
    except Exception:
        return UNRENDERED
    is_template = isinstance(value, str) and re.search(r"\{[{%#]", value)
    return UNRENDERED if is_template or isinstance(value, jinja2.Undefined) else value


def derived_mac(text: str) -> str:
    """Return the MAC address that the module weave_bridge derives from a text: derivedMac in modules/net/validators.ts."""
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    mac = ((value >> 48) ^ value) & 0xFCFFFFFFFFFF | 0x020000000000
    return ":".join(f"{mac:012x}"[start : start + 2] for start in range(0, 12, 2))


def _distribute(items: list[str], hosts: list[str]) -> dict[str, list[str]]:
    """Spread items evenly over hosts; hosts without any are left out."""
    return {host: items[start :: len(hosts)] for start, host in enumerate(hosts[: len(items)])}


def _host_index(host: str, variables: Mapping[str, Any]) -> int:
    given = host_variable(variables, "weave_host_index") or 0
    try:
        return int(given)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f'weave_host_index: must be a number (found "{given}" for {host}). Correct it in the inventory.'
        ) from error


def _interfaces(variables: Mapping[str, Mapping[str, Any]], interface: str, interface_of: str) -> dict[str, str]:
    """Return each host's interface. The variables of hosts are the inventory's: those of a play or a task are the same for all."""
    rendered = {host: _render(variables[host], "weave_underlay_interface") for host in variables}
    own = {host: interface if value is UNRENDERED else value or "" for host, value in rendered.items()}
    return own if own.get(interface_of) == (interface or "") else dict.fromkeys(variables, interface or "")


def _underlay(
    host: str, variables: Mapping[str, Any], interface: str, answer_of_other: dict[str, Any]
) -> tuple[str, str]:
    """Return the address of a host that gave none itself, "" if unknown; and the variable that can't be rendered, or ""."""
    given = _render(variables, "weave_underlay_address")
    if given:
        return ("", "weave_underlay_address") if given is UNRENDERED else (str(given), "")
    if answer_of_other.get("address"):
        return answer_of_other["address"], ""
    if interface:
        return _address_in_facts(variables, interface), ""
    # Not default_ipv4 of the facts: a limited run may lack the facts of other hosts, and would then get other peers.
    for variable in ("ansible_host", "ansible_ssh_host"):
        given = _render(variables, variable)
        if given:
            return ("", variable) if given is UNRENDERED else (str(given), "")
    return host, ""


def _address_in_facts(variables: Mapping[str, Any], interface: str) -> str:
    facts = variables.get("ansible_facts", {})
    return _own_address(facts.get(re.sub("[-:]", "_", interface), {}), facts.get("default_ipv4", {}).get("address"))


def _own_address(device: Mapping[str, Any], default_source: str | None) -> str:
    """Return the address that files/probe.sh would choose, as far as facts tell. A single address may be keepalived's."""
    addresses = [
        entry for entry in (device.get("ipv4", {}), *device.get("ipv4_secondaries", [])) if entry.get("address")
    ]
    # sort() keeps the order of equals.
    addresses.sort(key=lambda entry: (entry["address"] != default_source, entry.get("netmask") == "255.255.255.255"))
    return addresses[0]["address"] if addresses else ""


class FilterModule:
    """Ansible's interface to this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {
            "weave_cluster": resolve_cluster,
            "weave_addresses_of_host": select_host,
            "weave_probe_answer": parse_probe_answer,
            "weave_host_variable": host_variable,
        }
