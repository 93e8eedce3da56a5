"""What the pages promise and what it points at."""

from __future__ import annotations

import re
from difflib import unified_diff
from pathlib import Path

import pytest

from models.registry import DEFAULT_MODEL, MODELS
from tests.conftest import ROOT
from tests.write_readme import README, with_tables

PAGES = [
    path
    for path in (
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "SECURITY.md",
        *sorted((ROOT / "docs").glob("*.md")),
        ROOT / "samples" / "README.md",
        ROOT / "models" / "bundled" / "MODEL_CARD.md",
    )
    if path.is_file()
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (page.parent / target).exists()] == []


def test_every_model_and_the_default_are_named() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in MODELS if f"`{name}`" not in text] == []
    assert f"| `{DEFAULT_MODEL}` |" in text


def test_the_tables_of_options_and_keys_are_those_of_the_program() -> None:
    text = README.read_text(encoding="utf-8")
    right = with_tables(text).splitlines()
    changes = list(unified_diff(text.splitlines(), right, "README", "program", n=0, lineterm=""))
    assert not changes, "\n".join(["run: python -m tests.write_readme", *changes])
