"""The tables, read back by pyarrow and by pandas."""

from __future__ import annotations

import math
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas
import pyarrow
import pyarrow.parquet
import pytest

from stream.errors import OutputError
from stream.tables import parquet
from stream.tables.attention import ATTENTION_COLUMNS
from stream.tables.dictionary import describe_columns
from stream.tables.frames import FRAME_COLUMNS
from stream.tables.parquet import attention_table, frames_table
from tests.conftest import ROOT
from tests.stream.tables.moments import HEADS, hand_moment, make_moment, moments, whole_picture

ABOUT = {"model": "dino_hands8", "source": 'my "clip", שלום\n.mp4'}


def frames_of(folder: Path, *made: object) -> pandas.DataFrame:
    path = folder / "b.frames.parquet"
    with frames_table([path], ABOUT) as table:
        for moment in made:
            table.write(moment)  # type: ignore[arg-type]
    return pandas.read_parquet(path)


def test_each_frame_and_hand_has_a_row_and_absent_hands_say_why(tmp_path: Path) -> None:
    frame = frames_of(tmp_path, *moments(40))
    assert len(frame) == 80
    assert frame["frame"].tolist() == [index for index in range(40) for _ in "rl"]
    left = frame[frame["hand"] == "left"]
    assert left["state"].tolist() == ["not yet"] * 10 + ["seen"] * 10 + ["left the picture"] * 20
    assert left["unseen_s"].isna().tolist() == [True] * 10 + [False] * 30
    assert left["unseen_s"].tolist()[10:] == pytest.approx(
        [0] * 10 + [n / 25 for n in range(1, 21)]
    )
    assert left["track"].isna().sum() == 30
    assert left["lm08_x_px"].isna().sum() == 30


def test_frames_hold_what_the_moments_hold(tmp_path: Path) -> None:
    made = list(moments(30, time_base=Fraction(1001, 30000), begun_pts=7))
    frame = frames_of(tmp_path, *made)
    row = frame[(frame["frame"] == 12) & (frame["hand"] == "right")].iloc[0]
    hand = made[12].hands[0]
    assert hand.motion is not None
    assert hand.region.landmarks is not None
    assert row["pts"] == 19
    assert Fraction(row["time_base"]) * 12 == made[12].time_s
    assert row["time_s"] == float(made[12].time_s)
    assert row["lm08_x_px"] == hand.region.landmarks[8, 0]
    assert row["lm20_y_px"] == hand.region.landmarks[20, 1]
    assert row["box_bottom_px"] == np.float32(hand.region.box_xyxy[3])
    assert row["angle_thumb_mcp_rad"] == hand.motion.joint_angles[1]
    assert row["rate_little_dip_rad_s"] == hand.motion.joint_rates[14]
    assert row["palm_speed"] == pytest.approx(hand.motion.palm_speed)
    assert row["score"] == 0.75


def test_frames_without_any_hand_and_held_ones_and_whole_pictures_have_rows(tmp_path: Path) -> None:
    held = hand_moment(1, "left", 4, unseen_s=0.125)
    frame = frames_of(
        tmp_path,
        make_moment(0, []),
        make_moment(1, [held], {"left": "lost"}),
        make_moment(2, [whole_picture(2)]),
    )
    assert frame["state"].astype(object).fillna("").tolist() == ["", "held", "seen"]
    assert frame["unseen_s"].fillna(-1).tolist() == [-1, 0.125, 0]
    assert frame["hand"].astype(object).fillna("").tolist() == ["", "left", ""]
    assert frame["lm00_x_px"].isna().tolist() == [True, False, True]
    assert frame["box_right_px"].tolist()[2] == 320


def test_attention_has_a_row_for_each_head_and_the_mean(tmp_path: Path) -> None:
    made = [*moments(12)]
    path = tmp_path / "b.attention.parquet"
    with attention_table([path], ABOUT) as table:
        for moment in made:
            table.write(moment)
    frame = pandas.read_parquet(path)
    hands = sum(len(moment.hands) for moment in made)
    assert len(frame) == (HEADS + 1) * hands
    assert frame["head"].tolist()[: HEADS + 1] == [*map(str, range(HEADS)), "mean"]
    focus = made[4].hands[1].focus
    assert focus is not None
    rows = frame[(frame["frame"] == 4) & (frame["hand"] == "left")]
    assert (rows["track"] == 1).all()
    assert (rows["kind"] == "attention").all()
    for name, values in {
        "normalized_entropy": focus.normalized_entropy,
        "peak_y_px": focus.peak_xy[:, 1],
        "spread_x_px": focus.spread_xy[:, 0],
        "mass_on_palm": focus.mass_on_parts[:, 5],
        "lift_on_thumb": focus.lift_on_parts[:, 0],
        "divergence_to_mean": focus.divergence_to_mean,
    }.items():
        assert rows[name].tolist() == values.tolist(), name
    assert rows["peak_on_hand"].tolist() == [True, False, True, False]
    assert frame[frame["frame"] == 0]["divergence_to_before"].isna().all()


