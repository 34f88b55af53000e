"""The table of the report of playbooks/verify.yml (templates/report.html.j2): milliseconds from each source to each target."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

# Beyond this many cells the table has one cell for each two hosts, instead of one for each path.
MAX_CELLS = 2500
COLUMNS_PER_BLOCK = 20
STEPS_MS = (1, 10, 100)


def arrange_report_table(findings: dict[str, Any]) -> dict[str, Any]:
    """Return the table of what weave_findings returned.

    single: whether each cell is a single path.
    blocks: parts of the table that fit on paper, each with groups (a host and its columns) and rows. They stand side by side
        on a wide screen.
    """
    single = len(findings["sources"]) * len(findings["targets"]) <= MAX_CELLS
    if single:
        sources = findings["sources"]
        by_host = itertools.groupby(findings["targets"], key=lambda target: target["host"])
        groups: list[dict[str, Any]] = [{"host": host, "targets": list(targets)} for host, targets in by_host]
        answers = {}
    else:
        sources = [source for source in findings["sources"] if source["container"] is None]
        groups = [{"host": host["name"], "targets": [None]} for host in findings["hosts"]]
        answers = _answers(findings)
    sources = [source for source in sources if not source["error"]]

    def row(source: dict[str, Any], block: list[dict[str, Any]]) -> dict[str, Any]:
        cells = [_cell(source, group["host"], target, answers) for group in block for target in group["targets"]]
        return {"host": source["host"], "container": source["container"], "cells": cells}

    blocks = [{"groups": block, "rows": [row(source, block) for source in sources]} for block in _blocks(groups)]
    return {"single": single, "blocks": blocks if sources else []}


def _answers(findings: dict[str, Any]) -> dict[tuple[str, str], list[float | None]]:
    """Return the answers between two hosts and their containers, by the names of the hosts."""
    answers: dict[tuple[str, str], list[float | None]] = {}
    for source in findings["sources"]:
        for target in findings["targets"]:
            if target["host"] != source["host"] and target["address"] in source["ms"]:
                answers.setdefault((source["host"], target["host"]), []).append(source["ms"][target["address"]])
    return answers


def _blocks(groups: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Split the groups into blocks of about the same width; the columns of one host stay together."""
    columns = sum(len(group["targets"]) for group in groups)
    width = columns / max(1, -(-columns // COLUMNS_PER_BLOCK))
    blocks: list[list[dict[str, Any]]] = []
    filled = 0
    for group in groups:
        if not blocks or filled >= width * len(blocks):
            blocks.append([])
        blocks[-1].append(group)
        filled += len(group["targets"])
    return blocks


def _cell(
    source: dict[str, Any],
    host: str,
    target: dict[str, Any] | None,
    answers: dict[tuple[str, str], list[float | None]],
) -> dict[str, str]:
    """Return a cell's text and its kind: own, untested, blocked, some_blocked, or working0 to working3 by its milliseconds."""
    if host == source["host"]:
        return {"kind": "own", "text": ""}
    if target is None:
        tested = answers.get((source["host"], host), [])
    else:
        tested = [source["ms"][target["address"]]] if target["address"] in source["ms"] else []
    answers_ms = [ms for ms in tested if ms is not None]
    if not tested:
        return {"kind": "untested", "text": "–"}
    if not answers_ms:
        return {"kind": "blocked", "text": "×"}
    if len(answers_ms) < len(tested):
        return {"kind": "some_blocked", "text": f"{len(answers_ms)}/{len(tested)}"}
    slowest = max(answers_ms)
    return {"kind": f"working{sum(slowest >= step for step in STEPS_MS)}", "text": _format_ms(slowest)}


def _format_ms(ms: float) -> str:
    return f"{ms:.2f}" if ms < 1 else f"{ms:.1f}" if ms < 10 else f"{ms:.0f}"


class FilterModule:
    """Ansible's interface to this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"weave_report_table": arrange_report_table}
