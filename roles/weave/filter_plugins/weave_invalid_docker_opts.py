"""Whether Docker would take the options of weave_docker_opts, as far as the controller can tell. Pure.

The module docker_bridge_opts checks them again, with the host's Docker. tests/unit/role/weave_invalid_docker_opts.test.ts
compares the two.
"""

from __future__ import annotations

import difflib
import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

# From modules/formats/docker_options.ts and docker_flags.ts, by the build:
KINDS = {
    "text": """
    api-cors-header bip bip6 bridge bridge-accept-fwmark cgroup-parent cluster-advertise cluster-store containerd
    containerd-namespace data-root default-cgroupns-mode default-gateway default-gateway-v6 default-ipc-mode
    default-runtime default-shm-size exec-root firewall-backend fixed-cidr fixed-cidr-v6 graph group init-path ip
    log-driver log-format log-level metrics-addr pidfile seccomp-profile storage-driver
    swarm-default-advertise-addr tlscacert tlscert tlskey userland-proxy-path userns-remap
    """,
    "number": """
    cpu-rt-period cpu-rt-runtime default-stop-timeout max-concurrent-downloads max-concurrent-uploads
    max-download-attempts mtu network-control-plane-mtu network-diagnostic-port oom-score-adjust shutdown-timeout
    """,
    "switch": """
    allow-direct-routing api-enable-cors cri-containerd debug disable-legacy-registry experimental icc init
    ip-forward ip-forward-no-drop ip-masq ip6tables iptables ipv6 live-restore no-new-privileges raw-logs restart
    rootless selinux-enabled tls tlsverify userland-proxy
    """,
    "list": """
    allow-nondistributable-artifacts authorization-plugin cdi-spec-dir dns dns-opt dns-search exec-opt host
    host-gateway-ip insecure-registry label node-generic-resource registry-mirror storage-opt
    """,
    "map": """
    cluster-store-opt log-opt
    """,
    "structured": """
    add-runtime default-address-pool default-network-opt default-ulimit feature nri-opts
    """,
    "flag only": """
    config-file containerd-plugins-namespace daemon help http-proxy https-proxy no-proxy validate version
    """,
}
BARE_FLAGS = """
daemon help validate version
"""
KEYS = """
authorization-plugin=authorization-plugins cdi-spec-dir=cdi-spec-dirs dns-opt=dns-opts exec-opt=exec-opts
host=hosts insecure-registry=insecure-registries label=labels node-generic-resource=node-generic-resources
registry-mirror=registry-mirrors storage-opt=storage-opts cluster-store-opt=cluster-store-opts
log-opt=log-opts add-runtime=runtimes default-address-pool=default-address-pools
default-network-opt=default-network-opts default-ulimit=default-ulimits feature=features
host-gateway-ip=host-gateway-ips
"""
SHORT_FLAGS = """
b=bridge D=debug d=daemon e=exec-driver G=group g=graph H=host h=help l=log-level p=pidfile r=restart
s=storage-driver v=version
"""
# End of what the build writes.
KIND_OF = {name: kind for kind, names in KINDS.items() for name in names.split()}
SWITCHES = {*KINDS["switch"].split(), *BARE_FLAGS.split()}
FLAG_OF = {key: flag for flag, key in (pair.split("=") for pair in KEYS.split())}
KEY_OF = dict(pair.split("=") for pair in KEYS.split())
SHORT = dict(pair.split("=") for pair in SHORT_FLAGS.split())
REJECTED_FLAGS = {
    **dict.fromkeys(("help", "validate", "version"), "dockerd ends at once"),
    "config-file": "dockerd does not read the options in its present file then",
    "daemon": "dockerd does not start then",
}
WORD = re.compile(r"""(?:"(?:\\.|[^"\\])*"?|'[^']*'?|\\.?|[^\s"'\\])+""", re.DOTALL)
FALSE = ("0", "f", "F", "FALSE", "false", "False")
TRUTHS = ("1", "t", "T", "TRUE", "true", "True", *FALSE)


class RejectedError(Exception):
    """Options that are rejected: what they must be, what was found, and the remedy."""


def find_invalid_docker_opts(given: dict[str, Any], host: str, computed: list[str]) -> str:
    """Return what is wrong with a host's weave_docker_opts, or "".

    given: the values of the variables that are set, by name.
    computed: values that stand for what the role computes later.
    """
    try:
        flags = _flags(given.get("weave_docker_opts") or "")
        _require_safe(flags)
        _require_same(flags, given, computed)
        for name, value in flags:
            if name in REJECTED_FLAGS:
                raise RejectedError(f"must not have --{name}, as {REJECTED_FLAGS[name]}", "it", "Remove it.")
            meant = _meant_flag(name)
            if meant:
                # A newer Docker may have more options.
                remedy = f"Did you mean --{meant}? If not, set it in daemon.json by hand."
                raise RejectedError(f"--{name} must be an option of dockerd", "an unknown one", remedy)
            expected = expected_instead(name, value)
            if expected:
                # It may contain a secret.
                found = f'"{value}"' if re.fullmatch(r"[\w.:/-]*", value) else "another value, not shown,"
                raise RejectedError(f"--{name} must be {expected}", found, "Correct it.")
    except RejectedError as wrong:
        must, found, remedy = wrong.args
        return f"weave_docker_opts: {must} (found {found} for {host}). {remedy}"
    return ""


