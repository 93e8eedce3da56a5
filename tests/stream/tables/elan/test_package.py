"""A package that opens by a double click, read back by other programs."""

from __future__ import annotations

import math
import shutil
import warnings
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import pympi
import pytest

from stream.command_line.command import Command
from stream.command_line.parsing import parse_args
from stream.errors import OutputError
from stream.jobs.options import ExportOptions
from stream.tables.elan.links import Media
from stream.tables.elan.options import PRESETS, ElanOptions
from stream.tables.elan.package import ElanPackage
from tests.stream.tables.elan.double import follow, open_in_elan
from tests.stream.tables.elan.making import (
    DATE,
    hand,
    moment,
    moments,
    phases,
    stretch,
    write_package,
)

COMMANDS = [
    Command(
        name="annotate",
        summary="",
        description="",
        options=(ExportOptions(), ElanOptions()),
        run=lambda options: 0,
    ),
    Command(name="other", summary="", description="", options=(), run=lambda options: 0),
]
TIMES_S = [Fraction(index * 1001, 30000) for index in range(40)]
END_S = Fraction(40 * 1001, 30000)
STRETCHES = [
    stretch("in view", "right", 0, END_S),
    stretch("not seen", "left", 0, TIMES_S[9], "not yet"),
    stretch("not seen", "left", TIMES_S[9], END_S, "lost"),
    *phases(TIMES_S, END_S),
    stretch("handshape change", "right", TIMES_S[5], TIMES_S[6]),
    stretch("most focused head", "right", 0, END_S, "2"),
    stretch("number of hands", None, 0, END_S, "1"),
    stretch("dominant hand", None, 0, END_S, "right"),
]


def test_everything_is_on_show_once_it_is_opened(
    tmp_path: Path, assert_valid: Callable[[Path], None]
) -> None:
    frames = [moment(0, TIMES_S[0]), *moments(TIMES_S)[1:]]
    assert write_package(tmp_path / "b.eaf", frames=frames, stretches=STRETCHES) == []
    assert_valid(tmp_path / "b.eaf")
    tiers, curves = open_in_elan(tmp_path / "b.eaf")
    assert list(tiers) == [
        *(
            f"{hand}-{tier}"
            for hand in ("RH", "LH")
            for tier in ("in view", "not seen", "phase", "handshape change", "most focused head")
        ),
        "BH-number of hands",
        "BH-dominant hand",
    ]
    assert tiers["LH-not seen"] == [(0, 301, "not yet"), (301, 1335, "lost")]
    assert tiers["RH-handshape change"] == [(167, 201, "")]
    assert tiers["RH-most focused head"] == [(0, 1335, "2")]
    assert tiers["LH-phase"] == []
    assert len(curves) == 10
    speed = curves["RH speed"]
    assert [time_ms for time_ms, _ in speed.points[:3]] == [0, 34, 67]
    assert math.isnan(speed.points[0][1])
    assert speed.points[1] == (34, 2.0)
    assert speed.range == curves["LH speed"].range == (0.0, 2.0)
    assert all(math.isnan(value) for _, value in curves["LH speed"].points)
    assert curves["RH shape"].points[1][1] == 0.5
    assert curves["RH entropy"].points[1][1] == 0.5
    assert curves["RH entropy"].range == (0.0, 1.0)
    assert curves["RH speed"].color != curves["LH speed"].color


def test_the_table_of_curves_has_twelve_columns_at_most_and_no_empty_cell(tmp_path: Path) -> None:
    write_package(tmp_path / "b.eaf", frames=moments(TIMES_S))
    rows = [
        line.split(",")
        for line in (tmp_path / "b_elan.csv").read_text().splitlines()
        if not line.startswith("#")
    ]
    assert len(rows) == len(TIMES_S)
    assert {len(row) for row in rows} == {11}
    assert all(cell == "NaN" or "." in cell for row in rows for cell in row)


@pytest.mark.parametrize(
    ("most", "top"), [(0.2, 1), (1, 1), (1.01, 2), (3, 5), (20.09, 50), (100, 100), (math.inf, 1)]
)
def test_both_hands_are_drawn_on_one_scale_with_a_round_top(
    tmp_path: Path, most: float, top: float
) -> None:
    frame = moment(0, TIMES_S[0], hand(speed=0.1), hand("left", speed=most))
    write_package(tmp_path / "b.eaf", frames=[frame])
    curves = open_in_elan(tmp_path / "b.eaf")[1]
    assert curves["RH speed"].range == curves["LH speed"].range == (0, top)
    assert curves["RH change"].range == (0, 0.1)


