"""What tests of this folder share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from stream.screens.page import Page


@pytest.fixture
def page() -> Iterator[Page]:
    """A page that all browsers watch, two at most."""
    from tests.stream.pages import opened_page

    with opened_page() as page:
        yield page


@pytest.fixture
def patient_recorders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out of recordings nothing: a stage's time passes at once, and encoders' does not."""
    from stream import recorder

    monkeypatch.setattr(recorder, "MAX_WAITING", 1000)
