"""Fixtures of the model tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rendered set in miniature: blobs of many colours and shapes, with masks and truth."""
    from tests.models.hand_sets import write_set

    folder = tmp_path_factory.mktemp("pictures")
    write_set(folder, count=48)
    return folder


@pytest.fixture
def one_torch_thread() -> Iterator[None]:
    """Let torch use one thread: small networks gain nothing from two, and wait for them."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
