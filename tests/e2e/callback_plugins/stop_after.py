"""Ends ansible-playbook at once after so many tasks have run, as a killed controller does."""

import os
import signal
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
    name: stop_after
    type: aggregate
    short_description: Kill ansible-playbook after some tasks
    description: After as many as the environment variable STOP_AFTER says; skipped ones do not count.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "stop_after"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._left = int(os.environ["STOP_AFTER"])

    def v2_runner_on_ok(self, result: Any) -> None:
        # An include does nothing by itself. Since 2.19 the result has its name without the underscore.
        if "include" in (result.result if hasattr(result, "result") else result._result):
            return
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
