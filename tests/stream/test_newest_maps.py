from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from stream.errors import WorkerError
from stream.frames import Frame
from stream.geometry import HandCrop
from stream.newest_maps import NewestMaps
from stream.scene import AgedMaps, AttentionMaps
from tests.fakes import FakeClock, GatedModel, cut_box, make_frame, make_hand
from tests.waits import WAIT_S


class Desk:
    """NewestMaps with a model whose every answer can be waited for."""

    def __init__(self, model: GatedModel) -> None:
        self.model = model
        self.clock = FakeClock()
        self.newest = NewestMaps(model, cut_box, now_ns=self.clock.now_ns)

    def submit(self, index: int, *track_ids: int) -> None:
        self.newest.submit(make_frame(index), map(make_hand, track_ids))

    def answer(self) -> None:
        """Return once everything that was handed over is answered."""
        self.newest._crops.close()
        self.newest._worker.join()

    def at(self, frame: Frame) -> dict[int, tuple[int, int]]:
        """Return frame and age, in frames, of the map of each of two hands."""
        hands = (make_hand(0), make_hand(1))
        return {track_id: _told(entry) for track_id, entry in self.newest.at(frame, hands).items()}


def _told(entry: AgedMaps) -> tuple[int, int]:
    return entry.maps.frame_index, round(entry.age_s * 30)


def test_maps_of_a_frame_come_back_by_track_and_age() -> None:
    desk = Desk(GatedModel())
    with desk.newest:
        desk.submit(4, 0, 1)
        desk.answer()
        assert desk.at(make_frame(7)) == {0: (4, 3), 1: (4, 3)}
        assert desk.at(make_frame(9)) == {0: (4, 5), 1: (4, 5)}
    assert desk.newest.num_batches == 1
    assert desk.newest.compute_ms == 1.0


def test_only_hands_in_view_have_maps_and_one_that_comes_back_finds_its_own() -> None:
    desk = Desk(GatedModel())
    with desk.newest:
        desk.submit(0, 0)
        desk.answer()
        assert desk.newest.at(make_frame(1), ()) == {}
        assert desk.at(make_frame(2)) == {0: (0, 2)}


def test_map_is_kept_until_it_has_outlived_its_time() -> None:
    desk = Desk(GatedModel())
    with desk.newest:
        desk.submit(0, 0)
        desk.answer()
        assert desk.at(make_frame(29)) == {0: (0, 29)}
        assert desk.at(make_frame(31)) == {}  # a second at 30 frames a second
        assert desk.at(make_frame(29)) == {}


def test_map_of_a_slow_model_lives_long_enough_to_be_shown() -> None:
    class SlowModel(GatedModel):
        def attend_crops(self, crops: Sequence[HandCrop]) -> list[AttentionMaps]:
            (maps,) = super().attend_crops(crops)
            object.__setattr__(maps, "compute_ns", 2_000_000_000)
            return [maps]

    desk = Desk(SlowModel())
    with desk.newest:
        desk.submit(0, 0)
        desk.answer()
        assert desk.at(make_frame(100)) == {0: (0, 100)}


def test_newer_batch_replaces_the_waiting_one_and_is_counted() -> None:
    model = GatedModel(is_open=False)
    desk = Desk(model)
    with desk.newest:
        desk.submit(0, 0)
        assert model.entered.wait(WAIT_S)
        for index in range(1, 6):
            desk.submit(index, 0)
        model.gate.set()
        desk.answer()
        assert desk.at(make_frame(6)) == {0: (5, 1)}
    assert model.seen == [[0], [5]]
    assert desk.newest.dropped == 4


def test_nothing_is_handed_over_where_there_is_no_hand() -> None:
    desk = Desk(GatedModel())
    with desk.newest:
        desk.submit(0)
        desk.answer()
    assert desk.model.seen == []


def test_failing_model_is_told_to_whoever_hands_over() -> None:
    desk = Desk(GatedModel(failure=MemoryError("no memory")))
    with desk.newest:
        desk.submit(0, 0)
        desk.newest._worker.join()
        with pytest.raises(WorkerError, match="attention failed: no memory"):
            desk.submit(1, 0)
        with pytest.raises(WorkerError, match="attention failed: no memory"):
            desk.newest.check()


def test_model_warms_up_on_the_attention_thread_before_its_first_batch() -> None:
    model, seen = GatedModel(), []

    def warm_up() -> None:
        seen.append((threading.current_thread().name, list(model.seen)))

    newest = NewestMaps(model, cut_box, warm_up=warm_up)
    with newest:
        newest.submit(make_frame(0), [make_hand()])
        assert model.entered.wait(WAIT_S)
    assert seen == [("signlight-attention", [])]


def test_warming_up_that_fails_is_told() -> None:
    def warm_up() -> None:
        raise MemoryError("no room")

    newest = NewestMaps(GatedModel(), cut_box, warm_up=warm_up)
    with newest:
        newest._worker.join()
        with pytest.raises(WorkerError, match="attention failed: no room"):
            newest.check()
