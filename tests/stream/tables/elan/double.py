"""A double of ELAN, by the rules that it reads a package by. It knows nothing of our writer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree


@dataclass(frozen=True)
class Curve:
    """What a panel draws."""

    points: list[tuple[int, float]]
    """Milliseconds and values; NaN breaks the line."""
    range: tuple[float, float]
    color: str


def open_in_elan(eaf: Path) -> tuple[dict[str, list[tuple[int, int, str]]], dict[str, Curve]]:
    """Return the tiers, and the curves that are on show once the file is opened."""
    root = ElementTree.parse(eaf).getroot()
    slots = {
        slot.get("TIME_SLOT_ID"): int(slot.get("TIME_VALUE", "-1"))
        for slot in root.iterfind("TIME_ORDER/TIME_SLOT")
    }
    tiers = {
        tier.get("TIER_ID", ""): [
            (
                slots[each.get("TIME_SLOT_REF1")],
                slots[each.get("TIME_SLOT_REF2")],
                each.findtext("ANNOTATION_VALUE") or "",
            )
            for each in tier.iterfind("ANNOTATION/ALIGNABLE_ANNOTATION")
        ]
        for tier in root.iterfind("TIER")
    }
    links = [each.get("LINK_URL", "") for each in root.iterfind("HEADER/LINKED_FILE_DESCRIPTOR")]
    curves: dict[str, Curve] = {}
    for link in links:
        path = follow(eaf, link)
        if link.endswith("_tsconf.xml") and path.is_file():
            sources = ElementTree.parse(path).getroot().findall("tracksource")
            for source in sources:
                url = source.get("source-url", "")
                if url in links:  # letter by letter
                    curves |= _curves_of(follow(eaf, url), source)
            if sources:
                break  # the first that has any is the only one
    view = ElementTree.parse(eaf.with_suffix(".pfsx")).getroot()
    lists = {
        each.get("key"): [item.text for item in each.iterfind("String")]
        for each in view.iterfind("prefList")
    }
    count = view.findtext("pref[@key='TimeSeriesViewer.NumberOfPanels']/Int") or "0"
    shown = [
        name
        for number in range(1, int(count) + 1)
        for name in lists.get(f"TimeSeriesViewer.Panel-{number}", [])
    ]
    return tiers, {name: curves[name] for name in shown if name}


def follow(eaf: Path, link: str) -> Path:
    """Return where a link leads: ELAN cuts all up to the first colon, and decodes nothing."""
    link = link.split(":", 1)[-1].replace("\\", "/")
    return eaf.parent / link


def _curves_of(path: Path, source: ElementTree.Element) -> dict[str, Curve]:
    rows, time_format = read_table(path, int(source.get("time-column", "-1")))
    assert source.get("sample-type") == "Discontinuous Rate"
    found = {}
    for track in source.iterfind("track"):
        position, span = track.find("sample-position/pos"), track.find("range")
        assert position is not None
        assert span is not None
        column = int(position.get("col", "-1"))
        found[track.get("name", "")] = Curve(
            points=[(_in_ms(row[0], time_format), _number(row[column])) for row in rows],
            range=(float(span.get("min", "nan")), float(span.get("max", "nan"))),
            color=track.findtext("color") or "",
        )
    return found


def read_table(path: Path, time_column: int) -> tuple[list[list[str]], str]:
    """Return the cells and how times are written, both found out as ELAN does."""
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    counts = {mark: sum(len(_split(line, mark)) - 1 for line in lines[:10]) for mark in "\t;,"}
    most = max(counts.values())
    assert list(counts.values()).count(most) == 1, "no delimiter is in the majority"
    delimiter = next(mark for mark, count in counts.items() if count == most)
    rows = [_split(line, delimiter) for line in lines]
    votes = {"clock": 0, "seconds": 0, "ms": 0}
    for row in rows[:20]:
        cell = row[time_column]
        votes["clock" if ":" in cell else "seconds" if re.search("[.,]", cell) else "ms"] += 1
    return rows, max(votes, key=lambda name: votes[name])


def _split(line: str, delimiter: str) -> list[str]:
    """Split as Java does, which drops empty cells at the end."""
    cells = line.split(delimiter)
    while len(cells) > 1 and not cells[-1]:
        cells.pop()
    return cells


def _in_ms(cell: str, time_format: str) -> int:
    assert time_format == "seconds"
    return int(Fraction(cell) * 1000)


def _number(cell: str) -> float:
    return float(cell)


def frame_on_show(times_s: list[Fraction], at_ms: int) -> int:
    """Return which frame a player shows: the last that is not later."""
    return max(index for index, time_s in enumerate(times_s) if time_s * 1000 <= at_ms)
