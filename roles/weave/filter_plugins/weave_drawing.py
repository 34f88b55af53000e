"""The geometry of the drawing in the report of playbooks/verify.yml (templates/report.html.j2), in units of its view box."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

# Up to this many hosts are drawn as cards, more as dots with their names around.
MAX_CARDS = 12
CARD = (180, 96)
# With more hosts the lines of working paths would cover the drawing.
MAX_HOSTS_WITH_LINES = 40
MAX_MARKS = 16
MAX_HOSTS_WITH_LABELS = 4
NAME_ON_CARD, UNDERLAY_ON_CARD, NAME_AT_DOT = 17, 24, 26
BLOCKED = ("blocked", "one_way", "some_blocked")


Point = tuple[float, float]


def arrange_drawing(hosts: list[dict[str, Any]], pairs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the drawing of the hosts and pairs that weave_report returned:

    box: left, top, width and height of the view box.
    cards: whether each host is a card, of the width and height in card; otherwise it is a dot with its name.
    nodes: each host's place and its name, shortened to the room there is; for a dot also the rotation of the name.
    lines: by kind the SVG path of pairs that are not blocked: working, encrypted, relayed, untested.
    draws_working_lines: whether lines has the kinds working and encrypted.
    blocked: each pair with a blocked path, with its SVG path, and the place and rotation of its mark or None.
    marked: whether all of these have a mark.
    labels: the milliseconds of lines, with their places, if there are few hosts.
    kinds: the kinds of lines and blocked pairs that are drawn.
    """
    cards = len(hosts) <= MAX_CARDS
    nodes, margins = _cards(hosts) if cards else _dots(hosts)
    place = {node["host"]["name"]: (node["x"], node["y"]) for node in nodes}
    draws_working_lines = len(hosts) <= MAX_HOSTS_WITH_LINES
    lines: dict[str, str] = {}
    blocked: list[dict[str, Any]] = []
    labels: list[dict[str, Any]] = []
    marked = sum(pair["kind"] in BLOCKED for pair in pairs) <= MAX_MARKS
    for pair in pairs:
        start, end = place[pair["from"]], place[pair["to"]]
        if pair["kind"] in BLOCKED:
            # Without its mark the direction would be invisible.
            mark = _mark(start, end, len(hosts)) if marked or pair["kind"] == "one_way" else None
            blocked.append({**pair, "path": _line(start, end), "mark": mark})
        elif draws_working_lines or pair["kind"] not in ("working", "encrypted"):
            lines[pair["kind"]] = lines.get(pair["kind"], "") + _line(start, end)
            if pair["ms"] and len(hosts) <= MAX_HOSTS_WITH_LABELS:
                labels.append({**_mark(start, end, len(hosts)), "text": pair["ms"]})
    return {
        "box": _box(nodes, margins),
        "cards": cards,
        "card": {"width": CARD[0], "height": CARD[1]},
        "nodes": nodes,
        "lines": lines,
        "draws_working_lines": draws_working_lines,
        "blocked": blocked,
        "marked": marked,
        "labels": labels,
        "kinds": [kind for kind in ("working", "encrypted", "relayed", "untested") if kind in lines]
        + [kind for kind in BLOCKED if any(pair["kind"] == kind for pair in blocked)],
    }


def _cards(hosts: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], Point]:
    count = len(hosts)
    # Two are side by side, more around an ellipse from its top.
    start = -90 if count > 2 else 180
    # Up to four hosts fit on a small screen with text that can be read.
    across = 0 if count == 1 else 136 if count in (2, 4) else 157 if count == 3 else 390
    down = 0 if count <= 2 else 150 if count <= 4 else 210 if count <= 6 else 310
    nodes: list[dict[str, Any]] = []
    for number, host in enumerate(hosts):
        angle = math.radians(start + 360 * number / count)
        x, y = round(across * math.cos(angle), 1), round(down * math.sin(angle), 1)
        name, underlay = _truncated(host["name"], NAME_ON_CARD), _truncated(host["underlay"], UNDERLAY_ON_CARD)
        nodes.append({"host": host, "name": name, "underlay": underlay, "x": x, "y": y})
    return nodes, (CARD[0] / 2 + 10, CARD[1] / 2 + 10)


def _dots(hosts: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], Point]:
    # A name needs 15 units of the circle, and with its address about 8 units per letter outside it.
    radius = max(220, round(15 * len(hosts) / (2 * math.pi)))
    nodes: list[dict[str, Any]] = []
    for number, host in enumerate(hosts):
        degrees = round(-90 + 360 * number / len(hosts), 2)
        x, y = (round(radius * function(math.radians(degrees)), 1) for function in (math.cos, math.sin))
        flipped = 90 < degrees < 270
        name = _truncated(host["name"], NAME_AT_DOT)
        turn = degrees - 180 if flipped else degrees
        nodes.append({"host": host, "name": name, "x": x, "y": y, "turn": turn, "flipped": flipped})
    longest = max(len(node["name"]) + len(node["host"]["bridge"]["address"] or "") for node in nodes)
    return nodes, (30 + 8 * longest, 30 + 8 * longest)


def _box(nodes: list[dict[str, Any]], margins: Point) -> dict[str, float]:
    sides = []
    for key, margin in zip("xy", margins):
        places = [node[key] for node in nodes]
        sides.append((min(places) - margin, max(places) - min(places) + 2 * margin))
    (left, width), (top, height) = sides
    return {"left": left, "top": top, "width": width, "height": height}


def _line(start: Point, end: Point) -> str:
    return f"M{start[0]:g} {start[1]:g}L{end[0]:g} {end[1]:g}"


def _mark(start: Point, end: Point, count: int) -> dict[str, float]:
    # Not in the middle of the drawing, where many lines cross.
    share = 0.5 if count <= 3 else 0.36
    x, y = (round(one + share * (other - one), 1) for one, other in zip(start, end))
    turn = round(math.degrees(math.atan2(end[1] - start[1], end[0] - start[0])), 1)
    return {"x": x, "y": y, "turn": turn}


def _truncated(name: str, length: int) -> str:
    return name if len(name) <= length else name[: length - 1] + "…"


class FilterModule:
    """Ansible's interface to this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"weave_drawing": arrange_drawing}
