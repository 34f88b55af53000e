"""The values of a host's variables, as the play renders them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jinja2

UNRENDERED = "unrendered"


@jinja2.pass_context
def variable_values(context: jinja2.runtime.Context, names: list[str]) -> dict[str, Any]:
    """Return the values of variables by name.

    If some can't be rendered, there is also a dictionary `unrendered`: by their names, why. Ansible itself would show the template
    that asks for the values instead, and not which of them it is.
    """
    values: dict[str, Any] = {}
    unrendered: dict[str, str] = {}
    for name in names:
        try:
            value = context.resolve_or_missing(name)
            failure = next(_undefined(value), "")
        except Exception as error:
            # An ansible-core from 2.19 on has the reason as the cause.
            failure = str(error.__cause__ or error)
        if failure:
            unrendered[name] = _reason(failure)
        else:
            values[name] = value
    return {**values, UNRENDERED: unrendered} if unrendered else values


def _undefined(value: Any) -> Iterator[str]:
    """Yield why parts of a value are undefined. Raises if one can't be decrypted."""
    if isinstance(value, jinja2.Undefined):
        yield str(value._undefined_message)
    elif isinstance(value, Mapping):
        for element in value.values():
            yield from _undefined(element)
    elif isinstance(value, (list, tuple)):
        for element in value:
            yield from _undefined(element)
    elif not isinstance(value, str):
        # Only now an ansible-core before 2.19 decrypts a vaulted value.
        repr(value)


def _reason(message: str) -> str:
    """Return the innermost reason of a message, and nothing of the templates in it that may be secret, such as quoted text."""
    text = " ".join(message.split())
    undefined = re.findall(r"(?:object of type )?'[^']*' (?:is undefined|has no attribute '[^']*')", text)
    if not undefined:
        # Ansible repeats the cause.
        text = re.sub(r"^(.+)[.] \1[.]?$", r"\1", re.sub(r"^.*original message: |[.]? String: .*$", "", text))
        return text.rstrip(". ")[:200]
    expressions = re.findall(r"\{\{\s*([^{}'\"]+?)\s*\}\}", text)
    return f"{undefined[-1]} in {expressions[-1]}" if expressions and "attribute" in undefined[-1] else undefined[-1]


class FilterModule:
    """Ansible's interface to this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"weave_variable_values": variable_values}
