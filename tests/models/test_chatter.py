"""Keeping a native library's routine lines off the terminal."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.conftest import ROOT
from tests.waits import PROCESS_S

_CHATTERING = """
import os, sys
from models.chatter import muted_chatter

with muted_chatter():
    os.write(2, b"I0000 00:00:00 from C++\\nsomething else\\n" * {repeats})
print("went on")
"""


def run(stderr: int, repeats: int = 1) -> subprocess.CompletedProcess[bytes]:
    code = _CHATTERING.format(repeats=repeats)
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=stderr,
        timeout=PROCESS_S,
        check=False,
    )


def test_routine_lines_are_dropped_and_all_others_said() -> None:
    result = run(subprocess.PIPE, repeats=10_000)  # more than a pipe takes at once
    assert result.stderr.splitlines() == [b"something else"] * 10_000
    assert result.stdout.splitlines() == [b"went on"]


def test_nobody_reads_stderr_any_more() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        result = run(writer)
    finally:
        os.close(writer)
    assert (result.returncode, result.stdout.splitlines()) == (0, [b"went on"])
