"""Whether the values of the role's variables are ones that its modules accept, as far as the controller can tell. Pure.

The modules check them again, on the host. tests/unit/role/weave_compared_values.test.ts compares the two.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

IPV4 = re.compile(r"(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:[.](?!$)|$)){4}", re.ASCII)
LABEL = "[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?"
HOST_NAME = re.compile(f"(?=.{{1,253}}$){LABEL}(?:[.]{LABEL})*")
SEARCH_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
# Between the elements of a list, as JavaScript's \s and a comma.
SEPARATORS = re.compile("[\t-\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff,]+")
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
# Of the environment of the router's script: set by other variables of the role.
OTHER_VARIABLES = {
    "WEAVE_PASSWORD": "weave_password",
    "WEAVE_PEERS": "weave_launch_peers",
    "WEAVE_ARGS": "weave_launch_args",
    "IPTABLES_BACKEND": "weave_iptables_backend",
}

ON = ("yes", "on", "1", "true")

# With null these are not passed on. Any other null replaces the default and is checked.
UNSET_BY_NULL = ("weave_password", "weave_wireguard_key")


class RejectedError(Exception):
    """A value that is rejected: what it must be, what was found, and the remedy."""

    def __init__(self, must: str, found: str, remedy: str) -> None:
        self.must, self.found, self.remedy = must, found, remedy


def find_invalid_values(given: dict[str, Any], host: str, datapath: str, mode: str, scope: bool) -> str:
    """Return what is wrong with the values of a host's variables, or "".

    given: those that are set, by name. Those of another type than the filter weave_invalid_variables accepts are skipped.
    datapath, mode: the values of weave_datapath and weave_mode.
    scope: whether Weave Scope is to run.
    """
    switches = ("weave_download", "weave_scope_download", "weave_dns")
    on = {name: str(given.get(name, True)).lower() in ON for name in switches}
    # Only the default of weave_docker_opts has it.
    by_default = f"service.{given.get('consul_domain') or ''}"
    # Which values the run reads.
    read = {
        "always": True,
        "script": datapath == "router" and on["weave_download"],
        "script_url": datapath == "router" and on["weave_download"] and not given.get("weave_script_file"),
        "scope_url": scope and on["weave_scope_download"] and not given.get("weave_scope_script_file"),
        "dns": datapath == "router" and on["weave_dns"],
        "images": bool(given.get("weave_image_archives", True)),
        "default_docker_opts": (datapath == "vxlan" or mode == "bridge")
        and str(given.get("weave_docker_opts", by_default)).endswith(by_default),
        "bridge": datapath == "vxlan" or mode == "bridge",
        "vxlan": datapath == "vxlan",
        "router": datapath == "router",
        "router_on_bridge": datapath == "router" and mode == "bridge",
        "scope": scope,
    }
    problems = (
        problem
        for variable, when, check in CHECKS
        if read[when] and variable in given and (given[variable] is not None or variable not in UNSET_BY_NULL)
        for problem in _problems(variable, check, "" if given[variable] is None else given[variable], host)
    )
    # weave_launch_peers may be wrong in one way for two readers.
    return " ".join(dict.fromkeys([*_without_peers(given, host), *problems]))


def _without_peers(given: dict[str, Any], host: str) -> Iterator[str]:
    """Null would be an empty list of peers, which leaves each host alone."""
    if given.get("weave_launch_peers", "") is None:
        yield (
            f"weave_launch_peers: must have the peers, or not be set (found nothing for {host}). Remove it to have all hosts of "
            "the group, or set [] for none."
        )


def _problems(variable: str, check: Callable[[Any], None], value: Any, host: str) -> Iterator[str]:
    try:
        check(value)
    except RejectedError as wrong:
        yield f"{variable}: {wrong.must} (found {wrong.found} for {host}). {wrong.remedy}"


def _text(value: Any) -> str:
    """Return a value as the modules read it; a list or dictionary, which weave_invalid_variables rejects for a text, is skipped."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _number(least: int, most: int) -> Callable[[Any], None]:
    def check(value: Any) -> None:
        text = str(value).strip()
        if re.fullmatch("[-+]?[0-9]+", text) and not least <= int(text) <= most:
            raise RejectedError(f"must be from {least} to {most}", str(int(text)), "Set a number in this range.")

    return check


