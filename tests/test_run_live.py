"""The whole program, run as a person runs it: arguments in, files and exit codes out."""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from run_live import main
from samples.hand import render_hand
from stream.frames import RgbImage
from stream.hashing import sha256_of
from stream.sinks.mp4 import Mp4Sink
from tests.conftest import ROOT
from tests.fakes import WAIT_S

TIME_BASE = Fraction(1, 600)
PTS = [0, 24, 48, 60, 96, 120, 144, 168]
"""A variable frame rate: two steps are not of 24 ticks."""
QUICK = ["--random-weights", "--crop-size", "32"]
"""A model that costs little: its maps mean nothing, as they say."""
START_UP_S = 120.0
"""Longest wait for a process to have loaded its models, on a busy machine."""


@pytest.fixture(scope="session")
def hand_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rendered right hand, 8 frames of 256 x 256 at times that vary."""
    path = tmp_path_factory.mktemp("clips") / "hand.mp4"
    hand = render_hand("L", size_px=256, seed=4, handedness="right").image
    with Mp4Sink(path, frame_rate=Fraction(25)) as sink:
        for shift, pts in enumerate(PTS):
            sink.write(np.ascontiguousarray(np.roll(hand, 2 * shift, axis=1)), pts, TIME_BASE)
    return path


@pytest.fixture(scope="session")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """4000 small frames of noise: enough to be interrupted in the middle."""
    path = tmp_path_factory.mktemp("clips") / "long.mp4"
    noise = np.random.default_rng(1).integers(0, 256, (10, 48, 64, 3), np.uint8)
    with Mp4Sink(path, frame_rate=Fraction(25), preset="ultrafast") as sink:
        for index in range(4000):
            sink.write(noise[index % 10], index, Fraction(1, 25))
    return path


def _decoded(path: Path) -> tuple[list[Fraction], list[RgbImage]]:
    """Return times and pictures of an MP4."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
        return (
            [frame.pts * Fraction(frame.time_base) for frame in frames],
            [frame.to_ndarray(format="rgb24") for frame in frames],
        )


def _num_played(path: Path) -> int:
    """Return how many frames a player shows, which skips a packet that was cut short."""
    num_frames = 0
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            with suppress(av.error.InvalidDataError):
                num_frames += len(packet.decode())
    return num_frames


def _fails(capsys: pytest.CaptureFixture[str], *argv: str | Path) -> str:
    """Run the program, expect exit code 1 and one line on stderr; return the line."""
    capsys.readouterr()
    assert main([str(argument) for argument in argv]) == 1
    captured = capsys.readouterr()
    lines = [line for line in captured.err.splitlines() if line.strip()]
    assert len(lines) == 1, captured.err
    assert lines[0].startswith("signlight: ")
    assert captured.out == ""
    return lines[0]


# -------------------------------------------------------------------------------------- the job


