"""Writes each task's result on each host as a line of JSON, so that tests can compare whole plays task by task."""

import json
import os
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
    name: record_results
    type: aggregate
    short_description: Record every task's result as a line of JSON
    description: The lines go to the file that the environment variable RECORD_RESULTS names.
"""


def _of(result: Any, name: str) -> Any:
    """An attribute of a task's result: ansible-core has it by this name since 2.19, and before with an underscore."""
    return getattr(result, name) if hasattr(result, name) else getattr(result, "_" + name)


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "record_results"
    CALLBACK_NEEDS_ENABLED = True

    def _record(self, outcome: str, result: Any) -> None:
        line = json.dumps(
            {
                "host": _of(result, "host").get_name(),
                "task": _of(result, "task").get_name(),
                "action": _of(result, "task").action,
                "outcome": outcome,
                "result": _of(result, "result"),
            },
            default=str,
        )
        with open(os.environ["RECORD_RESULTS"], "a", encoding="utf-8") as record:
            record.write(line + "\n")

    def v2_runner_on_ok(self, result: Any) -> None:
        self._record("ok", result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._record("failed", result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._record("unreachable", result)

    def v2_runner_on_skipped(self, result: Any) -> None:
        self._record("skipped", result)
