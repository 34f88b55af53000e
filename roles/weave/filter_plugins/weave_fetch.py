"""What the role brings to the hosts: whether it can be told from something else."""

import re


def unverifiable(items):
    """Take what is to be brought, dicts with url and sha256, or with file, a copy on the controller; and with variable, the
    one that gives them. Return why the first that can't be brought is refused, or "".
    """
    for item in items:
        variable, url, sha256 = item.get("variable", "weave_image_archives"), item.get("url"), item.get("sha256") or ""
        if item.get("file"):
            continue
        if not url:
            what = item.get("image") or item.get("path")
            return f"{variable}: {what} has neither url nor file; give url and sha256, or file."
        if not re.fullmatch("[0-9a-f]{64}", sha256):
            return (
                f"{variable}: {url} is not fetched by the checksum {sha256 or '(none)'}; give the file's sha256, as `sha256sum` "
                "prints it for a copy that you trust, or a copy on the controller instead."
            )
    return ""


class FilterModule:
    def filters(self):
        return {"weave_unverifiable": unverifiable}