def _scalar(check: Callable[[str], None], empty: bool = False) -> Callable[[Any], None]:
    """Check a text. `empty`: whether the role takes an empty one for none."""

    def check_variable(value: Any) -> None:
        if not isinstance(value, (list, Mapping)) and not (empty and value == ""):
            check(_text(value))

    return check_variable


def _words_of(check: Callable[[str], None]) -> Callable[[Any], None]:
    """Check each word of a list, or of a text with commas or spaces between words."""

    def check_variable(value: Any) -> None:
        for element in value if isinstance(value, list) else [value]:
            if isinstance(element, (list, Mapping)) or element is None:
                raise RejectedError("must be a string", "a value of another type", "Write one value, in quotes.")
            for word in filter(None, SEPARATORS.split(_text(element))):
                check(word)

    return check_variable


def _entries(check_name: Callable[[str], None], check_value: Callable[[str], None]) -> Callable[[Any], None]:
    def check_variable(value: Any) -> None:
        for name, entry in value.items() if isinstance(value, Mapping) else ():
            check_name(str(name))
            if isinstance(entry, (list, Mapping)) or entry is None:
                raise RejectedError("must be a string", "a value of another type", "Write one value, in quotes.")
            check_value(_text(entry))

    return check_variable


def _matches(pattern: str, must: str, remedy: str) -> Callable[[str], None]:
    compiled = re.compile(pattern, re.ASCII)

    def check(text: str) -> None:
        if not compiled.fullmatch(text):
            raise RejectedError(must, f'"{text}"', remedy)

    return check


def _host_address(text: str) -> None:
    if not IPV4.fullmatch(text):
        raise RejectedError("must be an IPv4 address", f'"{text}"', "Write it as 192.168.50.11.")
    _unicast(text, text)


def _unicast(address: str, text: str) -> None:
    if not 0 < int(address.partition(".")[0]) < 224 or address.startswith("127."):
        raise RejectedError("must be an address of a host on a network", f'"{text}"', "Set one such as 192.168.50.11.")


def _address_or_name(text: str) -> None:
    if not IPV4.fullmatch(text) and (not HOST_NAME.fullmatch(text) or re.fullmatch("[0-9.]+", text)):
        raise RejectedError("must be an IPv4 address or a host name", f'"{text}"', "Write it as 192.168.50.12.")


def _reachable(text: str) -> None:
    _address_or_name(text)
    if IPV4.fullmatch(text):
        _unicast(text, text)


def _peer(text: str) -> None:
    port = re.search(r":([0-9]+)$", text)
    if port and not 1 <= int(port[1]) <= 65535:
        raise RejectedError("must have a port from 1 to 65535", f'"{text}"', "Correct the port, or remove it.")
    _address_or_name(text[: port.start()] if port else text)


def _reachable_peer(text: str) -> None:
    address = text.partition(":")[0]
    if IPV4.fullmatch(address):
        _unicast(address, address)


def _with_prefix(text: str, must: str, example: str) -> tuple[str, ipaddress.IPv4Network]:
    """Return the address of a text such as the example, and its network."""
    address, _, length = text.partition("/")
    if not IPV4.fullmatch(address) or not re.fullmatch("3[0-2]|[12]?[0-9]", length):
        raise RejectedError(must, f'"{text}"', f"Write it as {example}.")
    _unicast(address, text)
    return address, ipaddress.IPv4Network(text, strict=False)


def _network(text: str) -> None:
    address, network = _with_prefix(text, "must be an IPv4 network", "10.2.0.0/16")
    if str(network.network_address) != address:
        raise RejectedError("must begin with the network's first address", f'"{text}"', f"Set {network}.")


def _container_subnet(text: str) -> None:
    _network(text)
    if int(text.partition("/")[2]) > 30:
        raise RejectedError("must have room for containers", f'"{text}"', "Set a prefix length of 30 at most.")


