"""Several who look with one model."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, cast

from stream.command_line.options import Options
from stream.geometry import HandCrop
from stream.jobs.shared_models import ModelSeat, SharedModels
from stream.scene import AttentionMaps
from tests.fakes import GatedModel, cut_box, make_frame, make_hand
from tests.waits import WAIT_S


class SharedModel(GatedModel):
    """Notes the layer of each batch, and that it is closed."""

    def __init__(self, *, is_open: bool = True) -> None:
        super().__init__(is_open=is_open)
        self.layer = 4
        self.read: list[int] = []
        self.is_closed = False

    def attend_crops(self, crops: Sequence[HandCrop]) -> list[AttentionMaps]:
        self.read.append(self.layer)
        return super().attend_crops(crops)

    def __exit__(self, *_: object) -> None:
        self.is_closed = True


class Queue(deque[object]):
    """Tells that somebody has joined it."""

    def __init__(self) -> None:
        super().__init__()
        self.joined = threading.Semaphore(0)

    def append(self, item: object) -> None:
        super().append(item)
        self.joined.release()


class Asked(Options):
    """Options that name a model alone."""

    @property
    def by_name(self) -> dict[str, Any]:
        return {"model": self.command}


def crop(index: int) -> HandCrop:
    return cut_box(make_frame(index), make_hand())


def test_a_model_is_opened_once_and_closed_after_the_last() -> None:
    opened: list[SharedModel] = []

    def open_model(options: Options) -> Any:  # noqa: ANN401
        opened.append(SharedModel())
        return opened[-1]

    models = SharedModels(open_model)
    with models.open(Asked("small")):
        with models.open(Asked("small")), models.open(Asked("large")):
            assert len(opened) == 2
        assert [model.is_closed for model in opened] == [False, True]
    assert opened[0].is_closed
    with models.open(Asked("small")):
        assert len(opened) == 3


def test_each_reads_its_own_layer() -> None:
    model = SharedModel()
    models = SharedModels(lambda options: cast(Any, model))
    with models.open(Asked("small")) as one:
        one.layer = 1
        one.attend_crops([crop(0)])
        with models.open(Asked("small")) as other:
            other.attend_crops([crop(1)])
            one.attend_crops([crop(2)])
    assert model.read == [1, 4, 1]


def test_all_have_their_turn_however_often_one_asks() -> None:
    model = SharedModel(is_open=False)
    models = SharedModels(lambda options: cast(Any, model))

    def ask(seat: ModelSeat, indices: range) -> None:
        for index in indices:
            seat.attend_crops([crop(index)])

    with ExitStack() as stack:
        seats = [stack.enter_context(models.open(Asked("small"))) for _ in range(3)]
        threads = [
            threading.Thread(target=ask, args=(seat, range(10 * number, 10 * number + 5)))
            for number, seat in enumerate(seats)
        ]
        models._waiting = queue = Queue()
        for thread in threads:
            thread.start()
            assert queue.joined.acquire(timeout=WAIT_S)
        model.gate.set()
        for thread in threads:
            thread.join(WAIT_S)
    # Who has had a turn and asks again at once comes after all who wait.
    assert [batch[0] // 10 for batch in model.seen][:3] == [0, 1, 2]
    assert len(model.seen) == 15
