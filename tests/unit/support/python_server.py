"""Calls functions of the role's filter plugins for tests: a JSON line [module, function, arguments] in, a JSON line out."""

from __future__ import annotations

import datetime
import importlib
import json
import pathlib
import sys
import traceback
from typing import Any

ROLE = pathlib.Path(__file__).parents[3] / "roles" / "weave"


def render_page(found: dict[str, Any], uses_bridge: bool) -> str:
    """Return the report of playbooks/verify.yml, as Ansible's template module renders it."""
    import jinja2

    found = importlib.import_module("weave_tunnels").add_tunnels(found)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROLE / "templates"), trim_blocks=True, undefined=jinja2.StrictUndefined
    )
    for name in ("weave_drawing", "weave_report", "weave_containers", "weave_report_table"):
        environment.filters.update(importlib.import_module(name).FilterModule().filters())
    return environment.get_template("report.html.j2").render(
        now=lambda utc: datetime.datetime(2026, 1, 31, 9, 5),
        weave_server_group="weave_servers",
        weave_verify=found,
        __weave_problems=importlib.import_module("weave_problems").list_problems(found, uses_bridge),
    )


def call(module: str, name: str, arguments: list[Any] | dict[str, Any]) -> Any:
    """Call a function with a list of positional or a dict of keyword arguments."""
    function = render_page if name == "render_page" else getattr(importlib.import_module(module), name)
    return function(**arguments) if isinstance(arguments, dict) else function(*arguments)


def main() -> None:
    """Answer requests until the end of standard input."""
    sys.path.insert(0, str(ROLE / "filter_plugins"))
    for line in sys.stdin:
        try:
            answer = {"result": call(*json.loads(line))}
        except Exception:
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
