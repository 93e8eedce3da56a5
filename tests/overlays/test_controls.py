"""Keys that the live loop hands on: what each changes."""

from __future__ import annotations

import pytest

from overlays.controls import KEYS, KeyControls
from overlays.live_view import LiveView
from overlays.style import Style
from stream.live import LiveLoop


class _Model:
    """A model of which only the layer matters."""

    def __init__(self, layers: range = range(2, 5)) -> None:
        self.layer = 3
        self.layers = layers
        self.num_heads = 6
        self.name, self.names = "dino_hands8", ("dino_hands8", "dino_hands16")
        self.told: str | None = None

    def choose(self, name: str) -> str:
        self.name = name
        return f"model: {name}"

    def news(self) -> str | None:
        return self.told


def test_the_only_layer_is_called_so() -> None:
    controls = _controls(_Model(range(3, 4)), LiveView(Style()))
    assert controls.press("[") == controls.press("]") == "layer 3, the only one"


def test_the_keys_are_those_that_were_promised_each_once() -> None:
    presses = [press for column in KEYS for key in column for press in key.presses]
    assert sorted(presses) == sorted(
        [*"0123456789<>ma[]dlc+=-_tnkfhsbr?q.,", "space", "escape", "f11", "left", "right"]
    )


def test_every_key_that_the_loop_does_not_know_does_something() -> None:
    own = {press for key in LiveLoop.KEYS for press in key.presses}
    for column in KEYS:
        for press in {press for key in column for press in key.presses} - own:
            view, model = LiveView(Style(alpha=0.5)), _Model()
            before = (view.style, view.is_help_shown, model.layer, model.name)
            notice = _controls(model, view).press(press)
            assert notice or view.is_help_shown, press
            is_changed = (view.style, view.is_help_shown, model.layer, model.name) != before
            assert is_changed or press in "6789m", press  # heads that it lacks, or has


def _controls(model: _Model, view: LiveView) -> KeyControls:
    return KeyControls(view, model)


def test_brackets_step_through_the_layers_there_are() -> None:
    model = _Model()
    controls = _controls(model, LiveView(Style()))
    assert [controls.press("]") for _ in range(2)] == ["layer 4", "layer 4"]
    assert [controls.press("[") for _ in range(3)] == ["layer 3", "layer 2", "layer 2"]


def test_question_mark_shows_the_keys_and_others_change_the_look() -> None:
    view = LiveView(Style())
    controls = _controls(_Model(), view)
    assert controls.press("?") is None
    assert view.is_help_shown
    assert controls.press("5")
    assert view.style.head == 5
    before = view.style
    assert controls.press("F13") is None
    assert view.style == before


@pytest.mark.parametrize(
    ("press", "field", "value"),
    [
        ("head=3", "head", 3),
        ("head=all", "head", "all"),
        ("layout=side", "layout", "side"),
        ("colormap=viridis", "colormap", "viridis"),
        ("alpha=0.35", "alpha", 0.35),
        ("threshold=0.6", "threshold", 0.6),
        ("threshold=off", "threshold", None),
        ("normalize=absolute", "normalize", "absolute"),
        ("skeleton=off", "skeleton", False),
        ("mirror=on", "mirror", True),
        ("hud=off", "hud", False),
    ],
)
def test_what_is_set_by_name_is_told_as_set(press: str, field: str, value: object) -> None:
    view = LiveView(Style())
    controls = _controls(_Model(), view)
    assert controls.press(press)
    assert getattr(view.style, field) == value
    name, _, text = press.partition("=")
    (setting,) = (each for each in controls.settings if each.name == name)
    assert setting.value == text
    assert setting.range or text in setting.choices


@pytest.mark.parametrize(
    "press",
    ["head=6", "head=-1", "layout=x", "colormap=jet", "alpha=2", "alpha=nan", "skeleton=1",
     "layer=9", "layer=", "title=x", "input_mirrored=on"],
)  # fmt: skip
def test_what_cannot_be_set_changes_nothing_and_is_said(press: str) -> None:
    view, model = LiveView(Style()), _Model()
    controls = _controls(model, view)
    before = controls.settings
    assert controls.press(press)
    assert controls.settings == before
    assert view.style == Style()


def test_a_layer_is_set_by_its_number() -> None:
    model = _Model()
    controls = _controls(model, LiveView(Style()))
    assert controls.press("layer=4") == "layer 4"
    assert model.layer == 4


def test_a_layout_that_is_chosen_leaves_the_grid_of_all_heads() -> None:
    view = LiveView(Style(head="all"))
    _controls(_Model(), view).press("layout=side")
    assert (view.style.head, view.style.layout) == ("mean", "side")
