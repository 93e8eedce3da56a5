"""XML of strangers read without harm, our own written, and links of ELAN's followed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lxml import etree

from stream.whole_files import told_of, written_whole

__all__ = ["Element", "find_linked", "read_xml", "write_xml"]

Element = Any


def read_xml(path: Path) -> Element:
    """Return the root of an XML file.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no XML, or has a DOCTYPE, which no file of ELAN's has.
    """
    # Entities may name any file or address, and may grow without end.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        with path.open("rb") as file:  # by its name libxml2 would open addresses and archives
            tree = etree.parse(file, parser)
    except etree.XMLSyntaxError as error:
        raise ValueError(f"it is no XML ({error})") from error
    if tree.docinfo.doctype:
        raise ValueError("it has a DOCTYPE")
    return tree.getroot()


def write_xml(path: Path, root: Element) -> None:
    """Write the document of an element, whole or not at all.

    Raises:
        OutputError: It cannot be written.
    """
    with told_of(path), written_whole(path) as unfinished, unfinished.open("wb") as file:
        # By its name libxml2 would take "%" in it for an escape.
        root.getroottree().write(file, encoding="UTF-8", xml_declaration=True)


def find_linked(link: str, relative: str, folder: Path) -> Path | None:
    """Return the file that ELAN finds by a link, in its order; None where it has to ask.

    Args:
        link: MEDIA_URL or LINK_URL.
        relative: RELATIVE_MEDIA_URL or RELATIVE_LINK_URL; may be empty.
        folder: Where the .eaf is.
    """
    path = Path(link.split(":", 1)[-1].replace("\\", "/"))
    way = relative.removeprefix("file:/")
    places = [path, folder / path.name, *([folder / way] if way else [])]
    if not path.is_absolute():  # it would depend on where ELAN was started
        places = places[1:]
    return next((place for place in places if place.is_file()), None)
