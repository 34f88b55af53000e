"""Whether the role's variables are what meta/argument_specs.yml says. Pure.

Ansible could check them itself, but prints the whole specification with each wrong value.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

# The words that Ansible's filter `bool` knows. Any other, such as y, is false there, but may be true to a module.
BOOLEANS = {"yes", "on", "1", "true", "no", "off", "0", "false"}
KINDS = {
    "str": ("a string", "Set a string"),
    "int": ("a whole number", "Set a whole number"),
    "bool": ("true or false", "Set one of these"),
    "list": ("a list", "Set a list"),
    "dict": ("a dictionary", "Set keys with values"),
}


def find_invalid_variables(specs: dict[str, Any], values: dict[str, Any], names: list[str], host: str) -> str:
    """Return what is wrong with the variables of a host, or "".

    specs: the options of the role, by name.
    values: the values of those that are set; in `unrendered`, why others have none (filter weave_variable_values).
    names: the names of all variables of the host.
    """
    if values.get("unrendered"):
        return " ".join(_unrendered(name, reason, host) for name, reason in values["unrendered"].items())
    # The fact weave_verify is what tasks/verify.yml found.
    ignored = [str(name) for name in _elements(values.get("weave_ignored_variables"))]
    known = {*specs, *ignored, "weave_verify"}
    problems = [
        *(_own(name, host) for name in ignored if name in specs),
        *(_unknown(name, list(specs), host) for name in names if name.startswith("weave_") and name not in known),
        *(_misspelt(name, close, host) for name in names if name not in known for close in _near(name, specs)),
        *(problem for name, value in values.items() for problem in _wrong(name, value, specs[name], host)),
    ]
    return " ".join(problems)


def _unrendered(name: str, reason: str, host: str) -> str:
    if re.search("is undefined|has no attribute", reason):
        return (
            f"{name}: must use variables that are defined (found that {reason}, for {host}). Define it in the inventory, with -e "
            "or as a fact that is gathered before, or correct the name."
        )
    return f"{name}: must have a value that Ansible can read (found an error for {host}: {reason}). Correct it."


def _near(name: str, specs: dict[str, Any]) -> list[str]:
    """Return the variable of the role that may be meant by this name, at most one: Ansible takes weave-mac for another one."""
    normal = name.lower().replace("-", "_")
    if name.startswith("weave_") or not normal.startswith(("w", "eave", "_weave")):
        return []
    own = [spec for spec in specs if spec.startswith("weave_")]
    return difflib.get_close_matches(normal, own, n=1, cutoff=0.92)


def _misspelt(name: str, close: str, host: str) -> str:
    return (
        f"{name}: must not be so similar to a variable of the role weave that one may be meant (found it for {host}). Did you mean "
        f"{close}? If another role reads it, add it to weave_ignored_variables."
    )


def _own(name: Any, host: str) -> str:
    return (
        f"weave_ignored_variables: must name variables of other roles (found {name} for {host}, which this role reads). Remove the "
        "name."
    )


def _unknown(name: str, known: list[str], host: str) -> str:
    return (
        f"{name}: must be a variable of the role weave (found an unknown one for {host}). {_did_you_mean(name, known)}"
        "If another role reads it, add it to weave_ignored_variables."
    )


def _did_you_mean(found: str, known: list[str]) -> str:
    close = difflib.get_close_matches(found, known, n=1)
    return f"Did you mean {close[0]}? " if close else ""


def _wrong(name: str, value: Any, spec: dict[str, Any], host: str) -> Iterator[str]:
    kind, choices = spec["type"], spec.get("choices")
    if value is False and "off" in (choices or []):
        # YAML's boolean of that name, which Ansible converts back, too.
        return
    if not _is(kind, value):
        must, remedy = KINDS[kind]
        yield f"{name}: must be {must} (found {_redacted(value, spec)} for {host}). {remedy}."
    elif choices and str("" if value is None else value) not in choices:
        remedy = _did_you_mean(str(value), choices).strip() or "Set one of these."
        yield f"{name}: must be {_or(choices)} (found {_redacted(value, spec)} for {host}). {remedy}"
    elif (
        kind == "list" and spec.get("elements") == "dict" and isinstance(value, str) and value and not _elements(value)
    ):
        yield f"{name}: must be a list (found a text of white space for {host}). Set a list."
    elif kind == "list":
        for number, element in enumerate(_elements(value), 1):
            yield from _wrong_element(f"{name}[{number}]", element, spec, host)


def _wrong_element(name: str, value: Any, spec: dict[str, Any], host: str) -> Iterator[str]:
    kind, options = spec.get("elements", "raw"), spec.get("options", {})
    if not _is(kind, value) or value is None:
        must, remedy = KINDS[kind]
        yield f"{name}: must be {must} (found {_redacted(value, spec)} for {host}). {remedy}."
        return
    if not options:
        return
    for key in value:
        if key not in options:
            remedy = _did_you_mean(str(key), list(options)).strip() or "Remove it."
            yield f"{name}: must have only the keys {', '.join(options)} (found {key} for {host}). {remedy}"
    for key, option in options.items():
        if value.get(key) is not None:
            yield from _wrong(f"{name}.{key}", value[key], option, host)
        elif option.get("required"):
            yield f"{name}: must have the key {key} (found none for {host}). Set it."


def _is(kind: str, value: Any) -> bool:
    """Return whether Ansible could convert a value, without what it converts only by accident, such as a list to a text."""
    text = str(value).strip()
    if kind == "str":
        return value is None or not isinstance(value, (list, Mapping))
    if kind == "int":
        return not isinstance(value, (bool, float)) and text[text[:1] in ("-", "+") :].isdecimal()
    if kind == "bool":
        return str(value).lower() in BOOLEANS
    if kind == "list":
        return isinstance(value, (list, str, int, float)) and not isinstance(value, bool)
    if kind == "dict":
        return isinstance(value, Mapping)
    return True


def _elements(value: Any) -> list[Any]:
    """Return the elements of a list, which may be a text with commas."""
    if isinstance(value, list):
        return value
    return [] if value is None else [element.strip() for element in str(value).split(",") if element.strip()]


def _redacted(value: Any, spec: dict[str, Any]) -> str:
    """Return a value for a message, without what is or may contain a secret."""
    if isinstance(value, Mapping):
        return "a dictionary"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    return "another text" if spec.get("no_log") or spec["type"] in ("dict", "list") else f'"{str(value)[:100]}"'


def _or(choices: list[str]) -> str:
    return f"{', '.join(choices[:-1])} or {choices[-1]}" if len(choices) > 1 else choices[0]


class FilterModule:
    """Ansible's interface to this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"weave_invalid_variables": find_invalid_variables}
