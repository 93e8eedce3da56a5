"""Tiers added to a copy of a person's own file: nothing of theirs changes."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pympi
import pytest
from lxml import etree

from stream.errors import OptionError, OutputError
from stream.tables.elan.document import EafDocument
from stream.tables.elan.links import Media
from stream.tables.elan.options import ElanOptions
from stream.tables.elan.ownership import MARK
from tests.stream.tables.elan.double import open_in_elan
from tests.stream.tables.elan.making import GLOSSES, RICH, stretch, write_package, write_rich

Element = Any

STRETCHES = [
    stretch("phase", "right", 0, 1, "hold"),
    stretch("phase", "right", 1, 2, "movement"),
    stretch("not seen", "left", 0, 2, "lost"),
]


def _added(theirs: Element, ours: Element) -> Iterator[Element]:
    """Yield what is in one tree beyond the other; all of the other has to be there, in order."""
    assert _itself(theirs) == _itself(ours)
    rest = list(theirs)
    for child in ours:
        if rest and _itself(rest[0])[:2] == _itself(child)[:2]:
            yield from _added(rest.pop(0), child)
        else:
            yield child
    assert not rest, [etree.tostring(each) for each in rest]


def _itself(node: Element) -> tuple[object, ...]:
    """Return a node without what it holds."""
    return node.tag, dict(node.attrib), node.text, node.tail


def test_only_additions_are_made(tmp_path: Path, assert_valid: Callable[[Path], None]) -> None:
    mine, copy = write_rich(tmp_path / "mine.eaf"), tmp_path / "copy.eaf"
    before = mine.read_bytes()
    write_package(copy, options=ElanOptions(into=mine), stretches=STRETCHES)
    assert mine.read_bytes() == before
    assert_valid(mine)
    assert_valid(copy)
    given, copied = etree.parse(str(mine)), etree.parse(str(copy))
    added = list(_added(given.getroot(), copied.getroot()))
    assert {element.tag for element in added} == {
        "LINKED_FILE_DESCRIPTOR",
        "PROPERTY",
        "TIME_SLOT",
        "TIER",
        "LINGUISTIC_TYPE",
        "LANGUAGE",
        "CONTROLLED_VOCABULARY",
    }  # no video: theirs is linked
    for element in added:  # whose spaces go with it
        element.getparent().remove(element)
    left = etree.canonicalize(etree.tostring(copied, encoding="unicode"), with_comments=True)
    assert left.count(MARK) == 1
    assert left.replace(f"<!--{MARK}-->\n", "") == etree.canonicalize(
        from_file=str(mine), with_comments=True
    )


_BARE = (
    '<ANNOTATION_DOCUMENT AUTHOR="" DATE="2024-01-01T00:00:00Z" FORMAT="3.0" VERSION="3.0">'
    "<HEADER/><TIME_ORDER/></ANNOTATION_DOCUMENT>"
)


@pytest.mark.parametrize(
    "content",
    [
        _BARE.encode(),
        _BARE.replace("><", ">\r\n<").encode("utf-8-sig"),
        _BARE.replace("<HEADER/>", "<HEADER><!-- \u05e9 --></HEADER><?pi x?>").encode("utf-16"),
    ],
    ids=["bare", "byte-order-mark", "utf-16"],
)
def test_files_of_other_programs_are_added_to_alike(
    tmp_path: Path, content: bytes, assert_valid: Callable[[Path], None]
) -> None:
    mine, copy = tmp_path / "mine.eaf", tmp_path / "copy.eaf"
    mine.write_bytes(content)
    write_package(copy, options=ElanOptions(into=mine), stretches=STRETCHES)
    assert_valid(copy)
    assert open_in_elan(copy)[0]["RH-phase"] == [(0, 1000, "hold"), (1000, 2000, "movement")]
    given, copied = etree.parse(str(mine)), etree.parse(str(copy))
    for element in list(_added(given.getroot(), copied.getroot())):
        element.getparent().remove(element)
    left = etree.canonicalize(etree.tostring(copied, encoding="unicode"), with_comments=True)
    assert left.replace(f"\n<!--{MARK}-->", "") == etree.canonicalize(
        from_file=str(mine), with_comments=True
    )


def test_new_identifiers_are_above_the_largest_and_not_the_next_of_elans_count(
    tmp_path: Path,
) -> None:
    mine, copy = write_rich(tmp_path / "mine.eaf"), tmp_path / "copy.eaf"
    write_package(copy, options=ElanOptions(into=mine), stretches=STRETCHES)
    theirs = set(re.findall(r'_ID="(\w+)"', mine.read_text(encoding="utf-8")))
    assert "grl5000" in theirs
    found = re.findall(r'(?:ANNOTATION|TIME_SLOT|CVE)_ID="(\w+)"', copy.read_text(encoding="utf-8"))
    assert len(found) == len(set(found))
    new = set(found) - theirs
    assert len(new) == 3 * 3 + 5
    assert min(int(re.sub(r"\D", "", each)) for each in new) > 5000
    # ELAN counts on from a400 and takes no look at which are taken.
    assert not [each for each in new if re.fullmatch(r"a\d+", each)]


def test_pympi_reads_their_tiers_and_ours(tmp_path: Path) -> None:
    mine, copy = write_rich(tmp_path / "mine.eaf"), tmp_path / "copy.eaf"
    write_package(copy, options=ElanOptions(into=mine, tiers="ngt"), stretches=STRETCHES)
    eaf = pympi.Elan.Eaf(str(copy))
    assert eaf.get_annotation_data_for_tier("PhaseR S1") == [
        (0, 1000, "hold"),
        (1000, 2000, "movement"),
    ]
    assert GLOSSES in eaf.get_tier_names()
    assert eaf.tiers["PhaseR S1"][2]["LINGUISTIC_TYPE_REF"] == "Signlight phase"
    assert (
        eaf.linguistic_types["Signlight phase"]["CONTROLLED_VOCABULARY_REF"] == "Signlight phase_2"
    )


def test_a_video_that_they_let_begin_later_moves_tiers_and_curves_along(tmp_path: Path) -> None:
    mine, copy = write_rich(tmp_path / "mine.eaf", origin_ms=400), tmp_path / "copy.eaf"
    overlay = tmp_path / "b.overlay.mp4"
    write_package(
        copy,
        options=ElanOptions(into=mine, by=GLOSSES),
        stretches=STRETCHES,
        media=Media(video=tmp_path / "b.mp4", overlay=overlay),
    )
    tiers, curves = open_in_elan(copy)
    assert tiers["RH-phase"] == [(0, 600, "hold"), (600, 1600, "movement")]
    assert curves["RH speed"].points[0] == (0, 2.0)
    assert len(curves["RH speed"].points) == 15
    origins = {
        media.get("MEDIA_URL"): media.get("TIME_ORIGIN")
        for media in etree.parse(str(copy)).iterfind(".//MEDIA_DESCRIPTOR")
    }
    assert origins["./b.overlay.mp4"] == "400"
    with (tmp_path / "copy.by.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["frames"] for row in rows if row["hand"] == "right"] == ["13", "2"]


def test_a_video_that_they_do_not_link_is_linked_and_told_of(tmp_path: Path) -> None:
    mine, copy = write_rich(tmp_path / "mine.eaf"), tmp_path / "copy.eaf"
    told = write_package(
        copy, options=ElanOptions(into=mine), media=Media(video=tmp_path / "other.mp4")
    )
    assert "does not link other.mp4" in told[0]
    links = [
        each.get("MEDIA_URL") for each in etree.parse(str(copy)).iterfind(".//MEDIA_DESCRIPTOR")
    ]
    assert links == ["file:///nowhere/else/b.mp4", "./other.mp4"]


def test_their_relative_links_that_lead_nowhere_from_the_copy_are_told_of(tmp_path: Path) -> None:
    (tmp_path / "b.mp4").touch()
    (tmp_path / "out").mkdir()
    mine = write_rich(tmp_path / "mine.eaf")
    media = Media(video=tmp_path / "b.mp4")
    assert write_package(tmp_path / "copy.eaf", options=ElanOptions(into=mine), media=media) == []
    (told,) = write_package(
        tmp_path / "out" / "copy.eaf", options=ElanOptions(into=mine), media=media
    )
    assert "leads to 'b.mp4' from its own folder only" in told


def test_their_curves_and_their_view_stay_on_show_beside_ours(tmp_path: Path) -> None:
    mine, copy = write_rich(tmp_path / "mine.eaf"), tmp_path / "copy.eaf"
    (tmp_path / "gaze.csv").write_text("0.0;1.5\n0.5;2.5\n")
    (tmp_path / "gaze_tsconf.xml").write_text(
        '<timeseries><tracksource source-url="./gaze.csv" time-column="0" '
        'sample-type="Discontinuous Rate"><track name="gaze"><sample-position><pos row="0" '
        'col="1"/></sample-position><range min="0" max="9"/></track></tracksource></timeseries>'
    )
    (tmp_path / "mine.pfsx").write_text(
        '<preferences><prefList key="MultiTierViewer.TierOrder"><String>note</String></prefList>'
        '<pref key="TimeSeriesViewer.NumberOfPanels"><Int>1</Int></pref>'
        '<prefList key="TimeSeriesViewer.Panel-1"><String>gaze</String></prefList></preferences>'
    )
    mine.write_text(
        mine.read_text(encoding="utf-8")
        .replace("file:///nowhere/gaze_tsconf.xml", "./gaze_tsconf.xml")
        .replace(
            "<PROPERTY", '<LINKED_FILE_DESCRIPTOR LINK_URL="./gaze.csv" MIME_TYPE="x"/><PROPERTY', 1
        ),
        encoding="utf-8",
    )
    assert list(open_in_elan(mine)[1]) == ["gaze"]
    write_package(copy, options=ElanOptions(into=mine))
    curves = open_in_elan(copy)[1]
    assert list(curves) == [
        "gaze",
        *(
            f"{who} {what}"
            for what in ("speed", "shape", "on hand", "entropy", "change")
            for who in ("RH", "LH")
        ),
    ]
    assert curves["gaze"].points == [(0, 1.5), (500, 2.5)]
    assert b"MultiTierViewer.TierOrder" in copy.with_suffix(".pfsx").read_bytes()


@pytest.mark.parametrize("content", ["", "<timeseries/>", "<!DOCTYPE a><timeseries/>"])
def test_a_setup_and_a_view_of_theirs_that_elan_cannot_read_hinder_nothing(
    tmp_path: Path, content: str
) -> None:
    mine, copy = write_rich(tmp_path / "mine.eaf"), tmp_path / "copy.eaf"
    for name in ("gaze_tsconf.xml", "mine.pfsx"):
        (tmp_path / name).write_text(content)
    write_package(copy, options=ElanOptions(into=mine))
    assert len(open_in_elan(copy)[1]) == 10


def test_a_file_of_an_older_format_gets_tiers_without_vocabularies(tmp_path: Path) -> None:
    mine = write_rich(tmp_path / "mine.eaf")
    mine.write_text(
        mine.read_text(encoding="utf-8").replace('FORMAT="3.0"', 'FORMAT="2.7"'), "utf-8"
    )
    write_package(tmp_path / "copy.eaf", options=ElanOptions(into=mine), stretches=STRETCHES)
    copied = etree.parse(str(tmp_path / "copy.eaf"))
    assert len(list(copied.iterfind("CONTROLLED_VOCABULARY"))) == 1
    assert len(list(copied.iterfind("TIER[@TIER_ID='RH-phase']/ANNOTATION"))) == 2


def test_times_that_elan_works_out_are_worked_out_alike(tmp_path: Path) -> None:
    document = EafDocument.read(write_rich(tmp_path / "mine.eaf"))
    glosses = [(each.start_ms, each.end_ms) for each in document.annotations_of(GLOSSES)]
    assert glosses == [(0, 500), (500, 1000)]
    notes = [(each.start_ms, each.end_ms, each.value) for each in document.annotations_of("note")]
    assert notes == [(500, 750, "first"), (750, 1000, "second")]


def test_a_tier_that_is_not_there_is_told_of_with_those_that_are(tmp_path: Path) -> None:
    mine = write_rich(tmp_path / "mine.eaf")
    with pytest.raises(OptionError, match=r"no tier 'Gloss'; there are: .*, 'note'") as caught:
        write_package(tmp_path / "copy.eaf", options=ElanOptions(into=mine, by="Gloss"))
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == [mine]


def test_a_name_that_is_taken_is_told_of(tmp_path: Path) -> None:
    mine, copy = write_rich(tmp_path / "mine.eaf"), tmp_path / "copy.eaf"
    write_package(copy, options=ElanOptions(into=mine))
    with pytest.raises(OptionError, match=r"has a tier .* already; .*--tiers"):
        write_package(tmp_path / "again.eaf", options=ElanOptions(into=copy))


def test_their_own_file_is_never_written_to(tmp_path: Path) -> None:
    mine = write_rich(tmp_path / "mine.eaf")
    before = mine.read_bytes()
    with pytest.raises(OptionError, match=r"mine\.eaf would be written over"):
        write_package(mine, options=ElanOptions(into=mine))
    assert mine.read_bytes() == before


def test_a_table_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    mine = write_rich(tmp_path / "mine.eaf")
    (tmp_path / "copy.by.csv").mkdir()
    with pytest.raises(OutputError, match=r"copy\.by\.csv: cannot write it: it is a folder"):
        write_package(tmp_path / "copy.eaf", options=ElanOptions(into=mine, by="note"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.by.csv", "mine.eaf"]


_SECRET = "kept-from-everyone"
_ENTITY = RICH.replace(
    "<ANNOTATION_DOCUMENT",
    '<!DOCTYPE x [<!ENTITY e SYSTEM "file://{secret}">]>\n<ANNOTATION_DOCUMENT',
    1,
).replace("<ANNOTATION_VALUE/>", "<ANNOTATION_VALUE>&e;</ANNOTATION_VALUE>")
_BOMB = RICH.replace(
    "<ANNOTATION_DOCUMENT",
    "<!DOCTYPE x [<!ENTITY a0 'ha'>"
    + "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 12))
    + "]>\n<ANNOTATION_DOCUMENT",
    1,
).replace('PARTICIPANT="S', 'PARTICIPANT="&a11;S')


@pytest.mark.parametrize(
    "content",
    [
        "",
        "no XML",
        "<a/>",
        RICH[: len(RICH) // 2],
        "<ANNOTATION_DOCUMENT/>",
        RICH.replace('"milliseconds"', '"PAL-frames"'),
        _ENTITY,
        _BOMB,
        "\0\1\2\3",
        "<a>" * 5000,
    ],
    ids=["empty", "text", "other", "half", "bare", "frames", "entity", "bomb", "binary", "deep"],
)
def test_a_file_that_is_no_eaf_is_told_of_in_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "secret").write_text(_SECRET)
    mine = tmp_path / "mine.eaf"
    mine.write_text(
        content.replace("{secret}", str(tmp_path / "secret")).replace("{origin}", ""),
        encoding="utf-8",
    )
    with pytest.raises(OptionError, match=re.escape(str(mine))) as caught:
        write_package(tmp_path / "copy.eaf", options=ElanOptions(into=mine))
    assert "\n" not in str(caught.value)
    assert _SECRET not in str(caught.value)
    assert not list(tmp_path.glob("copy*"))


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe"])
def test_what_is_no_file_is_told_of(tmp_path: Path, kind: str) -> None:
    if kind == "folder":
        (tmp_path / "mine.eaf").mkdir()
    if kind == "pipe":
        os.mkfifo(tmp_path / "mine.eaf")
    with pytest.raises(OptionError, match="there is no file"):
        write_package(tmp_path / "copy.eaf", options=ElanOptions(into=tmp_path / "mine.eaf"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('TIME_VALUE="1000"', 'TIME_VALUE="soon"'),
        ('TIME_SLOT_REF1="ts1"', 'TIME_SLOT_REF1="ts99"'),
        ('<TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="0"/>', '<TIME_SLOT TIME_SLOT_ID="ts1"/>'),
        ('ANNOTATION_REF="a2"', 'ANNOTATION_REF="a17"'),
        ('ANNOTATION_REF="a2"', 'ANNOTATION_REF="a99"'),
    ],
)
def test_annotations_without_a_time_are_told_of(tmp_path: Path, old: str, new: str) -> None:
    mine = write_rich(tmp_path / "mine.eaf")
    mine.write_text(mine.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(OptionError, match="has no time"):
        write_package(tmp_path / "copy.eaf", options=ElanOptions(into=mine, by="note"))


def test_boundaries_in_their_time_round_up_before_they_are_moved(tmp_path: Path) -> None:
    mine, copy = write_rich(tmp_path / "mine.eaf", origin_ms=10), tmp_path / "copy.eaf"
    frames = [stretch("phase", "right", Fraction(1001, 30000), 1, "hold")]
    write_package(copy, options=ElanOptions(into=mine), stretches=frames)
    assert open_in_elan(copy)[0]["RH-phase"] == [(24, 990, "hold")]
