"""Bad input to the whole program: one clear line, exit code 1, and nothing lost."""

from __future__ import annotations

import json
import os
from pathlib import Path

import av
import numpy as np
import pytest

from run_live import main
from stream.hashing import sha256_of
from stream.sinks.mp4 import Mp4Sink
from tests.program import PTS, QUICK, TIME_BASE, decoded, fails


def test_missing_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "nowhere.mp4" in fails(capsys, "export", tmp_path / "nowhere.mp4", *QUICK)


@pytest.mark.parametrize("content", [b"", b"no video at all\n" * 200], ids=["empty", "text"])
def test_file_that_is_no_video(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    assert str(path) in fails(capsys, "export", path, *QUICK)
    assert list(tmp_path.iterdir()) == [path]


def test_sound_without_pictures(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        audio = container.add_stream("aac", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 48000
        container.mux(audio.encode(frame))
        container.mux(audio.encode(None))
    assert "no video" in fails(capsys, "export", path, *QUICK)


def test_truncated_file_gives_what_is_there_and_a_note(tmp_path: Path) -> None:
    path = tmp_path / "cut.mp4"
    noise = np.random.default_rng(0).integers(0, 256, (len(PTS), 64, 64, 3), np.uint8)
    with Mp4Sink(path) as sink:
        for picture, pts in zip(noise, PTS, strict=True):
            sink.write(picture, pts, TIME_BASE)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 3 // 4])
    assert main(["export", str(path), *QUICK]) == 0
    num_frames = len(decoded(tmp_path / "cut.overlay.mp4")[0])
    assert 0 < num_frames < len(PTS)
    sidecar = json.loads((tmp_path / "cut.overlay.json").read_text(encoding="utf-8"))
    assert sidecar["frames"] == num_frames
    assert "the file is cut short" in sidecar["warnings"][-1]


def test_output_is_never_the_input(hand_clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sha256_of(hand_clip)
    line = fails(capsys, "export", hand_clip, hand_clip, *QUICK)
    assert str(hand_clip) in line
    line = fails(capsys, hand_clip, "--no-window", "--save", hand_clip, *QUICK)
    assert str(hand_clip) in line
    assert sha256_of(hand_clip) == before


def test_folder_that_is_not_there(
    hand_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "nowhere" / "out.mp4"
    assert str(output.parent) in fails(capsys, "export", hand_clip, output, *QUICK)


def test_nothing_between_start_and_end(
    hand_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out.mp4"
    line = fails(capsys, "export", hand_clip, output, *QUICK, "--start", "100")
    assert "100 s" in line
    assert list(tmp_path.iterdir()) == []


REFERENCE = ["--model", "dino_vits16", *QUICK]


def test_head_that_the_model_lacks(hand_clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "heads 0 to 5" in fails(capsys, "export", hand_clip, *REFERENCE, "--head", "6")


def test_crop_of_a_single_patch(hand_clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = fails(capsys, "export", hand_clip, *REFERENCE, "--crop-size", "16")
    assert "--crop-size 16: dino_vits16 needs 32 pixels at least" in line


def test_layer_that_the_model_lacks(hand_clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "layers 0 to 11" in fails(capsys, "export", hand_clip, *REFERENCE, "--layer", "12")
    assert "attention in layer 4 only" in fails(capsys, "export", hand_clip, *QUICK, "--layer", "3")


def test_missing_weights(hand_clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "gone.pth" in fails(capsys, "export", hand_clip, "--weights", "gone.pth")


@pytest.mark.parametrize("content", [b"", b"not a checkpoint" * 100], ids=["empty", "corrupt"])
def test_corrupt_checkpoint(
    hand_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    assert str(path) in fails(capsys, "export", hand_clip, "--weights", path)


def test_checkpoint_of_another_model(
    hand_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch

    path = tmp_path / "weights.pth"
    torch.save({"conv1.weight": torch.zeros(8, 3, 3, 3)}, path)
    line = fails(capsys, "export", hand_clip, "--model", "dino_vits16", "--weights", path)
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
    assert str(path) in fails(capsys, "export", hand_clip, "--weights", path)
    assert not trace.exists()


def test_hand_model_that_is_none(
    hand_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "hands.task"
    path.write_bytes(b"no bundle")
    assert str(path) in fails(capsys, "export", hand_clip, *QUICK, "--hand-model", path)


def test_weights_that_cannot_be_downloaded(
    hand_clip: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SIGNLIGHT_CACHE", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")  # nobody answers there
    line = fails(capsys, "export", hand_clip, "--model", "dino_vits16")
    assert str(tmp_path) in line
    assert "dino_deitsmall16_pretrain.pth" in line


def test_no_camera(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    save = ["--no-window", "--save", str(tmp_path / "out.mp4")]
    assert "camera 77" in fails(capsys, "77", *save, *QUICK)


def test_no_display(
    hand_clip: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert "--no-window --save" in fails(capsys, hand_clip, *QUICK)


def test_live_source_is_not_exported(capsys: pytest.CaptureFixture[str]) -> None:
    assert "camera 77" in fails(capsys, "export", "77", *QUICK)


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
        assert len(decoded(output)[0]) == 2


def test_8k_pictures(tmp_path: Path) -> None:
    from stream.sinks.png import write_png

    folder = tmp_path / "pictures"
    folder.mkdir()
    write_png(folder / "0.png", np.full((4320, 7680, 3), 90, np.uint8))
    output = tmp_path / "out.mp4"
    assert main(["export", str(folder), str(output), *QUICK, "--preset", "ultrafast"]) == 0
    assert decoded(output)[1][0].shape == (4320, 7680, 3)


def test_size_that_changes_mid_stream(tmp_path: Path) -> None:
    from stream.sinks.png import write_png

    folder = tmp_path / "pictures"
    folder.mkdir()
    for index, side in enumerate((64, 96, 48)):
        write_png(folder / f"{index}.png", np.full((side, 64, 3), 90, np.uint8))
    output = tmp_path / "out.mp4"
    assert main(["export", str(folder), str(output), *QUICK]) == 0
    assert [picture.shape for picture in decoded(output)[1]] == [(64, 64, 3)] * 3