Flags = list[tuple[str, str]]


def _flags(opts: Any) -> Flags:
    if isinstance(opts, (list, bool)):
        raise RejectedError("must be a string or a dictionary", "a value of another type", "Write options of dockerd.")
    if isinstance(opts, str) and opts.lstrip().startswith("{"):
        try:
            opts = json.loads(opts)
        except ValueError:
            raise RejectedError("must be a JSON object", "an error in it", "Correct it.") from None
    return _from_keys(opts) if isinstance(opts, Mapping) else _from_line(str(opts))


def _from_keys(keys: Mapping[str, Any]) -> Flags:
    flags: Flags = []
    for key, value in keys.items():
        name = FLAG_OF.get(str(key), str(key))
        if name not in KIND_OF:
            known_keys = [KEY_OF.get(known, known) for known in KIND_OF if known not in REJECTED_FLAGS]
            close = difflib.get_close_matches(str(key), known_keys, n=1, cutoff=0.75)
            remedy = f'Did you mean "{close[0]}"?' if close else "Correct it, or set it in daemon.json by hand."
            raise RejectedError(f'"{key}" must be an option of dockerd', "an unknown one", remedy)
        found = _values("text" if key == "host-gateway-ip" else KIND_OF.get(name, ""), value)
        if found is None:
            remedy = "Correct it, or set it in daemon.json by hand."
            raise RejectedError(f'"{key}" must have a value that its flag can have', "another, not shown,", remedy)
        flags += [(name, each) for each in found]
    return flags


def _meant_flag(name: str) -> str:
    """Return the option that an unknown flag is a misspelling of, by one letter or two swapped ones, or "".

    Not with another digit: with a 6, many options have another one for IPv6.
    """
    if name in KIND_OF:
        return ""
    written = FLAG_OF.get(name, name.lower().replace("_", "-"))
    if written in KIND_OF:
        return written
    known = [option for option in KIND_OF if option not in REJECTED_FLAGS and len(option) > 2]
    return next((option for option in known if _is_one_edit(written, option)), "")


def _is_one_edit(one: str, other: str) -> bool:
    while one and other and one[0] == other[0]:
        one, other = one[1:], other[1:]
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    swapped = len(one) == 2 and one == other[::-1]
    return (swapped or max(len(one), len(other)) == 1) and not re.search("[0-9]", one + other)


def _values(kind: str, value: Any) -> list[str] | None:
    if kind == "switch":
        return [str(value).lower()] if isinstance(value, bool) else None
    if kind in ("text", "number"):
        return [str(value)] if isinstance(value, (str, int, float)) and not isinstance(value, bool) else None
    if kind == "list":
        return list(value) if isinstance(value, list) and all(isinstance(each, str) for each in value) else None
    return [f"{name}={each}" for name, each in value.items()] if kind == "map" and isinstance(value, Mapping) else None


def _from_line(line: str) -> Flags:
    written = WORD.findall(line)
    # An unclosed quote or a backslash at the end would include the next word.
    if len(WORD.findall(f"{line} x")) == len(written):
        raise RejectedError("quotes must be closed", "an open one, or a backslash at the end", "Close or remove it.")
    words = [short for word in written for short in _separate(_unquote(word))]
    flags: Flags = []
    while words:
        name, value, count = _read(words)
        if name == "" or count > len(words):
            found = (
                f'"{words[0]}"{" without a value" if name else ""}'
                if "=" not in words[0]
                else "another word, not shown,"
            )
            raise RejectedError("must have options of dockerd", found, "Write each as --name=value.")
        flags.append((name, value))
        words = words[count:]
    return flags


def _unquote(word: str) -> str:
    def value(match: re.Match[str]) -> str:
        double, single, bare = match.groups()
        return re.sub(r'\\(["\\$`])', r"\1", double) if double is not None else single or bare or ""

    return re.sub(r""""((?:\\.|[^"\\])*)"?|'([^']*)'?|\\(.?)""", value, word, flags=re.DOTALL)


