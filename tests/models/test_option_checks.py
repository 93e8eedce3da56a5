"""What is said of options before a model is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.option_checks import check_options, doubts_about
from models.options import HandOptions, ModelOptions
from overlays.figure_look import FigureLook
from stream.command_line.options import Options
from stream.errors import OptionError
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


def test_every_head_of_a_figure_has_to_be_there() -> None:
    groups = (ModelOptions(), HandOptions(), RegionOptions())
    check_options(Options("figure", (*groups, FigureLook(heads=("mean", 0, 5)))))
    with pytest.raises(OptionError, match="--heads 6: dino_hands8 has heads 0 to 5"):
        check_options(Options("figure", (*groups, FigureLook(heads=(0, 6)))))
