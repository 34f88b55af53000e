"""Whether the role's variables name what is there: groups and hosts of the inventory, files of the controller."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any


def find_invalid_references(given: dict[str, Any], host: str, group: list[str], play: list[str], purpose: str) -> str:
    """Return what is wrong with the variables of a host, or "".

    given: those that are set, by name.
    group: the hosts of the group weave_server_group; none if there is no such group.
    play: the hosts of the play.
    purpose: what the variables are for: to set the network up, to verify it, or to tear it down.
    """
    problems = [
        *_group(str(given.get("weave_server_group") or ""), host, group),
        *(_leaving(_words(given.get("weave_leaving")), host, group, play) if purpose == "set up" else ()),
        *(_excused(_words(given.get("weave_verify_excused")), host, group) if purpose == "verify" else ()),
        *(_report(given.get("weave_verify_report", ""), host) if purpose == "verify" else ()),
    ]
    return " ".join(problems)


def _group(name: str, host: str, group: list[str]) -> Iterator[str]:
    if host not in group:
        yield (
            f"weave_server_group: must be a group with all hosts of the play (found {host}, which is not in the group "
            f"{name or 'of no name'}). Add it to the group, or run the role on that group alone (hosts: {name or 'GROUP'})."
        )


def _leaving(names: list[str], host: str, group: list[str], play: list[str]) -> Iterator[str]:
    unknown = [name for name in names if name not in group]
    staying = [name for name in names if name in play]
    if unknown:
        yield (
            f"weave_leaving: must name hosts of the group (found {', '.join(unknown)} for {host}). Correct or remove the names: a "
            "host that is not in the inventory is not a peer anyway."
        )
    elif staying:
        yield (
            f"weave_leaving: must not name hosts of the play, which sets them up (found {', '.join(staying)} for {host}). Run "
            "playbooks/shrink.yml, which removes them, or remove the names."
        )


def _excused(names: list[str], host: str, group: list[str]) -> Iterator[str]:
    unknown = [name for name in names if name not in group and name != "all"]
    if unknown:
        yield (
            f"weave_verify_excused: must name hosts of the group, or all (found {', '.join(unknown)} for {host}). Correct or "
            "remove the names."
        )


def _report(value: Any, host: str) -> Iterator[str]:
    """The file is replaced, so it is its directory that must be writable."""
    if value == "":
        return
    path = os.path.realpath(os.path.expanduser(str(value or "")))
    directory = os.path.dirname(path)
    if value is None:
        must, found, remedy = "must be a file", "nothing", 'Name one, or set "" for none.'
    elif os.path.isdir(path) or str(value).endswith("/"):
        must, found, remedy = (
            "must be a file",
            f"the directory {path}",
            f"Write it as {os.path.join(path, 'report.html')}.",
        )
    elif not os.path.isdir(directory):
        must = "must be in a directory that the controller has"
        found, remedy = f"no directory {directory}", f"Create it (mkdir -p {directory}), or name another file."
    elif not os.access(directory, os.W_OK | os.X_OK):
        must = "must be in a directory that ansible-playbook's user can write to"
        found, remedy = f"{directory}", 'Name another file, or set "" for none.'
    else:
        return
    yield f"weave_verify_report: {must} (found {found} for {host}). {remedy}"


def _words(value: Any) -> list[str]:
    elements = value if isinstance(value, list) else [value or ""]
    return [word.strip() for element in elements for word in str(element).split(",") if word.strip()]


class FilterModule:
    """Ansible's interface to this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"weave_invalid_references": find_invalid_references}
