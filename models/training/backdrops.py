"""What is put behind cut-out hands: drawn by ``samples``, or pictures of one's own."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch import Tensor

from models.training.corpus import read_corpus
from stream.errors import SourceNotFoundError

if TYPE_CHECKING:
    from samples.backgrounds import BackgroundKind

__all__ = ["draw_backdrops", "read_backdrops"]

_SHARES: Final[dict[BackgroundKind, float]] = {
    "leaves": 0.34, "room": 0.34, "wall": 0.08, "noise": 0.10, "stripes": 0.07, "gradient": 0.07,
}  # fmt: skip
"""Busy backdrops more often than plain ones: what hides a hand is what teaches to find it."""
_PERSON: Final = 0.15
"""Share of backdrops with a signer in them: faces and necks are skin, but no hands."""


def read_backdrops(folder: Path, *, size_px: int) -> Tensor:
    """Return the pictures of a folder, uint8 (M, 3, S, S).

    Raises:
        SourceNotFoundError: There is no such folder.
        SourceFormatError: There are no pictures in it.
    """
    return read_corpus([folder], size_px=size_px).pictures[:, :3].contiguous()


def draw_backdrops(count: int, *, size_px: int, seed: int) -> Tensor:
    """Return drawn backdrops, uint8 (M, 3, S, S): rooms, dead leaves, walls, signers' faces.

    Raises:
        SourceNotFoundError: ``samples`` is not there, as where Signlight is installed as a wheel.
    """
    if any(importlib.util.find_spec(name) is None for name in ("samples", "numba")):
        raise SourceNotFoundError(
            "backgrounds are drawn by samples/, which is in the repository and needs numba "
            '(pip install "signlight[render]"); elsewhere give pictures with --backdrops FOLDER'
        )
    drawn = [_draw(np.random.default_rng([seed, index]), size_px) for index in range(count)]
    return torch.from_numpy(np.stack(drawn)).permute(0, 3, 1, 2).contiguous()


def _draw(
    rng: np.random.Generator, size_px: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    from samples.backgrounds import draw_background
    from samples.hand import Light
    from samples.signer import Posture, Signer, render_signer
    from samples.skin import Skin
    from samples.tone import to_display

    kinds = list(_SHARES)
    kind = kinds[int(rng.choice(len(kinds), p=list(_SHARES.values())))]
    picture = draw_background((size_px, size_px), rng, kind)
    if rng.random() < _PERSON:
        focal_px = size_px * rng.uniform(0.9, 2.2)
        figure = render_signer(
            (size_px, size_px),
            Signer.random(rng, Skin.random(rng).back),
            Posture(
                head_yaw=rng.uniform(-40.0, 40.0),
                head_pitch=rng.uniform(-15.0, 20.0),
                head_roll=rng.uniform(-20.0, 20.0),
                blink=float(rng.random() < 0.1),
                smile=rng.uniform(-0.1, 0.5),
                mouth=max(0.0, rng.uniform(-0.5, 0.6)),
            ),
            neck_cm=(rng.uniform(-15.0, 15.0), rng.uniform(-20.0, 15.0), rng.uniform(-80.0, -40.0)),
            focal_px=focal_px,
            light=Light.random(rng),
            rim=float(rng.uniform(0.0, 0.8)),
            softness_px=size_px * float(rng.uniform(0.002, 0.02)),
        )
        picture = figure.rgb + (1.0 - figure.alpha[..., None]) * picture
    return to_display(np.asarray(picture, np.float32))
