"""A rendered clip all the way to its tables, maps, pose file and report, which tell the same."""

from __future__ import annotations

import threading
from pathlib import Path, PurePath

import numpy as np
import pandas
import pytest

from models import load_model
from models.crops import Cropper
from models.hands.finder import MediaPipeHandFinder
from stream.annotation.measuring import Measurer
from stream.annotation.stretches import StretchFinder
from stream.scenes import SceneMaker, Scenes
from stream.sources import open_source
from stream.tables.hand_pictures import HandPictures
from stream.tables.maps import MapsFile, read_maps
from stream.tables.parquet import attention_table, frames_table
from stream.tables.pose import PoseFile
from stream.tables.report import Report
from tests.clips import video_times

NUM_FRAMES = 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, two_hands_clip: Path) -> Path:
    """What is written of the first frames of two hands."""
    folder = tmp_path_factory.mktemp("annotation")
    pictures, stretches = HandPictures(), StretchFinder()
    report = Report(
        folder / "b.html", title="b", video=PurePath("b.mp4"), facts={}, pictures=pictures
    )
    with (
        load_model("dino_hands16") as model,
        MediaPipeHandFinder(max_hands=2) as finder,
        open_source(two_hands_clip, max_frames=NUM_FRAMES) as source,
    ):
        files = [
            frames_table([folder / "b.frames.parquet"], {}),
            attention_table([folder / "b.attention.parquet"], {}),
            MapsFile(folder / "b.maps.npz"),
            PoseFile(folder / "b.pose", source.info.size_wh),
            report,
        ]
        measurer = Measurer([stretches, *files])
        cut = Cropper(size_px=model.spec.crop_px, patch_px=model.patch_px)
        maker = SceneMaker(finder=finder, cut=cut, model=model)
        with Scenes(source, maker, stop=threading.Event()) as scenes:
            for scene in scenes:
                pictures.write(scene)
                measurer.write(scene)
        measurer.close()
    stretches.close()
    report.stretches = stretches.stretches
    for file in files:
        file.close()
    return folder


def test_every_frame_and_hand_has_its_row_and_time(folder: Path, two_hands_clip: Path) -> None:
    frames = pandas.read_parquet(folder / "b.frames.parquet")
    assert frames.groupby("frame").size().tolist() == [2] * NUM_FRAMES
    times = frames.groupby("frame")["time_s"].first().tolist()
    assert times == [float(time_s) for time_s in video_times(two_hands_clip)[:NUM_FRAMES]]
    assert (frames["state"] == "seen").mean() > 0.9


def test_the_table_of_attention_is_that_of_the_maps(folder: Path) -> None:
    table = pandas.read_parquet(folder / "b.attention.parquet").set_index(
        ["frame", "track", "head"]
    )
    num = 0
    for kept in read_maps(folder / "b.maps.npz"):
        for track, maps in kept.maps.items():
            flat = maps.mean.ravel()
            strongest = int(flat.argmax())
            if np.sort(flat)[-2] > 0.999 * flat[strongest]:
                continue  # float16 may have turned them round
            rows, columns = maps.grid_hw
            place = np.array([strongest % columns + 0.5, strongest // columns + 0.5])
            expected = maps.transform.to_frame(place * maps.transform.crop_wh / (columns, rows))
            row = table.loc[(kept.frame_index, track, "mean")]
            assert (row["peak_x_px"], row["peak_y_px"]) == pytest.approx(expected, abs=0.01)
            num += 1
    assert num > NUM_FRAMES
    assert table["mass_on_hand"].between(0, 1).all()
    parts = table.filter(like="mass_on_").drop(columns="mass_on_hand").sum(axis=1)
    assert (parts <= table["mass_on_hand"] + 0.01).all()


def test_the_pose_file_holds_the_landmarks_of_the_table(folder: Path) -> None:
    pose_format = pytest.importorskip("pose_format", reason="needs Python 3.11")
    body = pose_format.Pose.read((folder / "b.pose").read_bytes()).body
    frames = pandas.read_parquet(folder / "b.frames.parquet")
    for number, side in enumerate(("left", "right")):
        rows = frames[frames["hand"] == side]
        is_seen = (rows["state"] == "seen").to_numpy()
        tips = rows[["lm08_x_px", "lm08_y_px"]].to_numpy()
        assert np.array_equal(body.data[is_seen, 0, 21 * number + 8].data, tips[is_seen])
        assert (body.confidence[:, 0, 21 * number] > 0).tolist() == is_seen.tolist()


def test_the_report_has_pictures_of_holds(folder: Path) -> None:
    text = (folder / "b.html").read_text(encoding="utf-8")
    assert '"picture":"/9j/' in text  # a JPEG
    assert '"label":"Right: phase"' in text
