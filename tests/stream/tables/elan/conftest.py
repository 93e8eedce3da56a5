"""What the tests of the package share."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree


@pytest.fixture(scope="session")
def assert_valid(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], None]:
    """A check against the published schema of EAF 3.0, which pympi-ling's sources carry."""
    folder = tmp_path_factory.mktemp("schema")
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-build-isolation"]
    command += ["--no-binary", ":all:", "-d", str(folder), "pympi-ling==1.71"]
    try:
        got = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        pytest.skip("the package index did not answer: no schema to check against")
    archives = list(folder.glob("pympi*.tar.gz"))
    if got.returncode or not archives:
        pytest.skip(f"no schema to check against, pip says: {got.stderr.strip()[-200:]}")
    with tarfile.open(archives[0]) as archive:
        member = next(name for name in archive.getnames() if name.endswith("EAFv3.0.xsd"))
        content = archive.extractfile(member)
        assert content is not None
        schema = etree.XMLSchema(etree.parse(content))

    def check(path: Path) -> None:
        schema.assertValid(etree.parse(str(path)))

    return check
