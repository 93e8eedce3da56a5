"""How ELAN shows curves: which column is which curve, and which curves are on show."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lxml import etree

from stream.tables.elan.curves import Track
from stream.tables.elan.ownership import MARK, is_replaceable
from stream.tables.elan.xml_files import Element, read_xml, write_xml

__all__ = ["write_curve_setup", "write_view"]

_READER = "mpi.eudico.client.annotator.timeseries.csv.CSVServiceProvider"
"""What ELAN reads a table with."""
_COUNT = "TimeSeriesViewer.NumberOfPanels"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_SCHEMA = "http://www.mpi.nl/tools/elan/Prefs_v1.1.xsd"


def write_curve_setup(
    path: Path, link: str, tracks: Sequence[Track], *, theirs: Sequence[Path] = ()
) -> bool:
    """Write which column of a table is which curve; a file of somebody else's stays.

    Args:
        path: ..._tsconf.xml.
        link: The table, letter by letter as the .eaf links it.
        tracks: The curves in it.
        theirs: Set-ups of a person's own curves, of which the first that ELAN can read is taken
            along: it reads one file alone.

    Returns:
        Whether it was written.

    Raises:
        OutputError: It cannot be written.
    """
    root = etree.Element("timeseries", version="1.0")
    attributes = {"source-url": link, "sample-type": "Discontinuous Rate", "time-column": "0"}
    source = etree.SubElement(root, "tracksource", attributes)
    etree.SubElement(source, "property", key="provider", value=_READER)
    for track in tracks:
        element = etree.SubElement(source, "track", name=track.name, derivative="0")
        etree.SubElement(element, "property", key="detect-range", value="false")
        position = etree.SubElement(element, "sample-position")
        etree.SubElement(position, "pos", row="0", col=str(track.column))
        etree.SubElement(element, "description").text = track.meaning
        etree.SubElement(element, "units").text = track.unit
        etree.SubElement(element, "range", min="0.0", max=str(track.most))
        etree.SubElement(element, "color").text = ",".join(map(str, track.color_rgb))
    root.extend(next(filter(None, (_children(path, "tracksource") for path in theirs)), []))
    return _write(path, root)


def write_view(path: Path, tracks: Sequence[Track], *, theirs: Path | None = None) -> bool:
    """Write which curves are on show: those of one measure in a panel; a person's own view stays.

    Args:
        path: The .pfsx beside the .eaf.
        tracks: The curves.
        theirs: The view of the file that was added to; all of it is taken along.

    Returns:
        Whether it was written.

    Raises:
        OutputError: It cannot be written.
    """
    panels: dict[str, list[str]] = {}
    for track in tracks:
        panels.setdefault(track.meaning, []).append(track.name)
    root = etree.Element("preferences", nsmap={"xsi": _XSI})
    root.set("version", "1.1")
    root.set(f"{{{_XSI}}}noNamespaceSchemaLocation", _SCHEMA)
    root.extend(_children(theirs, "pref", "prefList", "prefGroup") if theirs else [])
    count = root.find(f"pref[@key='{_COUNT}']/Int")
    if count is None:
        count = etree.SubElement(etree.SubElement(root, "pref", key=_COUNT), "Int")
    num_theirs = int(count.text) if (count.text or "").isdecimal() else 0
    count.text = str(num_theirs + len(panels))
    for number, names in enumerate(panels.values(), start=num_theirs + 1):
        panel = etree.SubElement(root, "prefList", key=f"TimeSeriesViewer.Panel-{number}")
        for name in names:
            etree.SubElement(panel, "String").text = name
    return _write(path, root)


def _children(path: Path, *tags: str) -> list[Element]:
    """Return children of a file's root; none where ELAN could not read it either."""
    try:
        root = read_xml(path) if path.is_file() else ()
    except (OSError, ValueError):
        return []
    return [each for each in root if each.tag in tags]


def _write(path: Path, root: Element) -> bool:
    if not is_replaceable(path):
        return False
    root.insert(0, etree.Comment(MARK))
    etree.indent(root, " " * 4)
    write_xml(path, root)
    return True
