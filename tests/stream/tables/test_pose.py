"""Pose files, read back by the library of the format."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stream.annotation.moments import Moment
from stream.tables.pose import PoseFile
from tests.stream.tables.moments import SIZE_WH, hand_moment, make_moment, moments, whole_picture

pose_format = pytest.importorskip("pose_format", reason="needs Python 3.11")


def written(folder: Path, *made: Moment, rate_hz: Fraction | None = None) -> tuple[Any, list[str]]:
    path = folder / "b.pose"
    with PoseFile(path, SIZE_WH, rate_hz=rate_hz) as file:
        for moment in made:
            file.write(moment)
    return pose_format.Pose.read(path.read_bytes()), list(file.warnings)


def landmarks(moment: Moment, number: int = 0) -> Any:  # noqa: ANN401
    return moment.hands[number].region.landmarks


def test_every_frame_and_point_comes_back(tmp_path: Path) -> None:
    made = list(moments(40, time_base=Fraction(1001, 30000), begun_pts=5))
    pose, warnings = written(tmp_path, *made)
    header, body = pose.header, pose.body
    assert round(header.version, 3) == 0.2
    assert (header.dimensions.width, header.dimensions.height) == SIZE_WH
    assert [part.name for part in header.components] == [
        "LEFT_HAND_LANDMARKS",
        "RIGHT_HAND_LANDMARKS",
    ]
    points = header.components[0].points
    assert (points[0], points[4], points[8], points[20]) == (
        "WRIST",
        "THUMB_TIP",
        "INDEX_FINGER_TIP",
        "PINKY_TIP",
    )
    assert header.num_dims() == 2
    assert body.fps == pytest.approx(30000 / 1001)
    assert body.data.shape == (40, 1, 42, 2)
    for index, moment in enumerate(made):
        assert np.array_equal(body.data[index, 0, 21:].data, landmarks(moment))
    assert np.array_equal(body.data[12, 0, :21].data, landmarks(made[12], 1))
    assert (body.confidence[:, 0, 21:] == 0.75).all()
    seen = body.confidence[:, 0, 0] > 0
    assert seen.tolist() == [10 <= index < 20 for index in range(40)]
    assert body.data.mask[0, 0, :21].all()
    assert warnings == []


def test_limbs_make_a_hand(tmp_path: Path) -> None:
    pose, _ = written(tmp_path, *moments(2))
    limbs = {tuple(limb) for limb in pose.header.components[1].limbs}
    assert len(limbs) == 21
    reached = {0}
    for _ in limbs:
        reached |= {b for a, b in limbs if a in reached}
    assert reached == set(range(21))


def test_held_places_are_no_sightings(tmp_path: Path) -> None:
    made = [make_moment(0, [hand_moment(0, "right", 0, unseen_s=0.04)])]
    pose, _ = written(tmp_path, *made)
    assert not pose.body.confidence.any()


def test_an_uneven_rate_is_told_of(tmp_path: Path) -> None:
    made = [
        make_moment(index, [hand_moment(index, "right", 0)], pts=pts, time_base=Fraction(1, 1000))
        for index, pts in enumerate([0, 33, 67, 100, 1000, 1033])
    ]
    _, (warning,) = written(tmp_path, *made)
    assert warning.startswith("b.pose knows one rate only, but frames come 33 to 900 ms apart")
    assert "off by up to 0.52 s" in warning


def test_milliseconds_are_no_uneven_rate(tmp_path: Path) -> None:
    made = [
        make_moment(index, [], pts=round(index * 1000 / 30), time_base=Fraction(1, 1000))
        for index in range(300)
    ]
    pose, warnings = written(tmp_path, *made)
    assert warnings == []
    assert pose.body.fps == pytest.approx(30, rel=1e-4)


def test_resampling_places_hands_between_frames(tmp_path: Path) -> None:
    made = [
        make_moment(
            index, [hand_moment(30 + index, "right", 0)], pts=pts, time_base=Fraction(1, 100)
        )
        for index, pts in enumerate([200, 204, 212, 300])
    ]
    pose, warnings = written(tmp_path, *made, rate_hz=Fraction(50))
    body = pose.body
    assert body.fps == 50
    assert len(body.data) == 51  # from 2 s to 3 s
    right = body.data[:, 0, 21:].data
    np.testing.assert_allclose(right[0], landmarks(made[0]))
    np.testing.assert_allclose(right[1], (landmarks(made[0]) + landmarks(made[1])) / 2, rtol=1e-6)
    np.testing.assert_allclose(right[2], landmarks(made[1]))
    np.testing.assert_allclose(
        right[5], landmarks(made[1]) / 4 + landmarks(made[2]) * 3 / 4, rtol=1e-6
    )
    np.testing.assert_allclose(right[30], landmarks(made[2]))  # the picture stood still
    np.testing.assert_allclose(right[50], landmarks(made[3]))
    assert warnings == []


def test_resampling_shows_no_hand_where_one_side_lacks_it(tmp_path: Path) -> None:
    made = [
        make_moment(0, [hand_moment(0, "right", 0)]),
        make_moment(1, []),
        make_moment(2, [hand_moment(2, "right", 0)]),
    ]
    pose, _ = written(tmp_path, *made, rate_hz=Fraction(50))
    assert (pose.body.confidence[:, 0, 41] > 0).tolist() == [True, False, False, False, True]


def test_hands_of_further_people_are_counted(tmp_path: Path) -> None:
    both = [hand_moment(0, "right", 0), hand_moment(20, "right", 1)]
    pose, warnings = written(tmp_path, make_moment(0, both), make_moment(1, both))
    first = make_moment(0, both)
    assert np.array_equal(pose.body.data[0, 0, 21:].data, landmarks(first))
    assert warnings == [
        "b.pose tells of one signer: 2 further hands, each in one frame, are left out"
    ]


def test_whole_pictures_have_no_hands(tmp_path: Path) -> None:
    pose, warnings = written(tmp_path, make_moment(0, [whole_picture(0)]))
    assert pose.body.data.shape == (1, 1, 42, 2)
    assert warnings == []


def test_a_rate_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="rate_hz must be > 0"):
        PoseFile(tmp_path / "b.pose", SIZE_WH, rate_hz=Fraction(0))
