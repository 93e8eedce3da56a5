"""An .eaf as XML: a new one, or a person's own, to which is only added.

Libraries that read and write the format lose what they do not know, so the tree itself is patched:
each element, identifier, comment and space of theirs stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path, PurePosixPath

from lxml import etree

from stream.annotation.moments import TierKind
from stream.errors import OptionError
from stream.tables.elan.ownership import MARK
from stream.tables.elan.tiers import Annotation, Tier
from stream.tables.elan.times import Times
from stream.tables.elan.xml_files import Element, find_linked, read_xml, write_xml

__all__ = ["SETUP_ENDING", "EafDocument"]

SETUP_ENDING = "_tsconf.xml"
"""What the name of a file that sets up curves ends with."""
_SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_ORDER = (
    "LICENSE",
    "HEADER",
    "TIME_ORDER",
    "TIER",
    "LINGUISTIC_TYPE",
    "LOCALE",
    "LANGUAGE",
    "CONSTRAINT",
    "CONTROLLED_VOCABULARY",
    "LEXICON_REF",
    "REF_LINK_SET",
    "EXTERNAL_REF",
)
"""Children of the root as the schema orders them, and then of the header."""
_HEADER_ORDER = ("MEDIA_DESCRIPTOR", "LINKED_FILE_DESCRIPTOR", "PROPERTY")
_LAST_ID = "lastUsedAnnotationId"
_FIRST_WITH_VOCABULARIES = 2.8
"""Earlier versions of the format write them otherwise."""
_VOCABULARIES: Mapping[TierKind, Mapping[str, str]] = {
    "phase": {
        "hold": "palm and fingers rest, or nearly",
        "movement": "the palm moves, or the fingers do",
    },
    "not seen": {
        "not yet": "it was not seen so far",
        "left the picture": "where it was last seen touched the edge of the picture",
        "lost": "it was not found, though it may be in the picture",
    },
}
"""Words that tiers hold, and what they mean."""
_LANGUAGE = {
    "LANG_ID": "eng",
    "LANG_DEF": "http://cdb.iso.org/lg/CDB-00138502-001",
    "LANG_LABEL": "English (eng)",
}


class EafDocument:
    """An .eaf in memory.

    Args:
        root: Its root.
        name: What it is called in messages.
        id_prefix: What identifiers of new annotations begin with.
    """

    def __init__(self, root: Element, *, name: str, id_prefix: str) -> None:
        self._root = root
        self._name = name
        self._id_prefix = id_prefix
        self._header = root.find("HEADER")
        self._time_order = root.find("TIME_ORDER")
        self._last_id = max(_numbers_of(root), default=0)

    @classmethod
    def new(cls, *, date: datetime, author: str) -> EafDocument:
        """Return an empty one.

        Args:
            date: When it is made, with its time zone.
            author: Who makes it.
        """
        root = etree.Element("ANNOTATION_DOCUMENT", nsmap={"xsi": _XSI})
        root.set(f"{{{_XSI}}}noNamespaceSchemaLocation", _SCHEMA)
        for name, value in {
            "AUTHOR": author,
            "DATE": date.isoformat(timespec="seconds"),
            "FORMAT": "3.0",
            "VERSION": "3.0",
        }.items():
            root.set(name, value)
        etree.SubElement(root, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
        etree.SubElement(root, "TIME_ORDER")
        return cls(root, name="", id_prefix="a")

    @classmethod
    def read(cls, path: Path) -> EafDocument:
        """Return a person's own.

        Raises:
            OptionError: It is none, or its times are not in milliseconds.
        """
        way_out = "give a file that ELAN has saved"
        if not path.is_file():  # a pipe would have to be waited for
            raise OptionError(f"there is no file {path}; {way_out}")
        try:
            root = read_xml(path)
        except OSError as error:
            raise OptionError(f"{path} cannot be read: {error.strerror}; {way_out}") from error
        except ValueError as error:
            raise OptionError(f"{path} is no .eaf of ELAN's: {error}; {way_out}") from error
        if root.tag != "ANNOTATION_DOCUMENT" or None in (
            root.find("HEADER"),
            root.find("TIME_ORDER"),
        ):
            raise OptionError(f"{path} is XML, but no .eaf of ELAN's; {way_out}")
        units = root.find("HEADER").get("TIME_UNITS", "milliseconds")
        if units != "milliseconds":
            raise OptionError(f"{path} counts time in {units}, not in milliseconds; {way_out}")
        # ELAN numbers its annotations a1, a2, ... from a count of its own, which stays as it is.
        return cls(root, name=str(path), id_prefix="sl")

    @property
    def tier_names(self) -> list[str]:
        """Names of its tiers."""
        return [tier.get("TIER_ID", "") for tier in self._root.iterfind("TIER")]

    def annotations_of(self, tier: str) -> list[Annotation]:
        """Return what a tier holds, in order of time.

        Annotations without a time of their own share out that of those around them, or of what
        they refer to, as ELAN shows them.

        Raises:
            OptionError: There is no such tier, or nobody can tell when something on it is.
        """
        if tier not in self.tier_names:
            there_are = ", ".join(map(repr, self.tier_names)) or "none"
            raise OptionError(f"{self._name} has no tier {tier!r}; there are: {there_are}")
        try:
            return Times(self._root).annotations_of(tier)
        except (LookupError, ValueError, RecursionError) as error:
            raise OptionError(
                f"{self._name}: an annotation of tier {tier!r} has no time; save it with ELAN anew"
            ) from error

    def origin_ms_of(self, video: Path) -> int | None:
        """Return the media time at which its time is 0; None where it does not link the video."""
        media = self._descriptor_of(video)
        if media is None:
            return None
        origin: str = media.get("TIME_ORIGIN", "0")
        return int(origin) if re.fullmatch(r"-?\d{1,15}", origin) else 0

    def lost_when_moved(self, old: Path, new: Path) -> list[str]:
        """Return names of files that ELAN finds from one folder and not from another."""
        return [
            PurePosixPath(relative or link).name
            for link, relative in self._links()
            if find_linked(link, relative, old) and not find_linked(link, relative, new)
        ]

    def curve_setups(self, folder: Path) -> list[Path]:
        """Return the files that ELAN takes curves from, for an .eaf in ``folder``."""
        found = (
            find_linked(link, relative, folder)
            for link, relative in self._links()
            if link.endswith(SETUP_ENDING)
        )
        return [path for path in found if path is not None]

    def _links(self) -> Iterator[tuple[str, str]]:
        """Yield each link, and the same as seen from the file itself."""
        for kind, name in (("MEDIA_DESCRIPTOR", "MEDIA"), ("LINKED_FILE_DESCRIPTOR", "LINK")):
            for each in self._header.iterfind(kind):
                yield each.get(f"{name}_URL", ""), each.get(f"RELATIVE_{name}_URL", "")

    def _descriptor_of(self, video: Path) -> Element | None:
        for media in self._header.iterfind("MEDIA_DESCRIPTOR"):
            links = (media.get("MEDIA_URL", ""), media.get("RELATIVE_MEDIA_URL", ""))
            if video.name.casefold() in {PurePosixPath(link).name.casefold() for link in links}:
                return media
        return None

    def add_media(self, link: str, media_type: str, *, origin_ms: int) -> None:
        """Link a video, after those that are linked."""
        self._add_to_header(
            "MEDIA_DESCRIPTOR",
            MEDIA_URL=link,
            RELATIVE_MEDIA_URL=link,
            MIME_TYPE=media_type,
            **({"TIME_ORIGIN": str(origin_ms)} if origin_ms else {}),
        )

    def add_link(self, link: str, file_type: str) -> None:
        """Link another file, as curves are, before those that are linked.

        Of several files that set up curves ELAN reads the first alone.
        """
        element = etree.Element(
            "LINKED_FILE_DESCRIPTOR", LINK_URL=link, RELATIVE_LINK_URL=link, MIME_TYPE=file_type
        )
        first = self._header.find("LINKED_FILE_DESCRIPTOR")
        if first is None:
            _insert(self._header, element, _HEADER_ORDER)
        else:
            before = first.getprevious()
            space = self._header.text if before is None else before.tail
            first.addprevious(element)
            element.tail = space

    def add_properties(self, properties: Mapping[str, str]) -> None:
        """Store what a person reads under File, Document Properties."""
        for name, value in properties.items():
            self._add_to_header("PROPERTY", NAME=name).text = value

    def add_tiers(self, tiers: Iterable[Tier], *, annotator: str) -> None:
        """Add tiers, with the types and vocabularies that they need.

        Raises:
            OptionError: There is a tier of that name.
        """
        self.check_free(tier.name for tier in tiers)
        types: dict[TierKind | None, tuple[str, Mapping[str, str]]] = {}
        for tier in tiers:
            kind = tier.kind if tier.kind in _VOCABULARIES else None
            if kind not in types:
                types[kind] = self._add_type(kind)
            type_name, entry_ids = types[kind]
            element = etree.Element(
                "TIER", TIER_ID=tier.name, LINGUISTIC_TYPE_REF=type_name, ANNOTATOR=annotator
            )
            for annotation in tier.annotations:
                element.append(self._annotation(annotation, entry_ids))
            _insert(self._root, element, _ORDER)

    def check_free(self, tiers: Iterable[str]) -> None:
        """Make sure that no tier has one of these names.

        Raises:
            OptionError: One has.
        """
        if taken := sorted(set(self.tier_names) & set(tiers)):
            raise OptionError(
                f"{self._name} has a tier {taken[0]!r} already; "
                "give the new ones other names with --tiers"
            )

    def write(self, path: Path) -> None:
        """Write it, whole or not at all.

        Raises:
            OutputError: It cannot be written.
        """
        if self._id_prefix == "a":
            count = self._root.iterfind("TIER/ANNOTATION/*")
            last = max((int(each.get("ANNOTATION_ID")[1:]) for each in count), default=0)
            self.add_properties({_LAST_ID: str(last)})
            self._time_order[:] = sorted(
                self._time_order, key=lambda slot: int(slot.get("TIME_VALUE"))
            )
            etree.indent(self._root, " " * 4)
        self._root.addnext(etree.Comment(MARK))
        write_xml(path, self._root)

    def _add_to_header(self, name: str, **attributes: str) -> Element:
        element = etree.Element(name, **attributes)
        _insert(self._header, element, _HEADER_ORDER)
        return element

    def _annotation(self, annotation: Annotation, entry_ids: Mapping[str, str]) -> Element:
        element = etree.Element("ANNOTATION")
        attributes = {
            "ANNOTATION_ID": f"{self._id_prefix}{self._next_id()}",
            "TIME_SLOT_REF1": self._add_slot(annotation.start_ms),
            "TIME_SLOT_REF2": self._add_slot(annotation.end_ms),
        }
        if annotation.value in entry_ids:
            attributes["CVE_REF"] = entry_ids[annotation.value]
        inner = etree.SubElement(element, "ALIGNABLE_ANNOTATION", attributes)
        etree.SubElement(inner, "ANNOTATION_VALUE").text = annotation.value
        return element

    def _add_slot(self, time_ms: int) -> str:
        slot_id = f"ts{self._next_id()}"
        attributes = {"TIME_SLOT_ID": slot_id, "TIME_VALUE": str(time_ms)}
        _insert(self._time_order, etree.Element("TIME_SLOT", attributes), ("TIME_SLOT",))
        return slot_id

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def _add_type(self, kind: TierKind | None) -> tuple[str, Mapping[str, str]]:
        """Add a type; return its name, and the entries of its vocabulary by their words."""
        words = f"Signlight {kind}" if kind else "Signlight"
        name = self._free_name("LINGUISTIC_TYPE", "LINGUISTIC_TYPE_ID", words)
        element = etree.Element(
            "LINGUISTIC_TYPE",
            LINGUISTIC_TYPE_ID=name,
            TIME_ALIGNABLE="true",
            GRAPHIC_REFERENCES="false",
        )
        entry_ids: Mapping[str, str] = {}
        if kind and self._format() >= _FIRST_WITH_VOCABULARIES:
            vocabulary, entry_ids = self._add_vocabulary(words, _VOCABULARIES[kind])
            element.set("CONTROLLED_VOCABULARY_REF", vocabulary)
        _insert(self._root, element, _ORDER)
        return name, entry_ids

    def _add_vocabulary(
        self, words: str, entries: Mapping[str, str]
    ) -> tuple[str, Mapping[str, str]]:
        name = self._free_name("CONTROLLED_VOCABULARY", "CV_ID", words)
        language = self._language()
        vocabulary = etree.Element("CONTROLLED_VOCABULARY", CV_ID=name)
        etree.SubElement(vocabulary, "DESCRIPTION", LANG_REF=language)
        entry_ids = {value: f"cveid_sl{self._next_id()}" for value in entries}
        for value, meaning in entries.items():
            entry = etree.SubElement(vocabulary, "CV_ENTRY_ML", CVE_ID=entry_ids[value])
            etree.SubElement(
                entry, "CVE_VALUE", DESCRIPTION=meaning, LANG_REF=language
            ).text = value
        _insert(self._root, vocabulary, _ORDER)
        return name, entry_ids

    def _language(self) -> str:
        """Return the identifier of English, which is added where it is not there."""
        for element in self._root.iterfind("LANGUAGE"):
            if element.get("LANG_DEF") == _LANGUAGE["LANG_DEF"]:
                found: str = element.get("LANG_ID")
                return found
        used = {value for element in self._root.iter(etree.Element) for value in element.values()}
        language_id = _first_free("eng", used)
        _insert(self._root, etree.Element("LANGUAGE", _LANGUAGE | {"LANG_ID": language_id}), _ORDER)
        return language_id

    def _free_name(self, tag: str, attribute: str, name: str) -> str:
        return _first_free(name, {each.get(attribute) for each in self._root.iterfind(tag)})

    def _format(self) -> float:
        try:
            return float(self._root.get("FORMAT", "3.0"))
        except ValueError:
            return 0.0


def _insert(parent: Element, element: Element, order: tuple[str, ...]) -> None:
    """Add a child behind its like, or where the schema wants it, with the spaces around it."""
    allowed = order[: order.index(element.tag) + 1]
    before = next((each for each in reversed(parent) if each.tag in allowed), None)
    if before is None:
        element.tail = parent.text
        parent.insert(0, element)
    else:
        tail = before.tail
        before.addnext(element)  # takes the tail along
        before.tail = element.tail = tail


def _first_free(name: str, taken: set[str | None]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free


def _numbers_of(root: Element) -> Iterator[int]:
    """Yield the numbers that identifiers end with."""
    for element in root.iter(etree.Element):
        for name, value in element.items():
            if name.endswith("_ID") and (found := re.search(r"\d{1,15}$", value)):
                yield int(found[0])
        if element.get("NAME") == _LAST_ID and re.fullmatch(r"\d{1,15}", element.text or ""):
            yield int(element.text)
