from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from stream.errors import SourceFormatError, in_one_line
from stream.printable import printable
from tests.conftest import ROOT
from tests.program import QUICK, fails
from tests.waits import PROCESS_S

EVIL = "clip\x1b]0;owned\x07\x9b2J\u202e"


def test_letters_of_every_script_stay() -> None:
    assert printable("Gebärde 手話 إشارة 🤟 a b") == "Gebärde 手話 إشارة 🤟 a b"


def test_what_steers_a_terminal_becomes_an_escape() -> None:
    assert printable(EVIL) == "clip\\x1b]0;owned\\x07\\x9b2J\\u202e"
    assert printable("\udcff") == "\\udcff", "a byte of a name that is no text"


def test_errors_are_fit_for_a_terminal() -> None:
    assert in_one_line(SourceFormatError(f"{EVIL} is no video")).isprintable()
    assert in_one_line(OSError(2, "is missing", EVIL)).isprintable()


def test_log_lines_are_fit_for_a_terminal() -> None:
    program = (
        "import logging, sys\n"
        "from stream.printable import log_to_terminal\n"
        "log_to_terminal(logging.WARNING, '%(message)s')\n"
        "try: raise ValueError(sys.argv[1])\n"
        "except ValueError: logging.exception('left out:\\n%s', sys.argv[1])\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, EVIL],
        cwd=ROOT, capture_output=True, encoding="utf-8", timeout=PROCESS_S,
    )  # fmt: skip
    assert "left out:\\nclip\\x1b]0;owned" in run.stderr
    assert all(line.isprintable() for line in run.stderr.splitlines())
    assert len(run.stderr.splitlines()) > 3, "a traceback keeps its lines"


def test_a_name_reaches_the_terminal_without_its_commands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "\\x1b]0;owned" in fails(capsys, "export", tmp_path / EVIL, *QUICK)


def test_a_path_on_stdout_is_as_it_is_for_scripts_and_escaped_for_people(
    hand_clip: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out\x1b[2J.mp4"
    command = [sys.executable, "run_live.py", "export", str(hand_clip), str(output), *QUICK]
    piped = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=PROCESS_S, check=True)
    assert os.fsencode(output) + b"\n" == piped.stdout
    assert b"\x1b[2J" not in piped.stderr
    ours, theirs = pty.openpty()
    try:
        subprocess.run(
            command, cwd=ROOT, stdout=theirs, stderr=subprocess.PIPE, timeout=PROCESS_S, check=True
        )
        shown = os.read(ours, 10_000)
    finally:
        os.close(ours)
        os.close(theirs)
    assert b"out\\x1b[2J.mp4" in shown