def test_export_keeps_times_finds_the_hand_and_says_how(hand_clip: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    assert main(["export", str(hand_clip), str(output), *QUICK]) == 0
    times, pictures = _decoded(output)
    assert times == [pts * TIME_BASE for pts in PTS]
    assert _decoded(hand_clip)[0] == times
    # The overlay is there: what was exported is not what was read.
    difference = np.abs(pictures[3].astype(int) - _decoded(hand_clip)[1][3])
    assert difference.max() > 60

    sidecar = json.loads(output.with_suffix(".json").read_text(encoding="utf-8"))
    assert sidecar["frames"] == len(PTS)
    assert sidecar["frames_with_hand"] == len(PTS)
    assert sidecar["hands"] == {"left": 0, "right": len(PTS)}
    assert sidecar["model"] == "dino_vits16"
    assert sidecar["weights_sha256"] is None
    assert sidecar["source_sha256"] == sha256_of(hand_clip)
    assert sidecar["options"]["crop_size"] == 32
    assert sidecar["options"]["random_weights"] is True
    assert sidecar["versions"]["python"]
    assert sidecar["seconds"] > 0
    assert sidecar["warnings"] == []


def test_two_exports_are_the_same_frames(hand_clip: Path, tmp_path: Path) -> None:
    pictures = []
    for name in ("one.mp4", "two.mp4"):
        assert main(["export", str(hand_clip), str(tmp_path / name), *QUICK]) == 0
        pictures.append(_decoded(tmp_path / name)[1])
    for first, second in zip(*pictures, strict=True):
        np.testing.assert_array_equal(first, second)


def test_output_stands_beside_the_input_by_default(hand_clip: Path, tmp_path: Path) -> None:
    copy = tmp_path / "my sign.mp4"
    copy.write_bytes(hand_clip.read_bytes())
    assert main(["export", str(copy), *QUICK, "--max-frames", "2"]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        "my sign.mp4",
        "my sign.overlay.mp4",
        "my sign.overlay.json",
    }


@pytest.mark.parametrize("layout", ["side", "heads", "insets"])
@pytest.mark.parametrize("region", ["hands", "frame"])
def test_every_layout_of_hands_and_of_the_whole_picture(
    hand_clip: Path, tmp_path: Path, layout: str, region: str
) -> None:
    output = tmp_path / "out.mp4"
    look = ["--layout", layout, "--region", region, "--hud", "--skeleton", "--threshold", "0.6"]
    assert main(["export", str(hand_clip), str(output), *QUICK, *look, "--max-frames", "2"]) == 0
    assert len(_decoded(output)[0]) == 2


def test_part_of_a_file_starts_at_zero(hand_clip: Path, tmp_path: Path) -> None:
    output = tmp_path / "part.mp4"
    part = ["--start", "0.08", "--end", "0.2"]
    assert main(["export", str(hand_clip), str(output), *QUICK, *part]) == 0
    assert _decoded(output)[0] == [Fraction(pts - 48, 600) for pts in (48, 60, 96)]


def test_resnet_shows_activation(hand_clip: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    options = ["--model", "dino_resnet50", "--random-weights", "--crop-size", "64", "--head", "2"]
    assert main(["export", str(hand_clip), str(output), *options, "--max-frames", "2"]) == 0


def test_live_without_a_window_saves_every_frame(hand_clip: Path, tmp_path: Path) -> None:
    output = tmp_path / "live.mp4"
    assert main([str(hand_clip), "--no-window", "--save", str(output), *QUICK]) == 0
    assert _decoded(output)[0] == [pts * TIME_BASE for pts in PTS]


def test_live_part_of_a_file_is_saved_from_time_zero(hand_clip: Path, tmp_path: Path) -> None:
    output = tmp_path / "live.mp4"
    part = ["--start", "0.08", "--end", "0.2"]
    assert main([str(hand_clip), "--no-window", "--save", str(output), *QUICK, *part]) == 0
    assert _decoded(output)[0] == [Fraction(pts - 48, 600) for pts in (48, 60, 96)]


def test_folder_of_pictures_is_exported_beside_itself(tmp_path: Path) -> None:
    from stream.sinks.png import write_png

    folder = tmp_path / "shots"
    folder.mkdir()
    for index in range(3):
        write_png(folder / f"{index}.png", render_hand("B", size_px=96, seed=index).image)
    assert main(["export", str(folder), *QUICK]) == 0
    assert len(_decoded(tmp_path / "shots.overlay.mp4")[0]) == 3


def test_table_of_models_names_each_with_its_place(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SIGNLIGHT_CACHE", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "250")
    assert main(["models"]) == 0
    table = capsys.readouterr().out
    for name in ("dino_vits16", "dino_vits8", "dino_vitb16", "dino_vitb8", "dino_resnet50"):
        assert name in table
    assert str(tmp_path) in table
    assert "Apache-2.0" in table


# ----------------------------------------------------------------------------------- bad input


def test_missing_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "nowhere.mp4" in _fails(capsys, "export", tmp_path / "nowhere.mp4", *QUICK)


@pytest.mark.parametrize("content", [b"", b"no video at all\n" * 200], ids=["empty", "text"])
def test_file_that_is_no_video(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    assert str(path) in _fails(capsys, "export", path, *QUICK)
    assert list(tmp_path.iterdir()) == [path]


def test_sound_without_pictures(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        audio = container.add_stream("aac", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 48000
        container.mux(audio.encode(frame))
        container.mux(audio.encode(None))
    assert "no video" in _fails(capsys, "export", path, *QUICK)


def test_truncated_file_gives_what_is_there_and_a_note(tmp_path: Path) -> None:
    path = tmp_path / "cut.mp4"
    noise = np.random.default_rng(0).integers(0, 256, (len(PTS), 64, 64, 3), np.uint8)
    with Mp4Sink(path) as sink:
        for picture, pts in zip(noise, PTS, strict=True):
            sink.write(picture, pts, TIME_BASE)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 3 // 4])
    assert main(["export", str(path), *QUICK]) == 0
    num_frames = len(_decoded(tmp_path / "cut.overlay.mp4")[0])
    assert 0 < num_frames < len(PTS)
    sidecar = json.loads((tmp_path / "cut.overlay.json").read_text(encoding="utf-8"))
    assert sidecar["frames"] == num_frames
    assert sidecar["warnings"]


def test_output_is_never_the_input(hand_clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sha256_of(hand_clip)
    line = _fails(capsys, "export", hand_clip, hand_clip, *QUICK)
    assert str(hand_clip) in line
    line = _fails(capsys, hand_clip, "--no-window", "--save", hand_clip, *QUICK)
    assert str(hand_clip) in line
    assert sha256_of(hand_clip) == before


def test_folder_that_is_not_there(
    hand_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "nowhere" / "out.mp4"
    assert str(output.parent) in _fails(capsys, "export", hand_clip, output, *QUICK)


def test_nothing_between_start_and_end(
    hand_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out.mp4"
    line = _fails(capsys, "export", hand_clip, output, *QUICK, "--start", "100")
    assert "100 s" in line
    assert list(tmp_path.iterdir()) == []


def test_head_that_the_model_lacks(hand_clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "heads 0 to 5" in _fails(capsys, "export", hand_clip, *QUICK, "--head", "6")


def test_layer_that_the_model_lacks(hand_clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "layers 0 to 11" in _fails(capsys, "export", hand_clip, *QUICK, "--layer", "12")


def test_missing_weights(hand_clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "gone.pth" in _fails(capsys, "export", hand_clip, "--weights", "gone.pth")


@pytest.mark.parametrize("content", [b"", b"not a checkpoint" * 100], ids=["empty", "corrupt"])
def test_corrupt_checkpoint(
    hand_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    assert str(path) in _fails(capsys, "export", hand_clip, "--weights", path)


def test_checkpoint_of_another_model(
    hand_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch

    path = tmp_path / "weights.pth"
    torch.save({"conv1.weight": torch.zeros(8, 3, 3, 3)}, path)
    line = _fails(capsys, "export", hand_clip, "--weights", path)
    assert str(path) in line
    assert "ViT-S/16" in line


class _Bomb:
    """Unpickled, it would write a file."""

    def __init__(self, trace: Path) -> None:
        self._trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self._trace),)  # a call that would leave a trace


def test_code_in_a_checkpoint_is_never_run(
    hand_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch

    path, trace = tmp_path / "weights.pth", tmp_path / "trace"
    torch.save({"teacher": _Bomb(trace)}, path)
    assert str(path) in _fails(capsys, "export", hand_clip, "--weights", path)
    assert not trace.exists()


def test_hand_model_that_is_none(
    hand_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "hands.task"
    path.write_bytes(b"no bundle")
    assert str(path) in _fails(capsys, "export", hand_clip, *QUICK, "--hand-model", path)


def test_weights_that_cannot_be_downloaded(
    hand_clip: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SIGNLIGHT_CACHE", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")  # nobody answers there
    line = _fails(capsys, "export", hand_clip)
    assert str(tmp_path) in line
    assert "dino_deitsmall16_pretrain.pth" in line


def test_no_camera(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    save = ["--no-window", "--save", str(tmp_path / "out.mp4")]
    assert "camera 77" in _fails(capsys, "77", *save, *QUICK)


def test_no_display(
    hand_clip: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert "--no-window --save" in _fails(capsys, hand_clip, *QUICK)


def test_live_source_is_not_exported(capsys: pytest.CaptureFixture[str]) -> None:
    assert "camera 77" in _fails(capsys, "export", "77", *QUICK)


@pytest.mark.parametrize("size_wh", [(1, 1), (63, 41), (2, 300)], ids=str)
def test_odd_and_tiny_pictures(tmp_path: Path, size_wh: tuple[int, int]) -> None:
    from stream.sinks.png import write_png

    folder = tmp_path / "pictures"
    folder.mkdir()
    width, height = size_wh
    for index in range(2):
        write_png(folder / f"{index}.png", np.full((height, width, 3), 90, np.uint8))
    for region in ("hands", "frame"):
        output = tmp_path / f"{region}.mp4"
        assert main(["export", str(folder), str(output), *QUICK, "--region", region]) == 0
        assert len(_decoded(output)[0]) == 2


def test_8k_pictures(tmp_path: Path) -> None:
    from stream.sinks.png import write_png

    folder = tmp_path / "pictures"
    folder.mkdir()
    write_png(folder / "0.png", np.full((4320, 7680, 3), 90, np.uint8))
    output = tmp_path / "out.mp4"
    assert main(["export", str(folder), str(output), *QUICK, "--preset", "ultrafast"]) == 0
    assert _decoded(output)[1][0].shape == (4320, 7680, 3)


def test_size_that_changes_mid_stream(tmp_path: Path) -> None:
    from stream.sinks.png import write_png

    folder = tmp_path / "pictures"
    folder.mkdir()
    for index, side in enumerate((64, 96, 48)):
        write_png(folder / f"{index}.png", np.full((side, 64, 3), 90, np.uint8))
    output = tmp_path / "out.mp4"
    assert main(["export", str(folder), str(output), *QUICK]) == 0
    assert [picture.shape for picture in _decoded(output)[1]] == [(64, 64, 3)] * 3


# --------------------------------------------------------------------------------- interruptions


class _Export:
    """An export in a process of its own, to be interrupted."""

    def __init__(self, source: Path, output: Path, *, max_file_bytes: int | None = None) -> None:
        def limit() -> None:
            if max_file_bytes is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (max_file_bytes, max_file_bytes))

        self.output = output
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
        deadline = START_UP_S * 20
        while not (self.output.exists() and self.output.stat().st_size > num_bytes):
            try:
                self.process.wait(0.05)
            except subprocess.TimeoutExpired:
                deadline -= 1
                assert deadline > 0, "nothing was written"
                continue
            pytest.fail(f"ended too early: {self.process.communicate()[1]}")

    def end(self) -> tuple[int, str]:
        _, stderr = self.process.communicate(timeout=START_UP_S)
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
    times, _ = _decoded(interrupted.output)
    assert times == [Fraction(index, 25) for index in range(len(times))]
    assert 0 < len(times) < 4000
    sidecar = json.loads(interrupted.output.with_suffix(".json").read_text(encoding="utf-8"))
    assert sidecar["frames"] == len(times)
    # Plain and quick to start: the index stands before the pictures.
    head = interrupted.output.read_bytes()
    assert 0 < head.find(b"moov") < head.find(b"mdat")


def test_killed_outright_what_is_there_plays(interrupted: _Export) -> None:
    interrupted.process.kill()
    interrupted.end()
    times, _ = _decoded(interrupted.output)
    assert len(times) > 0
    assert times == [Fraction(index, 25) for index in range(len(times))]


def test_full_disk_is_one_line_and_what_was_written_plays(long_clip: Path, tmp_path: Path) -> None:
    # A limit on the size of files stands in for a disk that is full: the same failing write.
    export = _Export(long_clip, tmp_path / "out.mp4", max_file_bytes=100_000)
    code, stderr = export.end()
    lines = [line for line in stderr.splitlines() if line.startswith("signlight: ")]
    assert code == 1, stderr
    assert len(lines) == 1
    assert str(export.output) in lines[0]
    assert "Traceback" not in stderr
    assert _num_played(export.output) > 0


def test_wrong_usage_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["export"])
    assert caught.value.code == 2
    assert "INPUT" in capsys.readouterr().err


def test_unexpected_fault_is_one_line_and_a_traceback_only_on_request(
    hand_clip: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_kwargs: object) -> argparse.Namespace:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("models.load_model", broken, raising=False)
    assert "ZeroDivisionError: by zero" in _fails(capsys, "export", hand_clip, *QUICK)
    with pytest.raises(ZeroDivisionError):
        main(["export", str(hand_clip), *QUICK, "-v"])
