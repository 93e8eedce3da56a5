from __future__ import annotations

import pytest

from overlays.readouts import Readouts
from stream.frames import RgbImage
from stream.stats import Stats
from tests.overlays.scenes import flat_picture


def width_px(stats: Stats) -> int:
    rect = Readouts(stats, (1280, 720), 16, 12).rect
    assert rect is not None
    return rect[2] - rect[0]


@pytest.mark.parametrize(
    ("lost", "words"),
    [
        (Stats(dropped_crops=418), "418 maps skipped"),
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


def test_frames_of_a_file_show_their_time_in_it() -> None:
    def drawn(time_s: float) -> RgbImage:
        picture = flat_picture((1280, 720))
        Readouts(None, (1280, 720), 16, 12, time_s=time_s).draw(picture)
        return picture

    assert (drawn(3.4) != drawn(63.4)).any()
    assert (drawn(59.9996) == drawn(60.0)).all(), "rounded, not 0:00:60.000"
    assert (drawn(1.0) != flat_picture((1280, 720))).any()


def test_number_of_dropped_frames_is_always_there() -> None:
    pictures = []
    for dropped in (0, 3):
        pictures.append(flat_picture((1280, 720)))
        Readouts(Stats(dropped_capture=dropped), (1280, 720), 16, 12).draw(pictures[-1])
    assert (pictures[0] != pictures[1]).any()
