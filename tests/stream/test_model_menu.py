"""One model after the other in a live view."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from stream.errors import DeviceError, WorkerError
from stream.frames import Frame
from stream.model_menu import ModelAtWork, ModelMenu
from stream.newest_maps import NewestMaps
from tests.fakes import GatedModel, cut_box, make_frame, make_hand
from tests.waits import WAIT_S, until

HANDS = (make_hand(),)


class LayeredModel(GatedModel):
    """A gated model with what a menu tells of it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.layer = 0
        self.layers = range(3)
        self.num_heads = len(name)
        self.warnings = (f"{name} is new",)


class Shop:
    """Opens models, each with a gate before it is ready; tells which are closed."""

    def __init__(self) -> None:
        self.models: dict[str, LayeredModel] = {}
        self.may_warm_up = threading.Event()
        self.may_warm_up.set()
        self.closed: list[str] = []
        self.failure: Exception | None = None

    def open(self, name: str) -> ModelAtWork:
        if self.failure is not None:
            raise self.failure
        model = self.models[name] = LayeredModel(name)
        maps = NewestMaps(model, cut_box, warm_up=self.warm_up)
        maps.__enter__()

        def close() -> None:
            maps.__exit__(None, None, None)
            self.closed.append(name)

        return ModelAtWork(name, model, maps, close)

    def warm_up(self) -> None:
        assert self.may_warm_up.wait(WAIT_S), "nobody opened the gate"


def wait(menu: ModelMenu, is_so: Callable[[], bool], frame: Frame) -> None:
    moment = threading.Event()
    until(is_so, "the menu", between=lambda: (menu.at(frame, HANDS), moment.wait(0.005)))


def test_another_model_takes_over_when_it_is_ready_and_not_before() -> None:
    shop, frame = Shop(), make_frame(0)
    with ModelMenu("small", ("small", "larger"), shop.open) as menu:
        menu.submit(frame, HANDS)
        wait(menu, lambda: bool(menu.at(frame, HANDS)), frame)
        shop.may_warm_up.clear()
        assert menu.choose("larger") == "model: larger, in a moment"
        wait(menu, lambda: "larger" in shop.models, frame)
        assert menu.at(frame, HANDS), "the old maps stay meanwhile"
        assert (menu.name, menu.num_heads, menu.news()) == ("small", 5, None)
        shop.may_warm_up.set()
        wait(menu, lambda: menu.name == "larger", frame)
        assert menu.news() == "model: larger"
        assert menu.news() is None
        assert menu.num_heads == 6
        # A frozen picture is not handed over again: the menu does it.
        wait(menu, lambda: bool(menu.at(frame, HANDS)), frame)
        assert shop.models["larger"].seen == [[0]]
        assert menu.num_batches == 2
        wait(menu, lambda: shop.closed == ["small"], frame)
    assert shop.closed == ["small", "larger"]
    assert menu.warnings == ["small is new", "larger is new"]


def test_a_model_that_cannot_be_had_is_told_and_the_one_at_work_stays() -> None:
    shop, frame = Shop(), make_frame(0)
    with ModelMenu("small", ("small", "larger"), shop.open) as menu:
        shop.failure = DeviceError("there is no memory for it")
        menu.choose("larger")
        news: set[str | None] = set()

        def is_told() -> bool:
            news.add(menu.news())
            return "larger cannot be had: there is no memory for it" in news

        wait(menu, is_told, frame)
        assert menu.name == "small"
        menu.check()


def test_an_unforeseen_fault_ends_the_view_with_its_reason() -> None:
    shop, frame = Shop(), make_frame(0)
    with ModelMenu("small", ("small", "larger"), shop.open) as menu:
        shop.failure = ZeroDivisionError("oops")
        menu.choose("larger")
        wait(menu, lambda: not menu._changes.is_running, frame)
        with pytest.raises(WorkerError, match="oops"):
            menu.check()


def test_a_name_that_is_not_on_the_menu_changes_nothing() -> None:
    shop = Shop()
    with ModelMenu("small", ("small",), shop.open) as menu:
        assert menu.choose("../../etc") == "there is no model ../../etc here"
        assert menu.choose("small") == "model: small"
    assert shop.closed == ["small"]


def test_the_end_closes_a_model_that_has_got_ready_in_vain() -> None:
    shop, frame = Shop(), make_frame(0)
    menu = ModelMenu("small", ("small", "larger"), shop.open)
    shop.may_warm_up.clear()
    menu.choose("larger")
    until(
        lambda: "larger" in shop.models,
        "the other model",
        between=lambda: menu.submit(frame, HANDS),
    )
    shop.may_warm_up.set()
    menu.close()
    assert sorted(shop.closed) == ["larger", "small"]
