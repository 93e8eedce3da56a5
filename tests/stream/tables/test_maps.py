"""Kept maps: what comes back, how much of the file is read, and what is refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from stream.annotation.moments import HandMoment, Moment
from stream.errors import SourceFormatError, SourceNotFoundError
from stream.scene import AgedMaps, AttentionMaps
from stream.tables import maps as maps_module
from stream.tables.maps import MapsFile, read_maps
from tests.fakes import make_frame
from tests.stream.tables.moments import hand_moment, make_moment, moments, whole_picture


def kept(folder: Path, *made: Moment) -> Path:
    path = folder / "b.maps.npz"
    with MapsFile(path) as file:
        for moment in made:
            file.write(moment)
    return path


def maps_of(hand: HandMoment) -> AttentionMaps:
    assert hand.maps is not None
    return hand.maps.maps


def test_maps_come_back_with_their_hands_and_places(tmp_path: Path) -> None:
    made = list(moments(40))
    read = list(read_maps(kept(tmp_path, *made)))
    assert [maps.frame_index for maps in read] == list(range(40))
    for moment, back in zip(made, read, strict=True):
        assert back.time_s == float(moment.time_s)
        assert len(back.hands) == len(moment.hands)
        for hand, region in zip(moment.hands, back.hands, strict=True):
            ours, theirs = maps_of(hand), back.maps[region.track_id]
            assert region.box_xyxy == hand.region.box_xyxy
            assert region.handedness == hand.region.handedness
            assert np.array_equal(region.landmarks, hand.region.landmarks)  # type: ignore[arg-type]
            assert theirs.transform == ours.transform
            assert theirs.region_box_xyxy == ours.region_box_xyxy
            assert (theirs.kind, theirs.model, theirs.layer) == ("attention", "dino_hands8", 11)
            np.testing.assert_allclose(theirs.weights, ours.weights, rtol=6e-4, atol=1e-7)
            np.testing.assert_allclose(theirs.mean, ours.mean, rtol=6e-4, atol=1e-7)


def test_a_part_is_read_without_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maps_module, "MAPS_PER_RUN", 8)
    path = kept(tmp_path, *moments(100))
    opened: list[str] = []
    load = np.lib.npyio.NpzFile.__getitem__

    def load_and_tell(archive: np.lib.npyio.NpzFile, key: str) -> object:
        opened.append(key)
        return load(archive, key)

    monkeypatch.setattr(np.lib.npyio.NpzFile, "__getitem__", load_and_tell)
    part = list(read_maps(path, start_s=1.0, end_s=1.2))
    assert [maps.frame_index for maps in part] == [25, 26, 27, 28, 29]
    assert len({name for name in opened if name.startswith("weights")}) <= 3


def test_numpy_alone_reads_them(tmp_path: Path) -> None:
    path = kept(tmp_path, *moments(20))
    with np.load(path) as archive:
        assert archive["weights_00000"].dtype == np.float16
        assert archive["weights_00000"].shape == (25, 3, 8, 8)
        where = archive["where_00000"]
        assert where["hand"].tolist().count("left") == 5
        row = where[24]
    transform = maps_of(next(iter([*moments(20)][19].hands))).transform
    middle = transform.to_frame(np.array([32.0, 32.0]))
    assert row["left_px"] + row["scale_x"] * 32 == middle[0]
    assert row["top_px"] + row["scale_y"] * 32 == middle[1]


def test_only_maps_of_the_very_frame_are_kept(tmp_path: Path) -> None:
    held = hand_moment(1, "right", 0, unseen_s=0.04)
    old = dataclasses.replace(
        held, maps=AgedMaps(maps=maps_of(hand_moment(0, "right", 0)), age_s=1)
    )
    made = [make_moment(0, [hand_moment(0, "right", 0)]), make_moment(1, [old]), make_moment(2, [])]
    assert [maps.frame_index for maps in read_maps(kept(tmp_path, *made))] == [0]


def test_pictures_of_another_size_and_whole_pictures(tmp_path: Path) -> None:
    made = [
        make_moment(0, [whole_picture(0)]),
        make_moment(1, [hand_moment(1, "right", 3, grid=5)]),
        make_moment(2, [whole_picture(2)]),
    ]
    read = list(read_maps(kept(tmp_path, *made)))
    assert [maps.hands[0].is_whole_frame for maps in read] == [True, False, True]
    assert [next(iter(maps.maps.values())).grid_hw for maps in read] == [(8, 8), (5, 5), (8, 8)]


def test_activations_keep_their_own_mean(tmp_path: Path) -> None:
    hand = hand_moment(0, "right", 0)
    strong = AttentionMaps(
        weights=np.array([[[70000.0, 1.0]], [[2.0, 3.0]]], np.float32),
        mean=np.array([[5.0, 4.0]], np.float32),
        kind="activation",
        model="dino_resnet50",
        layer=4,
        transform=maps_of(hand).transform,
        is_random=True,
    )
    moment = make_moment(0, [dataclasses.replace(hand, maps=AgedMaps(maps=strong, age_s=0))])
    (back,) = read_maps(kept(tmp_path, moment))
    assert back.maps[0].mean.tolist() == [[5, 4]]
    assert back.maps[0].weights.tolist() == [[[65504, 1]], [[2, 3]]]
    assert back.maps[0].kind == "activation"
    assert back.maps[0].is_random


def test_without_any_maps_there_is_a_file_that_says_so(tmp_path: Path) -> None:
    assert list(read_maps(kept(tmp_path, make_moment(0, [])))) == []


def test_maps_go_with_their_own_frame_only(tmp_path: Path) -> None:
    (maps,) = read_maps(kept(tmp_path, next(moments(1))))
    assert maps.scene(make_frame(0)).maps[0].age_s == 0
    with pytest.raises(ValueError, match="maps of frame 0, not 5"):
        maps.scene(make_frame(5))


def test_other_and_damaged_files_are_told_in_one_line(tmp_path: Path) -> None:
    whole = kept(tmp_path, *moments(20)).read_bytes()
    np.savez(tmp_path / "other.npz", a=np.arange(3))
    np.save(tmp_path / "single.npy", np.arange(3))
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "turned.npz").write_bytes(whole[:300] + bytes([whole[300] ^ 255]) + whole[301:])
    (tmp_path / "empty.npz").touch()
    for name in ("other.npz", "single.npy", "cut.npz", "turned.npz", "empty.npz"):
        with pytest.raises(
            SourceFormatError, match=rf"{name}: no maps that Signlight wrote"
        ) as told:
            list(read_maps(tmp_path / name))
        assert "\n" not in str(told.value)
    with pytest.raises(SourceNotFoundError, match="no such file"):
        list(read_maps(tmp_path / "none.npz"))
