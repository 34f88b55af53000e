"""Which of the role's modules Ansible does not find: none of a checkout that is not built."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

COLLECTION = "apollo.weave"


def find_missing_modules(names: list[str]) -> list[str]:
    """Return those of these modules that Ansible finds neither by their short names nor in the collection."""
    from ansible.plugins.loader import module_loader

    return [
        name for name in names if not any(module_loader.has_plugin(each) for each in (name, f"{COLLECTION}.{name}"))
    ]


class FilterModule:
    """Ansible's interface to this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"weave_missing_modules": find_missing_modules}
