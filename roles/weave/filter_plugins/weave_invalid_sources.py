"""Whether the files that the role puts on hosts have one source that can be trusted: a URL and a checksum, or a local copy."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

# The grammar of an image's name with its tag: https://pkg.go.dev/github.com/distribution/reference
COMPONENT = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
NAME = rf"(?:{LABEL}(?:[.]{LABEL})*(?::[0-9]+)?/)?{COMPONENT}(?:/{COMPONENT})*"
IMAGE = re.compile(rf"(?=.{{1,255}}:){NAME}:\w[\w.-]{{0,127}}", re.ASCII)


def find_invalid_sources(items: list[dict[str, Any]], missing: Sequence[str] = ()) -> str:
    """Return what is wrong with the files that the role puts on a host, or "".

    items: each with url and sha256, or with file, a copy on the controller; and the variable to name in a message, or the image
        that is in it.
    missing: those of the files that Ansible does not find: it looks for a relative path in several directories.
    """
    return " ".join([*_archives([item for item in items if "image" in item]), *_sources(items, missing)])


def _twice(values: list[str]) -> list[str]:
    return sorted({value for value in values if values.count(value) > 1})


def _archives(archives: list[dict[str, Any]]) -> Iterator[str]:
    for image in (str(archive["image"]) for archive in archives):
        if not IMAGE.fullmatch(image):
            yield (
                f'weave_image_archives: must have images by name and tag (found "{image}"). Write each as Docker has it, such as '
                "weaveworks/weave:2.8.1."
            )
    for image in _twice([str(archive["image"]) for archive in archives]):
        yield f"weave_image_archives: must have each image once (found {image} twice). Remove one of the archives."
    for name in _twice(
        [os.path.basename(str(archive.get("file") or archive.get("url") or "")) for archive in archives]
    ):
        yield (
            "weave_image_archives: must have files of different names, as all are copied to weave_image_directory (found "
            f"{name or 'no name'} twice). Rename one of them."
        )
    for archive in archives:
        if archive.get("file") and archive.get("url"):
            yield (
                f"weave_image_archives: must have a url or a file for {archive['image']} (found both). Remove the one "
                "that is not to be used."
            )


def _checksum(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def _sources(items: list[dict[str, Any]], missing: Sequence[str]) -> Iterator[str]:
    for item in items:
        variable, url, sha256 = (
            item.get("variable", "weave_image_archives"),
            item.get("url"),
            str(item.get("sha256") or ""),
        )
        if item.get("file"):
            path = os.path.expanduser(str(item["file"]))
            if str(item["file"]) in missing or (os.path.isabs(path) and not os.path.isfile(path)):
                option = "weave_image_archives" if "image" in item else variable.replace("sha256", "script_file")
                where = path if os.path.isabs(path) else f"{path}, which is looked for beside the playbook"
                yield f"{option}: must be a file on the controller (found none at {where}). Correct the path."
            elif os.path.isabs(path) and sha256 and "image" not in item and sha256 != _checksum(path):
                yield (
                    f"{variable}: must be the checksum of {path}, if both are set (found {sha256}; the file has "
                    f"{_checksum(path)}). Correct or remove it."
                )
            continue
        if not url:
            name = item.get("image") or item.get("path")
            yield f"{variable}: must have a url or a file for {name} (found neither). Set url and sha256, or file."
        elif not re.fullmatch("[0-9a-f]{64}", sha256):
            yield (
                f"{variable}: needs the SHA-256 checksum of {url}, 64 lower-case hexadecimal digits (found {sha256 or 'none'}). "
                "Set what `sha256sum` prints for a trusted copy, or use a copy on the controller."
            )


class FilterModule:
    """Ansible's interface to this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"weave_invalid_sources": find_invalid_sources}
