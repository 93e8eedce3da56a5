"""Counting what a hand finder found, against labels made by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from models.evaluate_hands import ClipScore, HandLabel, main, read_labels, score_clip
from stream.closing import Closing
from stream.errors import SourceFormatError
from stream.frames import Frame
from stream.geometry import Handedness, HandRegion
from stream.sources.file import FileSource

LEFT = HandLabel(x=400, y=200, size=100, side="left", clear=True)
RIGHT = HandLabel(x=200, y=200, size=100, side="right", clear=False)


class Says(Closing):
    """A finder that says the same of every frame."""

    def __init__(self, regions: Sequence[HandRegion]) -> None:
        self._regions = tuple(regions)

    def find(self, frame: Frame) -> tuple[HandRegion, ...]:
        return self._regions

    def close(self) -> None:
        pass


def box(x: float, side: Handedness, unseen_s: float = 0.0) -> HandRegion:
    import numpy as np

    return HandRegion(
        box_xyxy=(x - 50, 150, x + 50, 250),
        landmarks=np.full((21, 2), (x, 200), np.float32),
        handedness=side,
        score=1,
        track_id=0,
        unseen_s=unseen_s,
    )


def score(clip: Path, regions: Sequence[HandRegion], hands: Sequence[HandLabel]) -> ClipScore:
    with FileSource(clip, max_frames=3) as source:
        return score_clip(source, Says(regions), {1: hands})


def test_hands_near_a_label_are_found_and_their_side_is_checked(sample_clip: Path) -> None:
    result = score(sample_clip, [box(460, "left"), box(160, "left")], [LEFT, RIGHT])
    assert (result.num_frames, result.num_seen, result.num_held) == (3, 6, 0)
    assert (result.clear_found, result.num_clear) == (1, 1)
    assert (result.blurred_found, result.num_blurred) == (1, 1)
    assert (result.wrong_side, result.false_hands) == (1, 0)


def test_a_box_beyond_reach_is_a_false_hand(sample_clip: Path) -> None:
    result = score(sample_clip, [box(466, "left")], [LEFT])
    assert (result.clear_found, result.false_hands, result.wrong_side) == (0, 1, 0)


def test_every_hand_of_a_handless_frame_is_false(sample_clip: Path) -> None:
    assert score(sample_clip, [box(400, "left")], []).false_hands == 1


def test_two_boxes_on_one_hand_find_it_once(sample_clip: Path) -> None:
    result = score(sample_clip, [box(400, "left"), box(410, "left")], [LEFT])
    assert (result.clear_found, result.false_hands) == (1, 1)


def test_a_held_box_finds_nothing_and_takes_nothing_away(sample_clip: Path) -> None:
    held = score(sample_clip, [box(400, "left", 0.1), box(900, "right", 0.1)], [LEFT])
    assert (held.clear_found, held.held_on, held.held_off) == (0, 1, 1)
    both = score(sample_clip, [box(400, "left", 0.1), box(430, "left")], [LEFT])
    assert (both.clear_found, both.held_off) == (1, 1)


def test_scores_add_up() -> None:
    total = ClipScore(num_frames=2, cpu_s=0.5) + ClipScore(num_frames=3, wrong_side=1)
    assert total == ClipScore(num_frames=5, cpu_s=0.5, wrong_side=1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"a.mp4": {"one": []}}',
        '{"a.mp4": {"1": [{"x": 1}]}}',
        '{"a.mp4": {"1": [3]}}',
        '{"a.mp4": {"1": [{"x": 1, "y": 1, "size": 0, "side": "left", "clear": true}]}}',
        '{"a.mp4": {"1": [{"x": 1, "y": 1, "size": 9, "side": "both", "clear": true}]}}',
    ],
)
def test_labels_that_are_none_get_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "truth.json"
    path.write_text(text)
    with pytest.raises(SourceFormatError, match=r"truth\.json holds no hand labels") as caught:
        read_labels(path)
    assert "\n" not in str(caught.value)


def test_a_folder_is_measured(
    tmp_path: Path, sample_clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = tmp_path / "clips" / "sign.mp4"
    clip.parent.mkdir()
    clip.symlink_to(sample_clip.resolve())
    labels: dict[str, dict[str, list[object]]] = {"sign.mp4": {"0": []}, "gone.mp4": {}}
    (clip.parent / "broken.mp4").write_bytes(b"no video at all")
    (clip.parent / "truth.json").write_text(json.dumps(labels))
    out = tmp_path / "numbers.json"
    assert main([str(clip.parent), "--out", str(out)]) == 0
    numbers = json.loads(out.read_text())
    assert set(numbers) == {"sign.mp4"}
    assert numbers["sign.mp4"]["false_hands"] == 1, "there is a hand where none is labelled"
    left_out, missing = capsys.readouterr().err.splitlines()
    assert left_out.startswith("note: left out: ")
    assert "broken.mp4" in left_out
    assert missing == "note: labels without a video: gone.mp4"


def test_numbers_that_cannot_be_written_are_no_traceback(
    tmp_path: Path, sample_clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = tmp_path / "clips" / "sign.mp4"
    clip.parent.mkdir()
    clip.symlink_to(sample_clip.resolve())
    (tmp_path / "file").touch()
    assert main([str(clip.parent), "--out", str(tmp_path / "file" / "numbers.json")]) == 1
    captured = capsys.readouterr()
    assert captured.out == "", "it is said before an hour of measuring"
    assert captured.err.startswith(f"models.evaluate_hands: {tmp_path / 'file'}: cannot hold")
    assert captured.err.count("\n") == 1


def test_a_missing_folder_gets_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none")]) == 1
    assert "there is no folder" in capsys.readouterr().err
    assert main([str(tmp_path)]) == 1
    assert "holds no video" in capsys.readouterr().err
