"""What is put behind cut-out hands: drawn by ``samples``, or pictures of one's own."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.training.corpus import read_corpus
from stream.errors import SourceNotFoundError

__all__ = ["draw_backdrops", "read_backdrops"]


def read_backdrops(folder: Path, *, size_px: int) -> Tensor:
    """Return the pictures of a folder, uint8 (M, 3, S, S).

    Raises:
        SourceNotFoundError: There is no such folder.
        SourceFormatError: There are no pictures in it.
    """
    return read_corpus([folder], size_px=size_px).pictures[:, :3].contiguous()


def draw_backdrops(count: int, *, size_px: int, seed: int) -> Tensor:
    """Return drawn backdrops, uint8 (M, 3, S, S); ``samples.backdrops`` says of what.

    Raises:
        SourceNotFoundError: ``samples`` is not there, as where Signlight is installed as a wheel.
    """
    if any(importlib.util.find_spec(name) is None for name in ("samples", "numba")):
        raise SourceNotFoundError(
            "backgrounds are drawn by samples/, which is in the repository and needs numba "
            '(pip install "signlight[render]"); elsewhere give pictures with --backdrops FOLDER'
        )
    from samples.backdrops import draw_backdrop

    drawn = [draw_backdrop(seed, index, size_px) for index in range(count)]
    return torch.from_numpy(np.stack(drawn)).permute(0, 3, 1, 2).contiguous()
