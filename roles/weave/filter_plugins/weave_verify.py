"""What tasks/verify.yml found, and its words for it: a table of who reaches whom, and the problems.

Pure, like weave_cluster.py beside it, from which Ansible lets it import nothing. What hosts print gets into facts here,
so nothing is left in it that an ansible-core before 2.19 would run as a template.
"""

import itertools
import json
import re

# A table with more columns than this would say less than the list of what is missed does.
MOST_COLUMNS = 24
COLUMNS_A_BLOCK = 8


def findings(underlays, hostvars, playing):
    """Put together what the hosts said.

    underlays: the underlay addresses of all hosts of the group by name, in their order.
    hostvars: their variables, by name, with the registered results of tasks/verify.yml: of the hosts of the play
        weave_verify_learned, weave_verify_tried once it is there, and of others' answers weave_verify_others.
    playing: the names of the hosts of the play.

    Returns a dict of lists, hosts, targets and sources, as tasks/verify.yml describes them.
    """
    learned = {name: hostvars[name].get("weave_verify_learned", {}) for name in underlays}
    for name in playing:
        results = hostvars[name].get("weave_verify_others", {}).get("results", [])
        learned.update({result["item"]: result for result in results})

    hosts = [_host(name, _plain(underlay), learned[name]) for name, underlay in underlays.items()]
    targets = []
    for host in hosts:
        if host["bridge"]["address"]:
            targets.append({"host": host["name"], "container": None, "address": host["bridge"]["address"]})
        for container in host["containers"]:
            targets.append({"host": host["name"], "container": container["name"], "address": container["address"]})
    those = set(playing)
    sources = [
        source
        for host in hosts
        if host["name"] in those
        for source in _sources(host, hostvars[host["name"]].get("weave_verify_tried", {}))
    ]
    return {"hosts": hosts, "targets": targets, "sources": sources}


def arguments(found, name):
    """Take what findings() returned and a host's name; return what verify_ping.sh takes there, [] for no way to try."""
    host = next((host for host in found["hosts"] if host["name"] == name), None)
    addresses = [target["address"] for target in found["targets"] if target["host"] != name]
    # Another host has said them, and to ping a word with a dash is an option.
    addresses = [address for address in addresses if re.fullmatch(r"[0-9.]+", address)]
    if not host or host["error"] or not addresses:
        return []
    return [str(host["containers"][0]["pid"] if host["containers"] else 0), *addresses]


def table(found, group):
    """Take what findings() returned and the group's name; return who reaches whom and what was not tried, in lines."""
    hosts, targets, sources = found["hosts"], found["targets"], found["sources"]
    if len(hosts) == 1:
        lines = [f"{hosts[0]['name']} is the only host of {group}: there is no other to reach."]
    elif len(targets) > MOST_COLUMNS:
        lines = [f"{len(targets)} addresses are too many for a table; what is missed is listed."]
    else:
        lines = [f"{number:2}  {end['address']:15}  {_heading(end)}" for number, end in enumerate(targets, 1)]
        for first in range(0, len(targets), COLUMNS_A_BLOCK):
            lines += _block(targets, sources, first)

    tries = [ms for source in sources for ms in source["ms"].values()]
    answers = [ms for ms in tries if ms is not None]
    if tries:
        slowest = f"; the slowest took {max(answers)} ms" if answers else ""
        lines += ["", f"{len(answers)} of {len(tries)} ways are open{slowest}."]
    return lines + [line for host in hosts if not host["error"] for line in _untried(host)]


def problems(found, bridged):
    """Take what findings() returned, and whether Docker is to be on the bridge; return what is wrong, a line for each.

    First what a host lacks, then what is missed, then where to look for the cause of that.
    """
    hosts, targets, sources = found["hosts"], found["targets"], found["sources"]
    from_host = {source["host"]: source["ms"] for source in sources if source["container"] is None}
    by_host = _grouped(targets, "host")
    return [
        *(line for host in hosts for line in _lacks(host, bridged)),
        *_same_addresses(targets),
        *(line for source in sources for line in _misses(source, by_host)),
        *_apart(hosts, from_host),
        *_silent_containers(hosts, sources),
        *_shut_in_containers(sources, from_host),
    ]


