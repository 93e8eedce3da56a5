"""Whole pictures against those a person has looked at."""

from __future__ import annotations

import numpy as np
import pytest

from tests.golden.write import CASES, FOLDER, read


@pytest.mark.parametrize("name", sorted(CASES))
def test_picture_looks_as_it_did(name: str) -> None:
    """Versions of OpenCV round and smooth edges a little differently; nothing else may differ."""
    drawn, golden = CASES[name](), read(name)
    assert drawn.shape == golden.shape
    difference = np.abs(drawn.astype(int) - golden).max(axis=2)
    assert difference.mean() < 1.0
    assert (difference > 40).mean() < 0.002


def test_every_picture_has_a_case() -> None:
    assert {path.stem for path in FOLDER.glob("*.png")} == set(CASES)