def test_whole_pictures_have_no_measures_of_hands(tmp_path: Path) -> None:
    path = tmp_path / "b.attention.parquet"
    with attention_table([path], ABOUT) as table:
        table.write(make_moment(0, [whole_picture(0)]))
    read = pyarrow.parquet.read_table(path)
    about_hands = [name for name in read.column_names if "on_" in name and name != "centroid"]
    assert {"peak_on_hand", "mass_on_hand", "lift_on_ring"} <= set(about_hands)
    assert all(read[name].null_count == HEADS + 1 for name in about_hands)
    assert read["normalized_entropy"].null_count == 0


def test_columns_carry_units_definitions_and_papers_and_the_file_what_is_so_of_all(
    tmp_path: Path,
) -> None:
    path = tmp_path / "b.attention.parquet"
    with attention_table([path], ABOUT) as table:
        table.write(next(moments(1)))
    schema = pyarrow.parquet.read_schema(path)
    assert schema.names == [column.name for column in ATTENTION_COLUMNS]
    assert schema.metadata[b"source"].decode() == ABOUT["source"]
    entropy = schema.field("normalized_entropy").metadata
    assert b"0 all on one patch" in entropy[b"definition"]
    assert b"Shannon" in entropy[b"paper"]
    assert schema.field("peak_x_px").metadata[b"unit"] == b"pixels"
    assert pyarrow.types.is_dictionary(schema.field("head").type)
    column = pyarrow.parquet.ParquetFile(path).metadata.row_group(0).column(5)
    assert column.path_in_schema == "head"
    assert column.compression == "ZSTD"
    assert "RLE_DICTIONARY" in column.encodings


def test_csv_holds_the_same_rows(tmp_path: Path) -> None:
    paths = [tmp_path / "b.frames.parquet", tmp_path / "b.frames.csv"]
    with frames_table(paths, ABOUT) as table:
        for moment in moments(30):
            table.write(moment)
    whole, text = pandas.read_parquet(paths[0]), pandas.read_csv(paths[1])
    assert text.columns.tolist() == [column.name for column in FRAME_COLUMNS]
    for name in whole:
        if isinstance(whole[name].dtype, pandas.CategoricalDtype):
            assert text[name].fillna("").tolist() == whole[name].astype(str).fillna("").tolist()
        else:
            read = text[name].astype(whole[name].dtype)
            assert read.equals(whole[name]), name


def test_rows_come_in_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "CELLS_PER_GROUP", 600)
    path = tmp_path / "b.attention.parquet"
    with attention_table([path], ABOUT) as table:
        for moment in moments(50):
            table.write(moment)
    file = pyarrow.parquet.ParquetFile(path)
    assert file.num_row_groups > 5
    frames = file.read()["frame"].to_pylist()
    assert frames == sorted(frames)
    assert set(frames) == set(range(50))
    read = pandas.read_parquet(path)  # words of groups that hold other words
    assert set(read[read["frame"].between(13, 24)]["hand"]) == {"left", "right"}
    assert (read.groupby("head", observed=True)["kept"].count() == 63).all()


def test_a_table_without_rows_still_has_its_columns(tmp_path: Path) -> None:
    frame = frames_of(tmp_path)
    assert len(frame) == 0
    assert "lm20_y_px" in frame


def test_where_one_of_two_files_cannot_be_written_neither_is_there(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write it"):
        frames_table([tmp_path / "b.parquet", tmp_path / "none" / "b.csv"], ABOUT)
    assert list(tmp_path.iterdir()) == []


def test_the_dictionary_in_docs_is_that_of_the_columns() -> None:
    page = ROOT / "docs" / "columns.md"
    assert page.read_text(encoding="utf-8") == describe_columns(), (
        "python -m stream.tables.dictionary > docs/columns.md"
    )


def test_every_column_is_named_once_and_told_of() -> None:
    for columns in (FRAME_COLUMNS, ATTENTION_COLUMNS):
        names = [column.name for column in columns]
        assert len(names) == len(set(names))
        assert all(column.definition.endswith(".") for column in columns)
        assert all("px" not in column.name or column.unit == "pixels" for column in columns)


def test_describing_columns_needs_no_library() -> None:
    code = "import stream.tables.dictionary, sys; print('pyarrow' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "False"


def test_empty_cells_are_never_nan(tmp_path: Path) -> None:
    path = tmp_path / "b.frames.parquet"
    with frames_table([path], ABOUT) as table:
        table.write(next(moments(1)))  # whose speed is not known
    column = pyarrow.parquet.read_table(path)["palm_speed"]
    assert column.null_count == len(column)
    assert not any(math.isnan(value) for value in column.to_pylist() if value is not None)
