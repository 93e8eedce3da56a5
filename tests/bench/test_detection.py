"""How MediaPipe sees the rendered hands, letter by letter. Run with ``-m bench -s``."""

from __future__ import annotations

import pytest
from rich.console import Console

from tests.bench.detection_table import findings, tabulate


@pytest.mark.bench
@pytest.mark.timeout(3600)
def test_rendered_hands() -> None:
    Console().print(tabulate(list(findings(900))))
