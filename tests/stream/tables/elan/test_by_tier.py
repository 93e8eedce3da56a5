"""The table of the measures for each annotation of a person's own tier."""

from __future__ import annotations

import csv
from fnmatch import fnmatch
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from stream.errors import OutputError
from stream.tables.elan.by_tier import BY_TIER_COLUMNS, ByTier
from stream.tables.elan.tiers import Annotation
from tests.stream.tables.elan.making import hand, moment

GIVEN = [
    Annotation(start_ms=0, end_ms=100, value='HOUSE, "big"\n\u05e9', id="a1"),
    Annotation(start_ms=100, end_ms=200, value="", id="a2"),
    Annotation(start_ms=150, end_ms=160, value="between two frames", id="a3"),
]


def _rows(path: Path) -> dict[tuple[str, str], dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return {(row["annotation_id"], row["hand"]): row for row in csv.DictReader(file)}


def test_each_annotation_has_the_means_of_the_frames_in_it(tmp_path: Path) -> None:
    with ByTier(tmp_path / "by.csv", GIVEN, picture=False) as table:
        table.write(moment(0, Fraction(0), hand(speed=1, entropy=0.2)))
        table.write(moment(1, Fraction(40, 1000), hand(speed=3, entropy=0.6), hand("left")))
        table.write(
            moment(2, Fraction(80, 1000), hand(unseen_s=0.1), hand("left", is_mapped=False))
        )
        table.write(moment(3, Fraction(120, 1000)))
        table.write(moment(4, Fraction(300, 1000), hand(speed=99)))
    rows = _rows(tmp_path / "by.csv")
    assert list(rows) == [(f"a{n}", who) for n in (1, 2, 3) for who in ("right", "left")]
    right, left, none = rows["a1", "right"], rows["a1", "left"], rows["a2", "right"]
    assert right["value"] == GIVEN[0].value
    assert (right["start_s"], right["end_s"]) == ("0.000", "0.100")
    counts = ("frames", "frames_with_hand", "frames_with_maps")
    assert [right[name] for name in counts] == ["3", "2", "2"]
    assert [left[name] for name in counts] == ["3", "2", "1"]
    assert [none[name] for name in counts] == ["1", "0", "0"]
    assert float(right["palm_speed"]) == 2
    assert float(right["palm_speed_max"]) == 3
    assert float(right["shape_speed"]) == 0.5
    assert float(right["joint_rate"]) == 1.5
    assert float(right["mean_map_is_peak_on_hand"]) == 1
    assert float(right["mean_map_lift_on_thumb"]) == 1
    assert float(right["mean_map_normalized_entropy"]) == pytest.approx(0.4)
    assert float(right["head1_normalized_entropy"]) == pytest.approx(0.5)
    assert float(right["mean_map_mass_on_palm"]) == 0.125
    assert right["most_focused_head"] == "0"
    assert right["mean_map_divergence_to_before"] == ""  # no frame has one
    assert none["palm_speed"] == none["most_focused_head"] == ""
    assert rows["a3", "right"]["frames"] == "0"


def test_every_column_is_told_of_in_order(tmp_path: Path) -> None:
    with ByTier(tmp_path / "by.csv", GIVEN, picture=False) as table:
        table.write(moment(0, Fraction(0), hand()))
    columns = list(_rows(tmp_path / "by.csv")["a1", "right"])
    told = list(BY_TIER_COLUMNS)
    places = [[fnmatch(column, name) for name in told].index(True) for column in columns]
    assert places == sorted(places)
    assert set(places) == set(range(len(told)))


def test_boundaries_rounded_any_way_are_on_the_same_frames(tmp_path: Path) -> None:
    """At 29.97 frames a second, for an annotation of frames 10 to 19."""
    times_s = [Fraction(index * 1001, 30000) for index in range(30)]
    for number, start in enumerate((333, 334)):  # frame 10 is shown from 333.67 ms on
        for end in (667, 668):  # and frame 20 from 667.33
            path = tmp_path / f"{number}{end}.csv"
            given = Annotation(start_ms=start, end_ms=end, value="", id="a1")
            with ByTier(path, [given], picture=False) as table:
                for index, time_s in enumerate(times_s):
                    table.write(moment(index, time_s, hand(speed=index)))
            assert _rows(path)["a1", "right"]["palm_speed"] == "14.5"


def test_memory_does_not_grow_with_the_frames(tmp_path: Path) -> None:
    table = ByTier(tmp_path / "by.csv", GIVEN[:1], picture=False)
    frame = moment(0, Fraction(0), hand())
    for _ in range(100):
        table.write(frame)
    sums = next(iter(table._sums.values()))
    kept = sum(each.nbytes for each in vars(sums).values() if isinstance(each, np.ndarray))
    assert kept < 1000
    table.discard()
    table.close()
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write it"):
        ByTier(tmp_path / "no" / "by.csv", GIVEN, picture=False)
