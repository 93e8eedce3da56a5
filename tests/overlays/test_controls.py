"""Keys that the live loop hands on: what each changes, and the files they open."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from overlays.controls import KeyControls
from overlays.live_view import LiveView
from overlays.style import Style
from stream.sinks.mp4 import Mp4Sink


class _Model:
    """A model of which only the layer matters."""

    def __init__(self, layers: range = range(2, 5)) -> None:
        self.layer = 3
        self.layers = layers
        self.num_heads = 6


def test_the_only_layer_is_called_so() -> None:
    controls = _controls(_Model(range(3, 4)), LiveView(Style()))
    assert controls.press("[") == controls.press("]") == "layer 3, the only one"


def _controls(model: _Model, view: LiveView) -> KeyControls:
    return KeyControls(view, model, open_sink=Mp4Sink)


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


def test_files_go_to_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    controls = _controls(_Model(), LiveView(Style()))
    notice = controls.save_snapshot(np.zeros((4, 6, 3), np.uint8))
    assert Path(notice.removeprefix("saved ")).is_file()
    empty, _ = controls.open_recording()
    empty.close()
    assert controls.recordings == []
    sink, name = controls.open_recording()
    sink.write(np.zeros((32, 32, 3), np.uint8), 0, Fraction(1, 30))
    sink.close()
    assert name.endswith(".mp4")
    assert controls.recordings == [Path(name)]
    assert controls.warnings == []