def test_the_whole_picture_has_curves_of_its_own(tmp_path: Path) -> None:
    region = hand().region.whole_frame((9, 9))
    whole = type(hand())(region=region, motion=None, maps=None, focus=hand().focus)
    write_package(
        tmp_path / "b.eaf",
        frames=[moment(index, time_s, whole) for index, time_s in enumerate(TIMES_S)],
        stretches=[stretch("most focused head", None, 0, END_S, "1")],
        picture=True,
    )
    tiers, curves = open_in_elan(tmp_path / "b.eaf")
    assert tiers == {"BH-most focused head": [(0, 1335, "1")]}
    assert list(curves) == ["entropy", "change", "kept"]
    assert curves["kept"].points[3] == (101, 0.25)


def test_pympi_reads_tiers_words_and_links(tmp_path: Path) -> None:
    write_package(
        tmp_path / "b.eaf",
        stretches=STRETCHES,
        media=Media(video=tmp_path / "b.mp4", overlay=tmp_path / "b.overlay.mp4"),
    )
    eaf = pympi.Elan.Eaf(str(tmp_path / "b.eaf"))
    assert eaf.get_annotation_data_for_tier("RH-phase")[:2] == [
        (0, 34, "hold"),
        (34, 67, "movement"),
    ]
    assert [media["MEDIA_URL"] for media in eaf.get_linked_files()] == [
        "./b.mp4",
        "./b.overlay.mp4",
    ]
    vocabulary = eaf.get_controlled_vocabulary_names()
    assert set(vocabulary) == {"Signlight phase", "Signlight not seen"}
    words = eaf.get_cv_entries("Signlight phase").values()
    assert [entry[0][0][0] for entry in words] == ["hold", "movement"]
    assert ("Signlight: phase: hold below (palm lengths/s)", "0.5") in eaf.properties
    assert ("Signlight: container starts at (s)", "1.400000") not in eaf.properties


def test_speach_reads_it(tmp_path: Path) -> None:
    write_package(tmp_path / "b.eaf", stretches=STRETCHES)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from speach import elan

        document = elan.read_eaf(str(tmp_path / "b.eaf"))
    said = [(each.from_ts.value, each.to_ts.value, each.text) for each in document["LH-not seen"]]
    assert said == [(0, 301, "not yet"), (301, 1335, "lost")]


def test_words_of_a_vocabulary_lead_to_their_entries(tmp_path: Path) -> None:
    write_package(tmp_path / "b.eaf", stretches=STRETCHES)
    root = ElementTree.parse(tmp_path / "b.eaf").getroot()
    entries = {
        entry.get("CVE_ID"): entry.findtext("CVE_VALUE")
        for entry in root.iterfind("CONTROLLED_VOCABULARY/CV_ENTRY_ML")
    }
    led = [
        (entries[each.get("CVE_REF")], each.findtext("ANNOTATION_VALUE"))
        for each in root.iterfind("TIER[@TIER_ID='RH-phase']/ANNOTATION/ALIGNABLE_ANNOTATION")
    ]
    assert len(led) == len(TIMES_S)
    assert all(word == said for word, said in led)


def test_the_date_keeps_its_half_hour_and_the_start_of_the_container_is_stored(
    tmp_path: Path,
) -> None:
    write_package(tmp_path / "b.eaf")
    root = ElementTree.parse(tmp_path / "b.eaf").getroot()
    assert root.get("DATE") == "2026-11-28T09:05:07+05:30"
    stored = {each.get("NAME"): each.text for each in root.iterfind("HEADER/PROPERTY")}
    assert stored["Signlight: container starts at (s)"] == "1.400000"


@pytest.mark.parametrize(
    "name", ["b c%20d.mp4", "a'b\"&<.mp4", "\u05e9\u05dc\u05d5\u05dd.mp4", "ä#?.mov"]
)
def test_links_lead_to_the_video_and_go_on_doing_so_when_moved(
    tmp_path: Path, name: str, assert_valid: Callable[[Path], None]
) -> None:
    old, stem = tmp_path / "old", Path(name).stem
    (old / f"{stem}.annotation").mkdir(parents=True)
    (old / name).touch()
    eaf = old / f"{stem}.annotation" / f"{stem}.eaf"
    write_package(eaf, frames=moments(TIMES_S), media=Media(video=old / name))
    assert_valid(eaf)
    shutil.move(old, tmp_path / "new")
    eaf = tmp_path / "new" / f"{stem}.annotation" / f"{stem}.eaf"
    assert str(tmp_path).encode() not in eaf.read_bytes()
    media = ElementTree.parse(eaf).getroot().find("HEADER/MEDIA_DESCRIPTOR")
    assert media is not None
    assert media.get("MEDIA_URL") == media.get("RELATIVE_MEDIA_URL") == f"../{name}"
    assert follow(eaf, media.get("MEDIA_URL", "")).is_file()
    assert open_in_elan(eaf)[1]


