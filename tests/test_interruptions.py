"""Interrupting an export: what was written stays good, whoever ends it and however."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from run_live import main
from stream.sinks.remux import finish_mp4
from tests.conftest import ROOT
from tests.program import LONG_STEP_S, PTS, QUICK, SIDECAR, decoded, num_played
from tests.waits import PROCESS_S, WAIT_S, until


class _Export:
    """An export in a process of its own, to be interrupted."""

    def __init__(
        self,
        source: Path,
        output: Path,
        *,
        max_file_bytes: int | None = None,
        grows_at: Path | None = None,
    ) -> None:
        def limit() -> None:
            if max_file_bytes is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (max_file_bytes, max_file_bytes))

        self.output = output
        self._growing = grows_at or output
        self.process = subprocess.Popen(
            [sys.executable, "run_live.py", "export", str(source), str(output), *QUICK],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            preexec_fn=limit,
        )

    def wait_until_it_writes(self, num_bytes: int) -> None:
        """Return when the output has grown, by watching it; fails if the process ends first."""

        def has_grown() -> bool:
            if self.process.poll() is not None:
                pytest.fail(f"ended too early: {self.process.communicate()[1]}")
            return self._growing.exists() and self._growing.stat().st_size > num_bytes

        until(has_grown, "the output to grow", between=self._pause)

    def _pause(self) -> None:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(0.05)

    def end(self) -> tuple[int, str]:
        _, stderr = self.process.communicate(timeout=PROCESS_S)
        return self.process.returncode, stderr


@pytest.fixture
def interrupted(long_clip: Path, tmp_path: Path) -> Iterator[_Export]:
    """An export of the long clip that has begun to write."""
    export = _Export(long_clip, tmp_path / "out.mp4")
    try:
        export.wait_until_it_writes(20_000)
        yield export
    finally:
        export.process.kill()
        export.process.communicate(timeout=WAIT_S)


@pytest.mark.parametrize(
    ("signum", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"]
)
def test_signal_finishes_the_file_properly(
    interrupted: _Export, signum: signal.Signals, exit_code: int
) -> None:
    interrupted.process.send_signal(signum)
    code, stderr = interrupted.end()
    assert code == exit_code, stderr
    assert "Traceback" not in stderr
    times, _ = decoded(interrupted.output)
    assert times == [index * LONG_STEP_S for index in range(len(times))]
    assert 0 < len(times) < 4000
    assert f"stopped after {len(times)} frames; what was written is whole" in stderr.splitlines()
    sidecar = json.loads(interrupted.output.with_suffix(".json").read_text(encoding="utf-8"))
    assert sidecar["frames"] == len(times)
    assert sidecar["warnings"] == [f"stopped after {len(times)} frames"]
    # Plain and quick to start: the index stands before the pictures.
    head = interrupted.output.read_bytes()
    assert 0 < head.find(b"moov") < head.find(b"mdat")


def test_who_cannot_wait_is_told_that_the_end_may_be_missing(interrupted: _Export) -> None:
    interrupted.process.send_signal(signal.SIGINT)
    interrupted.process.send_signal(signal.SIGTERM)  # two of one kind might come as one
    code, stderr = interrupted.end()
    assert code == 130, stderr
    assert f"broken off; {interrupted.output} plays, perhaps without its last seconds" in stderr
    sidecar = json.loads(interrupted.output.with_suffix(".json").read_text(encoding="utf-8"))
    assert 0 < num_played(interrupted.output) <= sidecar["frames"] < 4000
    assert sidecar["warnings"] == ["broken off: the video may hold fewer frames than were counted"]


def test_a_signal_while_the_file_is_finished_stops_nothing(
    hand_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def finish(path: Path, target: Path, **how: Any) -> None:  # noqa: ANN401
        signal.raise_signal(signal.SIGINT)
        finish_mp4(path, target, **how)

    monkeypatch.setattr("stream.sinks.mp4.finish_mp4", finish)
    output = tmp_path / "out.mp4"
    assert main(["export", str(hand_clip), str(output), *QUICK]) == 130
    sidecar = json.loads(output.with_suffix(".json").read_text(encoding="utf-8"))
    assert (sidecar["frames"], sidecar["warnings"]) == (len(PTS), [])


def test_a_progress_bar_that_nobody_sees_ends_no_export(hand_clip: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    reader, writer = os.pipe()
    os.close(reader)
    try:
        run = subprocess.run(
            [sys.executable, "run_live.py", "export", str(hand_clip), str(output), *QUICK],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=writer, text=True, timeout=PROCESS_S,
            check=False,
        )  # fmt: skip
    finally:
        os.close(writer)
    assert (run.returncode, run.stdout) == (0, f"{output}\n")
    sidecar = json.loads(output.with_suffix(".json").read_text(encoding="utf-8"))
    assert (sidecar["frames"], sidecar["warnings"]) == (len(PTS), [])


def test_a_linked_sidecar_stays_a_link(hand_clip: Path, tmp_path: Path) -> None:
    kept, link = tmp_path / "kept.json", tmp_path / "out.json"
    kept.write_text(json.dumps(SIDECAR))
    link.symlink_to(kept)
    assert main(["export", str(hand_clip), str(tmp_path / "out.mp4"), *QUICK]) == 0
    assert link.is_symlink()
    assert json.loads(kept.read_text(encoding="utf-8"))["frames"] == len(PTS)


def test_what_told_of_an_earlier_video_is_gone_once_that_is(
    long_clip: Path, tmp_path: Path
) -> None:
    sidecar = tmp_path / "out.json"
    sidecar.write_text(json.dumps(SIDECAR))
    export = _Export(long_clip, tmp_path / "out.mp4")
    try:
        export.wait_until_it_writes(20_000)
    finally:
        export.process.kill()
        export.end()
    assert not sidecar.exists()


def test_killed_outright_what_is_there_plays(interrupted: _Export) -> None:
    interrupted.process.kill()
    interrupted.end()
    times, _ = decoded(interrupted.output)
    assert len(times) > 0
    assert times == [index * LONG_STEP_S for index in range(len(times))]


def test_full_disk_is_one_line_and_what_was_written_plays(long_clip: Path, tmp_path: Path) -> None:
    # A limit on the size of files stands in for a disk that is full: the same failing write.
    export = _Export(long_clip, tmp_path / "out.mp4", max_file_bytes=100_000)
    code, stderr = export.end()
    lines = [line for line in stderr.splitlines() if line.startswith("signlight: ")]
    assert code == 1, stderr
    assert len(lines) == 1
    assert str(export.output) in lines[0]
    assert "Traceback" not in stderr
    assert num_played(export.output) > 0


def test_stopped_early_the_earlier_export_stays(long_clip: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    arguments = ["export", str(long_clip), str(output), *QUICK]
    assert main([*arguments, "--max-frames", "20"]) == 0
    earlier = output.read_bytes(), output.with_suffix(".json").read_bytes()
    export = _Export(long_clip, output, grows_at=tmp_path / "out.unfinished.mp4")
    try:
        export.wait_until_it_writes(20_000)
        export.process.send_signal(signal.SIGINT)
        code, stderr = export.end()
    finally:
        export.process.kill()
    assert code == 130
    assert (output.read_bytes(), output.with_suffix(".json").read_bytes()) == earlier
    unfinished = tmp_path / "out.unfinished.mp4"
    sidecar = json.loads(unfinished.with_suffix(".json").read_text(encoding="utf-8"))
    assert sidecar["frames"] == num_played(unfinished) > 0
    assert f"the new one is in {unfinished}; {output} is the earlier one, as it was" in stderr


@pytest.mark.parametrize("max_file_bytes", [1_000, 4_000, 8_000, 12_000, 16_000])
def test_a_disk_that_is_full_at_the_end_is_no_success(
    hand_clip: Path, tmp_path: Path, max_file_bytes: int
) -> None:
    """From nothing that plays over the last fragment to the finished file and the sidecar."""
    export = _Export(hand_clip, tmp_path / "out.mp4", max_file_bytes=max_file_bytes)
    code, stderr = export.end()
    sidecar = export.output.with_suffix(".json")
    if code == 0:
        assert json.loads(sidecar.read_text(encoding="utf-8"))["frames"] == len(PTS)
        assert num_played(export.output) == len(PTS)
    else:
        lines = [line for line in stderr.splitlines() if line.startswith("signlight: ")]
        assert (code, len(lines)) == (1, 1), stderr
        assert f"{export.output}" in lines[0]


@pytest.mark.parametrize("command", ["models", "export"])
def test_who_stops_reading_the_output_sees_no_traceback(
    hand_clip: Path, tmp_path: Path, command: str
) -> None:
    output = tmp_path / "out.mp4"
    words = {"models": [], "export": [str(hand_clip), str(output), *QUICK]}[command]
    reader, writer = os.pipe()
    os.close(reader)  # as "| head -1" does in the end
    try:
        run = subprocess.run(
            [sys.executable, "run_live.py", command, *words],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PROCESS_S,
        )
    finally:
        os.close(writer)
    assert run.returncode == 1
    assert "Error" not in run.stderr
    assert "Traceback" not in run.stderr
    if command == "export":
        assert len(decoded(output)[0]) == 8


@pytest.mark.parametrize("scheme", ["http", "rtsp", "rtmp"])
def test_ctrl_c_is_heard_while_a_server_does_not_answer(scheme: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PROCESS_S)
        url = f"{scheme}://127.0.0.1:{server.getsockname()[1]}/live"
        with subprocess.Popen(
            [sys.executable, "run_live.py", "export", url, str(tmp_path / "out.mp4"), *QUICK],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_hear_ctrl_c,
        ) as process:
            connection, _ = server.accept()
            with connection:
                process.send_signal(signal.SIGINT)
                _, stderr = process.communicate(timeout=PROCESS_S)
    # Had it not been heard, the program would have given up on the server, with 1.
    assert process.returncode == 130, stderr
    assert stderr == ""


def test_ctrl_c_is_heard_while_nothing_comes_out_of_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.mp4"
    os.mkfifo(pipe)
    with (
        subprocess.Popen(
            [sys.executable, "run_live.py", "export", str(pipe), str(tmp_path / "out.mp4"), *QUICK],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_hear_ctrl_c,
        ) as process,
        pipe.open("wb"),
    ):  # returns once the program reads
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=PROCESS_S)
    assert process.returncode == 130, stderr


def _hear_ctrl_c() -> None:
    """Undo what the children of tests in the background of a shell inherit: they ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