def _interface_address(text: str) -> None:
    address, network = _with_prefix(text, "must be an IPv4 address with a prefix length", "10.2.0.1/16")
    if network.prefixlen > 30:
        must, remedy = (
            "must have room for containers in its network",
            "Set its network's prefix length, as in 10.2.0.1/16.",
        )
        raise RejectedError(must, f'"{text}"', remedy)
    if address in (str(network.network_address), str(network.broadcast_address)):
        must = "must not be the first or last address of its network"
        raise RejectedError(must, f'"{text}"', f"Set another address of {network}.")


def _mac(text: str) -> None:
    if not re.fullmatch("[0-9a-f]{2}(:[0-9a-f]{2}){5}", text.lower()):
        raise RejectedError("must be a MAC address", f'"{text}"', "Write it as 0e:5f:33:00:00:01.")
    if int(text[:2], 16) % 2:
        raise RejectedError("must not be a multicast address", f'"{text}"', "Make its first octet even, such as 0e.")
    if text == "00:00:00:00:00:00":
        raise RejectedError("must be the address of an interface", f'"{text}"', "Set one such as 0e:5f:33:00:00:01.")


def _password(text: str) -> None:
    if text == "" or CONTROL.search(text):
        found = "an empty text, or control characters; not shown"
        raise RejectedError("must be one line of text", found, "Set another password.")


def _private_key(text: str) -> None:
    if not re.fullmatch("[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=", text):
        remedy = "Set it in base64, 44 characters, as wg genkey prints it."
        raise RejectedError("must be a WireGuard key", "a value of another form, not shown,", remedy)


def _docker_network(text: str) -> None:
    if not re.fullmatch("[A-Za-z0-9][A-Za-z0-9_.-]*", text) or text in ("host", "none", "default"):
        remedy = 'Use letters, digits, "-", "_" and ".", and not host, none or default.'
        raise RejectedError('must be "bridge" or the name of a network to create', f'"{text}"', remedy)


def _launch_argument(text: str) -> None:
    if text.startswith("--password"):
        must = "must not have --password, which the process list would show"
        raise RejectedError(must, "it", "Set weave_password instead.")
    if re.match("--http-?addr", text):
        must = f"must not have {text.partition('=')[0]}, as the script would ask the router elsewhere"
        raise RejectedError(must, f'"{text}"', "Set WEAVE_HTTP_ADDR in weave_env instead.")
    if not re.fullmatch("--[a-z][A-Za-z0-9_.:/=,@%+-]*", text):
        raise RejectedError("must be arguments of weave launch", f'"{text}"', "Write each as --name=value.")


def _environment_name(text: str) -> None:
    if text in OTHER_VARIABLES:
        must = "must not have a variable of another option"
        raise RejectedError(must, text, f"Set {OTHER_VARIABLES[text]} instead.")
    if text in ("WEAVE_MTU", "DOCKER_BRIDGE"):
        raise RejectedError(f"must not have {text}", "it", "Remove it: the role sets it.")
    if text in ("WEAVE_CONTAINER_NAME", "DOCKER_HOST"):
        remedy = "Remove it: weave_service asks Docker on /var/run/docker.sock for a container of the default name."
        raise RejectedError(f"must not have {text}", "it", remedy)
    if not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", text):
        raise RejectedError("must have names of variables", f'"{text}"', 'Use letters, digits and "_".')


def _environment(value: Any) -> None:
    _entries(_environment_name, _environment_value)(value)
    user = _text(value.get("DOCKERHUB_USER", "")) if isinstance(value, Mapping) else ""
    if user and not re.fullmatch("[a-z0-9]([a-z0-9._:/-]*[a-z0-9])?", user):
        must = "DOCKERHUB_USER must be the first part of an image's name"
        raise RejectedError(must, f'"{user}"', "Write it in lower case, such as weaveworks.")


def _environment_value(text: str) -> None:
    if CONTROL.search(text):
        raise RejectedError("must not contain control characters", "some", "Remove them.")


def _interface(text: str) -> None:
    if not re.fullmatch(r"[^\s/]{1,127}", text):
        raise RejectedError("must be the name of an interface", f'"{text}"', "Write it as eth1.")
    if text in ("lo", "weave", "weave-vx", "weave-wg", "docker0"):
        raise RejectedError("must be an interface by which other hosts reach this one", text, "Set one such as eth1.")