# What the hosts said.


def _host(name, underlay, result):
    own = {"name": name, "underlay": underlay, "error": ""}
    said = _answer(result, "bridge")
    if said:
        return {**said, **own}
    unknown = {"bridge": {"state": "unknown", "address": None}, "containers": []}
    return {**own, **unknown, "error": _error(result)}


def _sources(host, result):
    if not result or result.get("skipped"):
        return
    said = _answer(result, "host")
    name = host["name"]
    yield {"host": name, "container": None, "ms": said.get("host", {}), "error": "" if said else _error(result)}
    if said and host["containers"]:
        ms, container = said["container"], host["containers"][0]["name"]
        yield {"host": name, "container": container, "ms": ms or {}, "error": "" if ms else "it has ended"}


def _answer(result, first_key):
    """Take a script's result; return the last object that it printed as a line, if it begins with that key, or {}."""
    lines = [line for line in result.get("stdout", "").splitlines() if line.startswith(f'{{"{first_key}":')]
    # The scripts print no backslash; another's could spell what _plain() looks for.
    try:
        return json.loads(_plain(lines[-1]).replace("\\", "")) if lines else {}
    except ValueError:
        return {}


def _error(result):
    """Take the result of a script that gave no answer; return why, in a line: what it, sudo or ssh said last."""
    printed = f"{result.get('stdout', '')}\n{result.get('stderr', '')}".split("\n")
    said = [line.strip() for line in printed if line.strip() and not re.match("Shared connection to .* closed", line)]
    reason = said[-1] if said else result.get("msg") or "it gave no answer"
    return _plain(re.sub("^Task failed: ", "", reason).strip().replace("\r", "").replace("\n", " "))


def _plain(text):
    """Take a text that a host has printed; return it with nothing that begins a template."""
    return re.sub(r"(?<=\{)(?=[{%#])", " ", text)


# The table.


def _block(targets, sources, first):
    columns = range(first, min(first + COLUMNS_A_BLOCK, len(targets)))
    width = max([8, *(len(_heading(source)) for source in sources)])
    rows = [("from, to", [str(column + 1) for column in columns])]
    for source in sources:
        if not source["error"]:
            rows.append((_heading(source), [_cell(source["ms"], targets[column]["address"]) for column in columns]))
    return ["", *(f"{name:{width}}  {''.join(f'{cell:9}' for cell in cells)}".rstrip() for name, cells in rows)]


def _heading(end):
    name = end["host"] + (f": {end['container']}" if end["container"] else "")
    return name if len(name) <= 40 else name[:38] + ".."


def _cell(ms_by_address, address):
    if address not in ms_by_address:
        return "-"
    ms = ms_by_address[address]
    return "MISS" if ms is None else f"ok {round(ms, 2 if ms < 10 else 0)}"


def _untried(host):
    name, tried, total = host["name"], len(host["containers"]), host["containers_total"]
    if host["docker"] != "running":
        yield f"{name}: Docker is {host['docker']}, so none of its containers is tried."
    elif total == 0:
        yield f"{name}: no container that runs is on the network."
    elif total > tried:
        yield f"{name}: {tried} of its {total} containers are tried (weave_verify_containers)."


# The problems.


def _lacks(host, bridged):
    name, bridge, remedy = host["name"], host["bridge"], _run_the_role(host)
    if host["error"]:
        yield (
            f"{name} ({host['underlay']}) could not be asked: {re.sub('[.]$', '', host['error'])}. Is it on? "
            f"Try: ansible -i INVENTORY {name} --become -m raw -a id"
        )
        return
    if bridge["state"] == "missing":
        yield f"{name} has no bridge weave: {remedy}."
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


def _same_addresses(targets):
    for address, same in _grouped(targets, "address").items():
        if len(same) > 1:
            yield (
                f"{' and '.join(dict.fromkeys(target['host'] for target in same))} have the same address, {address}: "
                "give each host its own weave_host_index, and run the role."
            )


