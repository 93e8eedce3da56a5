from __future__ import annotations

from typing import Any

import pytest

from overlays.paint import draw_text
from overlays.readouts import Readouts
from stream.frames import RgbImage
from stream.stats import Stats
from tests.overlays.scenes import flat_picture


def width_px(stats: Stats) -> int:
    rect = Readouts(stats, (1280, 720), 16, 12).rect
    assert rect is not None
    return rect[2] - rect[0]


def words_of(readouts: Readouts, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what is written, in order."""
    written: list[str] = []

    def record(canvas: RgbImage, words: str, *where: object) -> int:
        written.append(words)
        return draw_text(canvas, words, *where)  # type: ignore[arg-type]

    monkeypatch.setattr("overlays.readouts.draw_text", record)
    readouts.draw(flat_picture((1280, 720)))
    return written


@pytest.mark.parametrize(
    ("lost", "words"),
    [
        (Stats(dropped_crops=418), "418 frames not mapped"),
        (Stats(dropped_record=7), "7 frames not recorded"),
    ],
    ids=["crops", "record"],
)
def test_what_is_lost_is_said_once_anything_is(lost: Stats, words: str) -> None:
    assert width_px(lost) > width_px(Stats()) + 8 * (len(words) // 2)
    picture, untouched = flat_picture((1280, 720)), flat_picture((1280, 720))
    Readouts(lost, (1280, 720), 16, 12).draw(picture)
    Readouts(Stats(), (1280, 720), 16, 12).draw(untouched)
    assert (picture != untouched).any()


@pytest.mark.parametrize(
    ("time_s", "text"),
    [
        (0.0, "0:00:00.000"),
        (59.9996, "0:01:00.000"),
        (62.345, "0:01:02.345"),
        (3723.5, "1:02:03.500"),
    ],
)
def test_frames_of_a_file_show_their_time_in_it(
    time_s: float, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    readouts = Readouts(None, (1280, 720), 16, 12, time_s=time_s)
    assert words_of(readouts, monkeypatch) == [text, "into the recording"]


def test_a_viewer_reads_what_each_number_is(monkeypatch: pytest.MonkeyPatch) -> None:
    stats = Stats(
        fps_shown=29.97,
        maps_per_s=12.1,
        latency_ms=41,
        compute_ms=76,
        dropped_capture=1,
        dropped_crops=418,
        dropped_record=7,
        recording_s=62,
    )
    assert " ".join(words_of(Readouts(stats, (1280, 720), 16, 12), monkeypatch)) == (
        "REC 1:02 7 frames not recorded 30.0 frames/s 12.1 maps/s 41 ms late 1 frame not shown "
        "76 ms per map 418 frames not mapped"
    )


def test_recording_and_pause_are_seen_where_read_outs_are_hidden() -> None:
    def width_px(**stats: Any) -> int:  # noqa: ANN401
        rect = Readouts(Stats(**stats), (1280, 720), 16, 12, signs_only=True).rect
        return rect[2] - rect[0] if rect else 0

    assert width_px() == 0
    assert 0 < width_px(is_frozen=True) < width_px(is_frozen=True, recording_s=3.2)


def test_number_of_dropped_frames_is_always_there() -> None:
    pictures = []
    for dropped in (0, 3):
        pictures.append(flat_picture((1280, 720)))
        Readouts(Stats(dropped_capture=dropped), (1280, 720), 16, 12).draw(pictures[-1])
    assert (pictures[0] != pictures[1]).any()