def _separate(word: str) -> list[str]:
    """Return -D -l for -Dl, as pflag reads it: only the last of such letters can have a value."""
    match = re.fullmatch("-([A-Za-z])([^=].*)", word, re.DOTALL)
    if not match or SHORT.get(match[1]) not in SWITCHES:
        return [word]
    return [f"-{match[1]}", *_separate(f"-{match[2]}")]


def _read(words: list[str]) -> tuple[str, str, int]:
    """Return the name and value of the first flag, and of how many words it consists.

    The name is "" for a word that is not a flag.
    """
    text = words[0]
    match = re.fullmatch("(--?)([^=]+)(=)?(.*)", text, re.DOTALL)
    if not match:
        return "", text, 1
    dashes, spelled, equals, value = match.groups()
    name = SHORT.get(spelled[0], "") if dashes == "-" else spelled
    if name == "" or (dashes == "-" and len(spelled) > 1):
        return name, text[2:] if name else text, 1
    if equals:
        return name, value, 1
    if name in SWITCHES or (name not in KIND_OF and (len(words) == 1 or words[1].startswith("-"))):
        return name, "true", 1
    return name, words[1] if len(words) > 1 else "", 2


def _require_safe(flags: Flags) -> None:
    for name, value in flags:
        if re.search(r"""[^\x21-\x7e]|["'\\$`]""", value):
            must = f'--{name} must have no white space, quotes, "\\", "$" or characters other than ASCII'
            raise RejectedError(must, "one; the value is not shown", "Set that option in daemon.json by hand.")


def _require_same(flags: Flags, given: dict[str, Any], computed: list[str]) -> None:
    last = dict(flags)
    network = given.get("weave_docker_network") or "bridge"
    if network != "bridge":
        if last.get("bridge") == "weave":
            must = (
                f"must not have --bridge=weave with weave_docker_network: {network}, as a bridge has one network only"
            )
            raise RejectedError(must, "both", "Remove --bridge and --fixed-cidr.")
        return
    if last.get("icc") in FALSE:
        must = "--icc must not be off on the role's bridge, whose containers reach those of other hosts"
        raise RejectedError(must, last["icc"], "Remove it, or set weave_docker_network.")
    for name, variable, value in (
        ("bridge", "the role's bridge", "weave"),
        ("fixed-cidr", "weave_docker_subnet", given.get("weave_docker_subnet") or ""),
    ):
        if value and value not in computed and name in last and last[name] != value:
            must = f"--{name} must be the same as {variable}"
            found = f"{last[name]} in weave_docker_opts, {value} in {variable},"
            raise RejectedError(must, found, "Set it in one place.")


def _between(least: int, most: int) -> Callable[[str], bool]:
    return lambda value: re.fullmatch("-?(0|[1-9][0-9]*)", value) is not None and least <= int(value) <= most


def _matching(pattern: str) -> Callable[[str], bool]:
    return lambda value: re.fullmatch(pattern, value, re.ASCII) is not None


def _address(family: int) -> Callable[[str], bool]:
    """Whether it is an address of one family, 4 or 6, or (0) of any."""

    def accepts(value: str) -> bool:
        try:
            return "%" not in value and ipaddress.ip_address(value).version in (family or 4, family or 6)
        except ValueError:
            return False

    return accepts


def _subnet(family: int) -> Callable[[str], bool]:
    def accepts(value: str) -> bool:
        address, _, length = value.partition("/")
        return _address(family)(address) and _between(0, 128 if ":" in address else 32)(length)

    return accepts


def _is_limit(value: str) -> bool:
    """NAME=SOFT[:HARD], where -1 is unlimited."""
    match = re.fullmatch("([a-z]+)=(-?[0-9]+)(?::(-?[0-9]+))?", value)
    if not match or match[1] not in LIMITS.split():
        return False
    soft, hard = int(match[2]), int(match[3] or match[2])
    return hard == -1 or (soft != -1 and soft <= hard)


def _is_pool(value: str) -> bool:
    fields = dict(field.partition("=")[::2] for field in value.split(","))
    base = fields.get("base", "")
    return (
        fields.keys() <= {"base", "size"}
        and _subnet(0)(base)
        and _between(int(base.partition("/")[2]), 128 if ":" in base else 32)(fields.get("size", ""))
    )


def _is_port(text: str | None) -> bool:
    return re.fullmatch("[0-9]{0,5}", text or "") is not None and int(text or "0") <= 65535


def _is_host(value: str) -> bool:
    match = re.fullmatch(r"(?:(\w*)://)?(.*)", value, re.ASCII)
    if not match:
        return False
    protocol, rest = match[1] if match[1] is not None else "tcp", match[2]
    if protocol != "tcp":
        return protocol in ("fd", "unix") and "://" not in rest
    match = re.fullmatch(r"(?:\[(.*)\]|[^\s:/?#@\[\]%]*)(?::(.*))?", rest)
    return bool(match and _address(6)(match[1] if match[1] is not None else "::") and _is_port(match[2]))


