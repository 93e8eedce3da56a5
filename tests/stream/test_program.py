"""How programs end: exit codes, one line, signals, readers that are gone."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stream.errors import OutputError
from stream.program import exit_code_of, run_program
from tests.conftest import ROOT
from tests.waits import PROCESS_S


def _raising(error: BaseException) -> Callable[[], int]:
    def work() -> int:
        raise error

    return work


@pytest.mark.parametrize("code", [0, 1, 143])
def test_the_code_of_what_could_be_done_is_handed_on(code: int) -> None:
    assert exit_code_of("tool", lambda: code, verbose=False) == code


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OutputError("o.png cannot be written;\nchoose another"), "o.png cannot be written; choo"),
        (FileNotFoundError(2, "No such file", "a.json"), "a.json: No such file; check the path"),
        (ZeroDivisionError("by zero"), "ZeroDivisionError: by zero (a fault of Signlight's: -v"),
    ],
)
def test_what_goes_wrong_is_one_line(
    error: Exception, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code_of("tool", _raising(error), verbose=False) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"tool: {said}")
    assert captured.err.count("\n") == 1
    with pytest.raises(type(error)):
        exit_code_of("tool", _raising(error), verbose=True)


@pytest.mark.parametrize(
    ("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_signals_leave_nothing_half_made(signum: signal.Signals, code: int, tmp_path: Path) -> None:
    before = signal.getsignal(signum)

    def work() -> int:
        (tmp_path / "half").touch()
        try:
            signal.raise_signal(signum)
        finally:
            (tmp_path / "half").unlink()
        return 0

    assert exit_code_of("tool", work, verbose=False) == code
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(signum) is before


def test_options_are_read_and_where_it_went_wrong_can_be_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def divide(options: argparse.Namespace) -> None:
        assert options.number / 0

    def parser() -> argparse.ArgumentParser:
        made = argparse.ArgumentParser(prog="python -m tool")
        made.add_argument("number", type=int)
        return made

    assert run_program(parser(), divide, ["1"]) == 1
    assert capsys.readouterr().err.startswith("tool: ZeroDivisionError")
    with pytest.raises(ZeroDivisionError):
        run_program(parser(), divide, ["1", "-v"])
    with pytest.raises(SystemExit) as usage:
        run_program(parser(), divide, ["one"])
    assert usage.value.code == 2


@pytest.mark.parametrize("program", [["run_live.py", "models"], ["-m", "models.evaluate_hands"]])
def test_a_reader_who_has_had_enough_gets_no_complaint(
    program: list[str], tmp_path: Path, sample_clip: Path
) -> None:
    if "models.evaluate_hands" in program:
        (tmp_path / "a.mp4").symlink_to(sample_clip.resolve())
        program = [*program, str(tmp_path)]
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, *program],
            cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=PROCESS_S,
            check=False,
        )  # fmt: skip
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")
