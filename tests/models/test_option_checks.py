"""What is said of options before a model is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.option_checks import doubts_about
from models.options import ModelOptions
from stream.command_line.options import Options
from stream.jobs.options import RegionOptions


@pytest.mark.parametrize(
    ("asked", "is_doubtful"),
    [
        ({"region": "frame"}, True),
        ({"region": "hands"}, False),
        ({"region": "frame", "model": "dino_vits16"}, False),
        ({"region": "frame", "weights": Path("mine.safetensors")}, False),
        ({"region": "frame", "random_weights": True}, False),
    ],
)
def test_bundled_weights_are_doubted_on_whole_pictures_alone(
    asked: dict[str, Any], is_doubtful: bool
) -> None:
    options = Options("export", (ModelOptions(model="dino_hands16"), RegionOptions()))
    doubts = doubts_about(options.but(**asked))
    assert len(doubts) == is_doubtful
    assert all(line.startswith("dino_hands16 was trained on crops") for line in doubts)
