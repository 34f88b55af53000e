"""How `raw` runs the scripts of files/ on a host, whatever the login shell there is."""

from __future__ import annotations

import base64
import gzip
import shlex
from collections.abc import Callable, Mapping
from typing import Any


def wrap_script(script: str, arguments: list[Any] | Mapping[str, Any]) -> str:
    """Return a line that runs a script in sh with these arguments, which `raw` has no other way to pass.

    A mapping has them by name, for a script that reads NAME=VALUE. None, as of a variable that is null, is an empty value: an
    ansible-core before 2.19 has made it one already.

    The login shell reads it, which may be csh, tcsh or fish. csh and tcsh take neither line feeds nor "!" in quotes, and Debian's
    csh (20110502-7) can't read a word of 9,000 bytes. So the line has the script compressed, as base64. The script may have come
    from a checkout with CRLF, which sh does not read.
    """
    words = (
        [f"{name}={_text(value)}" for name, value in sorted(arguments.items())]
        if isinstance(arguments, Mapping)
        else [_text(argument) for argument in arguments]
    )
    text = f"set -- {shlex.join(words)}\n{script}".replace("\r\n", "\n")
    encoded = base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()
    return f"""sh -c 'eval "$(echo {encoded} | base64 -d | gzip -d)"'"""


def _text(value: Any) -> str:
    return "" if value is None else str(value)


class FilterModule:
    """Ansible's interface to this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"weave_command": wrap_script}
