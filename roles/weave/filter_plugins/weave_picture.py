"""The geometry of the drawing on the page of playbooks/verify.yml (templates/report.html.j2), in units of its view box.

Pure, like weave_report.py beside it, whose hosts and pairs it takes.
"""

import math

# So many hosts are drawn as cards, more as dots with their names around.
MOST_CARDS = 12
CARD = (180, 96)
# The drawing of more hosts would be black with the lines of what is open.
MOST_MESHED = 40
MOST_MARKS = 16
MOST_MILLISECONDS = 4
NAME_ON_CARD, UNDERLAY_ON_CARD, NAME_AT_DOT = 17, 24, 26
MISSED = ("closed", "oneway", "some")


def picture(hosts, pairs):
    """Take what weave_report.report() returned as hosts and pairs; return a dict:

    box: left, top, width and height of the view box.
    cards: whether each host is a card, with its own width and height; otherwise it is a dot with its name.
    nodes: each host's place, with its `name` cut to what there is room for; of a dot also the turn of the name.
    lines: by kind a path that draws what is not missed: open, relayed, untried.
    meshed: whether lines has what is open.
    misses: each pair that something is missed between, with its path, and the place and turn of its mark or None.
    marked: whether all of them have a mark.
    labels: the milliseconds of lines, with their places, where there are few.
    kinds: the kinds of lines and misses that are drawn.
    """
    cards = len(hosts) <= MOST_CARDS
    nodes, margins = _cards(hosts) if cards else _dots(hosts)
    place = {node["host"]["name"]: (node["x"], node["y"]) for node in nodes}
    meshed = len(hosts) <= MOST_MESHED
    lines, misses, labels = {}, [], []
    marked = sum(pair["kind"] in MISSED for pair in pairs) <= MOST_MARKS
    for pair in pairs:
        start, end = place[pair["from"]], place[pair["to"]]
        if pair["kind"] in MISSED:
            # Without its mark the direction could not be seen.
            mark = _mark(start, end, len(hosts)) if marked or pair["kind"] == "oneway" else None
            misses.append({**pair, "path": _line(start, end), "mark": mark})
        elif meshed or pair["kind"] != "open":
            lines[pair["kind"]] = lines.get(pair["kind"], "") + _line(start, end)
            if pair["ms"] and len(hosts) <= MOST_MILLISECONDS:
                labels.append({**_mark(start, end, len(hosts)), "text": pair["ms"]})
    return {
        "box": _box(nodes, margins),
        "cards": cards,
        "card": {"width": CARD[0], "height": CARD[1]},
        "nodes": nodes,
        "lines": lines,
        "meshed": meshed,
        "misses": misses,
        "marked": marked,
        "labels": labels,
        "kinds": [kind for kind in ("open", "relayed", "untried") if kind in lines]
        + [kind for kind in MISSED if any(miss["kind"] == kind for miss in misses)],
    }


def _cards(hosts):
    count = len(hosts)
    # Two stand side by side, more around an ellipse from its top.
    start = -90 if count > 2 else 180
    across = 0 if count == 1 else 240 if count <= 4 else 390
    down = 0 if count <= 2 else 150 if count <= 4 else 210 if count <= 6 else 310
    nodes = []
    for number, host in enumerate(hosts):
        angle = math.radians(start + 360 * number / count)
        x, y = round(across * math.cos(angle), 1), round(down * math.sin(angle), 1)
        name, underlay = _cut(host["name"], NAME_ON_CARD), _cut(host["underlay"], UNDERLAY_ON_CARD)
        nodes.append({"host": host, "name": name, "underlay": underlay, "x": x, "y": y})
    return nodes, (CARD[0] / 2 + 10, CARD[1] / 2 + 10)


def _dots(hosts):
    # A name needs 15 units of the circle, and some 8 a letter outside it with its address.
    radius = max(220, round(15 * len(hosts) / (2 * math.pi)))
    nodes = []
    for number, host in enumerate(hosts):
        degrees = round(-90 + 360 * number / len(hosts), 2)
        x, y = (round(radius * turn(math.radians(degrees)), 1) for turn in (math.cos, math.sin))
        flipped = 90 < degrees < 270
        name = _cut(host["name"], NAME_AT_DOT)
        turn = degrees - 180 if flipped else degrees
        nodes.append({"host": host, "name": name, "x": x, "y": y, "turn": turn, "flipped": flipped})
    longest = max(len(node["name"]) + len(node["host"]["bridge"]["address"] or "") for node in nodes)
    return nodes, (30 + 8 * longest, 30 + 8 * longest)


def _box(nodes, margins):
    sides = []
    for key, margin in zip("xy", margins):
        places = [node[key] for node in nodes]
        sides.append((min(places) - margin, max(places) - min(places) + 2 * margin))
    (left, width), (top, height) = sides
    return {"left": left, "top": top, "width": width, "height": height}


def _line(start, end):
    return f"M{start[0]:g} {start[1]:g}L{end[0]:g} {end[1]:g}"


def _mark(start, end, count):
    # Not in the middle of the drawing, where many lines cross.
    share = 0.5 if count <= 3 else 0.36
    x, y = (round(one + share * (other - one), 1) for one, other in zip(start, end))
    turn = round(math.degrees(math.atan2(end[1] - start[1], end[0] - start[0])), 1)
    return {"x": x, "y": y, "turn": turn}


def _cut(name, most):
    return name if len(name) <= most else name[: most - 1] + "…"


class FilterModule:
    def filters(self):
        return {"weave_picture": picture}