def _environment_of_download(value: Any) -> None:
    if not isinstance(value, Mapping) and value != "":
        remedy = "Write it as {https_proxy: http://192.168.50.1:3128}."
        raise RejectedError("must be a dictionary", "a value of another type", remedy)


_PORT = _number(1, 65535)
_PATH = _matches(
    r"/[A-Za-z0-9_./+@:-]*[A-Za-z0-9_+@:-]",
    'must be an absolute path of letters, digits and "_.+@:/-"',
    "Write it as /usr/local/bin/weave.",
)
_URL = _matches(r"(https?|ftp|file)://\S+", "must be a URL", "Write it as https://example.com/weave.")
_DOMAIN = _matches(
    rf"(?=.*[A-Za-z])(?=.{{1,254}}$){SEARCH_LABEL}([.]{SEARCH_LABEL})*[.]?",
    "must be a domain name of letters, digits, hyphens and dots",
    "Write it as service.consul.",
)
_PUBLIC_KEY = _matches(
    "[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=",
    "must be a WireGuard key",
    "Set it in base64, 44 characters, as wg pubkey prints it.",
)

# What reads a variable, and how it must be. Types and choices are in meta/argument_specs.yml.
CHECKS: list[tuple[str, str, Callable[[Any], None]]] = [
    ("weave_host_index", "bridge", _number(1, 2**24)),
    ("weave_underlay_address", "always", _scalar(_reachable, empty=True)),
    (
        "weave_underlay_interface",
        "always",
        _scalar(_interface, empty=True),
    ),
    ("weave_launch_peers", "vxlan", _words_of(_reachable)),
    ("weave_launch_peers", "router", _words_of(_peer)),
    ("weave_launch_peers", "router_on_bridge", _words_of(_reachable_peer)),
    ("weave_network", "bridge", _scalar(_network)),
    ("weave_docker_prefix", "bridge", _number(9, 30)),
    ("weave_bridge", "bridge", _scalar(_interface_address, empty=True)),
    ("weave_docker_subnet", "bridge", _scalar(_container_subnet, empty=True)),
    ("weave_mac", "bridge", _scalar(_mac, empty=True)),
    ("weave_vxlan_id", "bridge", _number(1, 2**24 - 1)),
    ("weave_vxlan_port", "bridge", _PORT),
    ("weave_wireguard_port", "bridge", _PORT),
    ("weave_wireguard_key", "vxlan", _scalar(_private_key)),
    ("weave_wireguard_peer_keys", "vxlan", _entries(_host_address, _PUBLIC_KEY)),
    ("weave_wireguard_identity", "vxlan", _scalar(_host_address, empty=True)),
    ("weave_password", "always", _scalar(_password)),
    ("weave_docker_network", "bridge", _scalar(_docker_network)),
    ("consul_domain", "default_docker_opts", _scalar(_DOMAIN)),
    ("weave_bin", "router", _scalar(_PATH)),
    ("weave_version", "script", _scalar(_matches(r"\d+[.]\d+[\w.-]*", "must be a version", "Write it as 2.8.1."))),
    ("weave_url", "script_url", _scalar(_URL)),
    ("weave_launch_args", "router", _words_of(_launch_argument)),
    ("weave_dns_domain", "dns", _scalar(_DOMAIN)),
    ("weave_env", "router", _environment),
    (
        "weave_image_directory",
        "images",
        _scalar(_matches("[/~$].*", "must be an absolute path", "Write it as /var/cache.")),
    ),
    (
        "weave_nodejs_directory",
        "always",
        _scalar(_matches("/.*", "must be an absolute path", "Write it as /var/cache/weave.")),
    ),
    ("proxy_env", "always", _environment_of_download),
    ("weave_timeout", "router", _number(1, 3600)),
    ("weave_scope_dest", "scope", _scalar(_PATH)),
    ("weave_scope_url", "scope_url", _scalar(_URL)),
    ("weave_verify_containers", "always", _number(0, 2**31 - 1)),
    ("weave_verify_timeout", "always", _number(1, 3600)),
]


class FilterModule:
    """Ansible's interface to this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"weave_invalid_values": find_invalid_values}