def _misses(source, targets_by_host):
    if source["error"]:
        yield f"Nothing was tried from {_name(source)}: {source['error']}."
    missed = []
    for host, targets in targets_by_host.items():
        closed = [target for target in targets if source["ms"].get(target["address"], 0) is None]
        if len(closed) == len(targets) > 1:
            missed.append(f"{host} and its containers ({', '.join(target['address'] for target in closed)})")
        else:
            missed += [f"{_name(target)} ({target['address']})" for target in closed]
    if missed:
        yield f"{_name(source)} does not reach {', '.join(missed)}."


def _apart(hosts, from_host):
    """Take the hosts, and the milliseconds from each by address; yield where to look between those that miss one."""
    sound = [host for host in hosts if host["bridge"]["state"] == "up" and host["bridge"]["address"]]
    cut_off = {}
    for one, other in itertools.combinations(sound, 2):
        there = from_host.get(one["name"], {}).get(other["bridge"]["address"], 0)
        back = from_host.get(other["name"], {}).get(one["bridge"]["address"], 0)
        if there is not None and back is not None:
            continue
        cut_off.update({host["name"]: host for host in (one, other) if host["datapath"]["kind"] == "none"})
        if "none" not in (one["datapath"]["kind"], other["datapath"]["kind"]):
            yield (
                f"Between {one['name']} ({one['underlay']}) and {other['name']} ({other['underlay']}): "
                f"{_between(one['datapath'], other['datapath'])}"
            )
    for host in cut_off.values():
        yield (
            f"{host['name']} has neither a VXLAN on the bridge nor a Weave router at TCP port 6783: "
            f"{_run_the_role(host)}; where the router ended, journalctl -u weave says why."
        )


def _between(one, other):
    if (one["kind"], one["port"]) != (other["kind"], other["port"]):
        return (
            f"the one uses {one['kind']} at port {one['port']}, the other {other['kind']} at port {other['port']}. "
            "Give both the same weave_datapath and weave_vxlan_port, and run the role."
        )
    if one["kind"] == "vxlan":
        return (
            f"is UDP port {one['port']} open both ways, in the firewalls of both and on the network between them? "
            "If so: what would site.yml --check --diff change on them?"
        )
    return (
        f"are TCP and UDP port {one['port']} open both ways, in the firewalls of both and on the network between them? "
        "If so: `weave status connections` on either says what the router makes of the other."
    )


def _silent_containers(hosts, sources):
    for host in hosts:
        for container in host["containers"]:
            if any(_passes_by(source["ms"], host["bridge"]["address"], container["address"]) for source in sources):
                yield (
                    f"{host['name']} is reached and its container {container['name']} is not: has it ended? If it "
                    f"runs, look at its own firewall and at {host['name']}'s: iptables -S FORWARD, "
                    "iptables -S DOCKER-USER."
                )


def _passes_by(ms, bridge, container):
    return ms.get(container, 0) is None and ms.get(bridge) is not None


def _shut_in_containers(sources, from_host):
    for source in sources:
        own = from_host.get(source["host"], {})
        if source["container"] and any(ms is None and own.get(to) is not None for to, ms in source["ms"].items()):
            yield (
                f"{source['host']} gets through and its container {source['container']} does not: look at "
                f"{source['host']}'s firewall, iptables -S FORWARD and iptables -S DOCKER-USER, and at the container's "
                "own."
            )


def _name(end):
    return end["host"] + (f"'s container {end['container']}" if end["container"] else "")


def _run_the_role(host):
    return f"run the role on it (ansible-playbook -i INVENTORY site.yml --limit {host['name']})"


def _grouped(targets, key):
    """Take the targets; return lists of them by what they have at that key, in the order of the first of each."""
    groups = {}
    for target in targets:
        groups.setdefault(target[key], []).append(target)
    return groups


class FilterModule:
    def filters(self):
        return {
            "weave_findings": findings,
            "weave_ping_arguments": arguments,
            "weave_problems": problems,
            "weave_table": table,
        }
