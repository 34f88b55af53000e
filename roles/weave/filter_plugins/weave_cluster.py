"""What the hosts of a cluster are to one another: their numbers and their underlay addresses.

Pure: it knows what the inventory says and what the hosts said when they were looked at (files/look.sh). Written in Python
as Ansible's controller runs nothing else, and as one function over all hosts, so that a play makes it once.
"""

import json
import re


def cluster(members, hostvars, running, interface, numbered):
    """Settle who is who in a cluster.

    members: the names of all hosts of the cluster, in their order.
    hostvars: their variables, by name. What is registered there: weave_look, the look at a host of this run;
        weave_look_elsewhere, the looks from it at hosts outside this run, each with its item, the host's name.
    running: the names of the hosts that run just now.
    interface: the one that has the underlay address; "" for the address that the host is connected to by.
    numbered: whether hosts have numbers at all.

    Raises ValueError where a number in the inventory is none. Returns a dict:
    ask: the hosts that have to be asked before the others' numbers and addresses are certain, by the host of this run
        that is to ask them. One that can't be reached is not asked again.
    peers: the underlay addresses of all hosts, with commas.
    doubtful: whether there can be a host of the run that is to ask others, is refused by refusal(), gave no answer, or lacks
        its Node or a file.
    hosts: what of_host() and refusal() take, as JSON. Each task on each host evaluates all that is in a variable, and
        goes through a dict of all hosts entry by entry; past a text without braces of Jinja's it goes at once.

    In that JSON:
    indexes: each host's number. The inventory's counts first, then the one that the host has; a host without any gets
        the lowest that is free, in the order of the group, as if all of them were provisioned now.
    underlays: each host's address, or a name that its peers resolve; "" where none is known.
    known: the numbers that are not given out just now, by host.
    shared: addresses by which peers would reach themselves or one of several, and whose they are.
    unknown: the hosts that may have a number that nobody knows, once those to ask have been asked.
    """
    # Each time that hostvars is asked for a host, it puts that host's variables together anew.
    variables = {host: hostvars[host] for host in members}
    looks = {host: variables[host].get("weave_look", {}) for host in members}
    asked = [look for host in members for look in variables[host].get("weave_look_elsewhere", {}).get("results", [])]
    answers = {look["item"]: answer(look) for look in asked}
    answers = {host: answer(looks[host]) or answers.get(host, {}) for host in members}

    known = {}
    for host in members:
        index = answers[host].get("index") or _index(host, variables[host])
        if index:
            known[host] = index
    taken = set(known.values())
    free = (number for number in range(1, len(members) + 1) if number not in taken)
    indexes = {host: known.get(host) or next(free) for host in members}

    underlays = {host: answers[host].get("address") or _underlay(host, variables[host], interface) for host in members}
    unknown = [host for host in members if not answers[host] and host not in known]
    # A host that keeps the number that it has takes nobody's: as long as all do, nobody else is asked.
    moving = numbered and any(answer and not answer["settled"] for answer in answers.values())
    holders = {}
    for host, address in underlays.items():
        holders.setdefault(address, []).append(host)
    shared = {
        address: hosts
        for address, hosts in holders.items()
        if address and (len(hosts) > 1 or address.startswith("127.") and len(members) > 1)
    }
    ask = [host for host in members if not answers[host] and (underlays[host] == "" or moving and host in unknown)]
    tried = [host for host in members if looks[host].get("unreachable")] + [look["item"] for look in asked]
    running = set(running)
    askers = [host for host in members if host in running and answer(looks[host])]
    ask = _deal([host for host in ask if host not in tried], askers)
    doubts = [
        ask,
        unknown and running - set(known),
        shared,
        len(taken) < len(known),
        "" in underlays.values(),
        running - set(members),
        [host for host in running.intersection(members) if not answers[host].get("node") or answers[host].get("missing")],
    ]
    hosts = {"indexes": indexes, "underlays": underlays, "known": known, "unknown": unknown, "shared": shared}
    return {
        "ask": ask,
        "peers": ",".join(underlays.values()),
        "doubtful": any(doubts),
        "hosts": json.dumps(hosts),
    }


def of_host(hosts, host):
    """Take the JSON that cluster() returned and a host's name; return a dict of its number, index, and its underlay address."""
    settled = json.loads(hosts)
    return {"index": settled["indexes"][host], "underlay": settled["underlays"][host]}


def refusal(hosts, host, group, interface, numbered, joined):
    """Take the JSON that cluster() returned and a host's name; return why the role can't go on there, or "".

    joined: whether the hosts are joined by these underlay addresses, and not by peers that are told otherwise.
    """
    settled = json.loads(hosts)
    indexes, known, underlays = settled["indexes"], settled["known"], settled["underlays"]
    if host not in indexes:
        return (
            f"weave_server_group: {host} is not in the group {group}, whose hosts are joined; put it there, or run the "
            f"role on that group alone (hosts: {group})."
        )
    if numbered and len(set(known.values())) < len(known):
        numbers = ", ".join(f"{name} is {index}" for name, index in sorted(known.items()))
        return (
            f"weave_host_index: two hosts of the group {group} have the same number, and would have the same addresses "
            f"({numbers}); give each host a number of its own."
        )
    if numbered and host not in known and settled["unknown"]:
        return (
            f"weave_host_index: {host} has no number yet, and which are taken is not known, as "
            f"{', '.join(settled['unknown'])} can't be reached; reach them, take them out of the group {group}, or "
            "give numbers in the inventory."
        )
    for address, names in settled["shared"].items() if joined else ():
        return (
            f"weave_underlay_address: {address} of {', '.join(names)} is not where other hosts reach each of them; give each "
            "host its own in the inventory, or name the interface that has it in weave_underlay_interface."
        )
    lost = [name for name, address in underlays.items() if not address]
    if lost:
        return (
            f"weave_underlay_interface: no IPv4 address on {interface} is known of {', '.join(lost)}; name an interface "
            "that all hosts have, or give their weave_underlay_address in the inventory."
        )
    return ""


def answer(result):
    """Take the result of a look at a host; return what it said, or {}.

    A login may print lines of its own before it. Only what files/look.sh can print counts: what a host says becomes a fact,
    and an older Ansible would run a template in it here, on the controller.
    """
    lines = re.findall(r"^(\{[\w \".,:/+-]*\})\s*$", result.get("stdout", ""), re.MULTILINE | re.ASCII)
    try:
        said = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {}
    # One host that says something else must not stop the others' play.
    wanted = {"index": int, "settled": bool, "address": str}
    return said if all(type(said.get(name)) is kind for name, kind in wanted.items()) else {}


def _deal(items, hands):
    """Deal items out evenly; return them by hand, without the hands that get none."""
    return {hand: items[place :: len(hands)] for place, hand in enumerate(hands[: len(items)])}


def _index(host, variables):
    given = variables.get("weave_host_index") or 0
    try:
        return int(given)
    except (TypeError, ValueError) as error:
        raise ValueError(f'weave_host_index: "{given}" of {host} is no number; correct it in the inventory') from error


def _underlay(host, variables, interface):
    given = variables.get("weave_underlay_address")
    if given:
        return given
    facts = variables.get("ansible_facts", {})
    if interface:
        return facts.get(re.sub("[-.]", "_", interface), {}).get("ipv4", {}).get("address", "")
    # Never the facts' default_ipv4: a limited run, which has others' facts only by chance, would see other peers.
    return variables.get("ansible_host") or variables.get("ansible_ssh_host") or host


class FilterModule:
    def filters(self):
        return {"weave_answer": answer, "weave_cluster": cluster, "weave_of_host": of_host, "weave_refusal": refusal}