def _is_registry(value: str) -> bool:
    rest = re.sub("^https?://", "", value, flags=re.IGNORECASE)
    host, port = re.fullmatch(r"(.*?)(?::([0-9]+))?", rest, re.DOTALL).groups()  # type: ignore[union-attr]
    is_name = re.fullmatch(DOMAIN, host) is not None or _address(6)(re.sub(r"^\[(.*)\]$", r"\1", host))
    return _address(0)(rest) or _subnet(0)(rest) or (is_name and _is_port(port))


LIMITS = "core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack"
LABEL = "[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
DOMAIN = rf"{LABEL}([.]{LABEL})*"
PAIR = ("NAME=VALUE", _matching("[^=]+=.*"))
# Not storage-driver, whose values depend on the host's Docker. Of others, what its newest version accepts.
CHECKS: dict[str, tuple[str, Callable[[str], bool]]] = {
    "mtu": ("a number from 68 to 65535", _between(68, 65535)),
    "log-level": (
        "debug, info, warn, error or fatal",
        _matching("(?i:trace|debug|info|warn|warning|error|fatal|panic)"),
    ),
    "default-ipc-mode": ("private or shareable", _matching("private|shareable")),
    "default-cgroupns-mode": ("host or private", _matching("host|private")),
    "oom-score-adjust": ("a number from -1000 to 1000", _between(-1000, 1000)),
    **dict.fromkeys(
        ("max-concurrent-downloads", "max-concurrent-uploads"), ("a number from 0", _between(0, 2**31 - 1))
    ),
    "max-download-attempts": ("a number from 1", _between(0, 2**31 - 1)),
    "shutdown-timeout": ("a number from -1", _between(-1, 2**31 - 1)),
    **dict.fromkeys(("dns", "ip", "host-gateway-ip"), ("an IP address", _address(0))),
    "default-gateway": ("an IPv4 address", _address(4)),
    "default-gateway-v6": ("an IPv6 address", _address(6)),
    **dict.fromkeys(("bip", "fixed-cidr"), ("an IPv4 address with a prefix length", _subnet(4))),
    **dict.fromkeys(("bip6", "fixed-cidr-v6"), ("an IPv6 address with a prefix length", _subnet(6))),
    "label": (
        "NAME=VALUE, not in com.docker, io.docker or org.dockerproject",
        _matching("(?i:(?!(com|io)[.]docker[.]|org[.]dockerproject[.])[^=]+=.*)"),
    ),
    **dict.fromkeys(("log-opt", "storage-opt", "node-generic-resource"), PAIR),
    "exec-opt": (
        "NAME=VALUE; native.cgroupdriver is cgroupfs or systemd",
        _matching("(?!native[.]cgroupdriver=(?!(cgroupfs|systemd)?$))[^=]+=.*"),
    ),
    "default-ulimit": ("NAME=SOFT:HARD, such as nofile=1024:2048", _is_limit),
    "default-address-pool": ("base=SUBNET,size=LENGTH, which is not less than the subnet's", _is_pool),
    "default-shm-size": ("a size such as 64M", _matching(r"(?i:\d+([.]\d+)? ?([kmgtp]?(i?b)?))")),
    "add-runtime": ("NAME=PATH, without the name runc", _matching("(?!(?i:runc)=)[^=]+=.*")),
    "dns-search": (
        "a domain name of letters, digits, hyphens and dots",
        _matching(rf"[.]|(?=.*[A-Za-z])(?=.{{1,254}}$){DOMAIN}[.]?"),
    ),
    "bridge": ("the name of an interface, of 15 characters at most", _matching(r"[^\s/]{1,15}")),
    "insecure-registry": ("HOST:PORT or a subnet", _is_registry),
    "registry-mirror": ("a URL such as https://mirror.example", _matching("https?://[^/?#@]+(/[^?#]*)?")),
    "host": ("an address such as unix:///run/docker.sock, tcp://127.0.0.1:2376 or fd://", _is_host),
}


def expected_instead(name: str, value: str) -> str:
    """Return what dockerd expects instead of a value, or "" if it accepts it or that depends on the host."""
    if value == "" and KIND_OF.get(name) != "list":
        return "true or false" if name in SWITCHES else ""
    if KIND_OF.get(name) == "switch":
        return "" if value in TRUTHS else "true or false"
    if name in CHECKS:
        expected, accepts = CHECKS[name]
        return "" if accepts(value) else expected
    is_number = re.fullmatch("-?(0|[1-9][0-9]*)", value)
    return "a number" if KIND_OF.get(name) == "number" and not is_number else ""


class FilterModule:
    """Ansible's interface to this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"weave_invalid_docker_opts": find_invalid_docker_opts}