@pytest.mark.parametrize("name", ["b:1.mp4", "b\\1.mp4", "b\n1.mp4", "b\x011.mp4", "b\udce41.mp4"])
def test_a_name_that_elan_cannot_follow_is_refused_before_anything_is_written(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(OutputError, match="rename") as caught:
        write_package(tmp_path / "b.eaf", media=Media(video=tmp_path / name))
    assert len(str(caught.value).encode(errors="replace").splitlines()) <= 2
    assert list(tmp_path.iterdir()) == []


def test_what_a_person_saved_since_is_not_written_over(tmp_path: Path) -> None:
    eaf = tmp_path / "b.eaf"
    write_package(eaf, frames=moments(TIMES_S))
    write_package(eaf, frames=moments(TIMES_S))  # nobody's work is lost
    tree = ElementTree.parse(eaf)  # leaves comments out, as ELAN does
    tree.write(eaf)
    theirs = eaf.read_bytes()
    with pytest.raises(OutputError, match="saved by another program"):
        write_package(eaf)
    assert eaf.read_bytes() == theirs


def test_a_view_and_a_setup_that_a_person_saved_stay(tmp_path: Path) -> None:
    view, setup = tmp_path / "b.pfsx", tmp_path / "b_tsconf.xml"
    view.write_text("<preferences/>")
    setup.write_text("<timeseries/>")
    told = write_package(tmp_path / "b.eaf", frames=moments(TIMES_S))
    assert view.read_text() == "<preferences/>"
    assert setup.read_text() == "<timeseries/>"
    assert [line.split(" was saved")[0] for line in told] == [str(setup), str(view)]


def test_what_is_not_finished_leaves_nothing(tmp_path: Path) -> None:
    with ElanPackage(
        tmp_path / "b.eaf",
        media=Media(video=None),
        options=ElanOptions(),
        parameters={},
        picture=False,
        date=DATE,
    ) as package:
        for frame in moments(TIMES_S):
            package.write(frame)
    package.close()
    assert list(tmp_path.iterdir()) == []


def test_the_same_is_written_bit_by_bit(tmp_path: Path) -> None:
    for name in ("1", "2"):
        (tmp_path / name).mkdir()
        write_package(tmp_path / name / "b.eaf", frames=moments(TIMES_S), stretches=STRETCHES)
    for path in (tmp_path / "1").iterdir():
        assert path.read_bytes() == (tmp_path / "2" / path.name).read_bytes()


def test_a_folder_that_is_not_there_is_told_of_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write it: No such file"):
        write_package(tmp_path / "no" / "b.eaf")


@pytest.mark.parametrize(
    ("template", "phase"),
    [
        ("ngt", "PhaseR S1"),
        ("bsl", "RH-Phase"),
        ("dgs", "Phase_r_A"),
        ("plain", "RH-phase"),
        ("{side}: {Tier} \u05e9", "right: Phase \u05e9"),
    ],
)
def test_tiers_are_called_as_a_corpus_calls_them(tmp_path: Path, template: str, phase: str) -> None:
    write_package(tmp_path / "b.eaf", options=ElanOptions(tiers=template), stretches=STRETCHES)
    assert len(open_in_elan(tmp_path / "b.eaf")[0][phase]) == len(TIMES_S)


@pytest.mark.parametrize(
    "template",
    [
        "",
        "x",
        "{hand}",
        "{tier}",
        "{hand}-{tear}",
        "{hand",
        "{hand}{tier}\n",
        "{0}",
        "{hand!r}{tier}",
    ],
)
def test_a_template_that_is_none_is_told_of_with_one_that_is(
    template: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match=r"tiers is no template .*\{hand\}-\{tier\}"):
        ElanOptions(tiers=template)
    with pytest.raises(SystemExit):
        parse_args(["x", "--tiers", template], COMMANDS)
    line = capsys.readouterr().err
    assert all(preset in line for preset in PRESETS)
    assert line.count("\n") == 1


def test_help_and_command_line_tell_of_the_options(capsys: pytest.CaptureFixture[str]) -> None:
    _, options = parse_args(["x", "--tiers", "ngt", "--into", "m.eaf", "--by", "G"], COMMANDS)
    assert options[ElanOptions] == ElanOptions(tiers="ngt", into=Path("m.eaf"), by="G")
    with pytest.raises(SystemExit):
        parse_args(["--help"], COMMANDS)
    assert "{hand} (RH," in capsys.readouterr().out
    with pytest.raises(SystemExit):
        parse_args(["x", "--by", "G"], COMMANDS)
    assert "--into MINE.eaf" in capsys.readouterr().err


def test_stretches_that_overlap_on_a_tier_are_told_of(tmp_path: Path) -> None:
    told = write_package(
        tmp_path / "b.eaf",
        stretches=[
            stretch("phase", "right", 0, 2, "hold"),
            stretch("phase", "right", 1, 3, "movement"),
            stretch("phase", "right", 3, Fraction(30001, 10000), "hold"),
            stretch("phase", "right", Fraction(30001, 10000), Fraction(30002, 10000), "movement"),
        ],
    )
    assert open_in_elan(tmp_path / "b.eaf")[0]["RH-phase"] == [
        (0, 1000, "hold"),
        (1000, 3000, "movement"),
        (3000, 3001, "hold"),
    ]
    assert len(told) == 2
